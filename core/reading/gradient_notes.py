"""Sentences beside a gradient: on the gradient of the weights, and on its size beside that of x."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..question.experiment import Experiment
from ..simulation.backward import Backward
from ..theory.finite_width import Prediction
from ..theory.joint_law import joint_law
from .expectation import in_words

_DEEPEST = 256  # layers that many networks pass in some hundredths of a second
_UNRELATED = 0.05  # three standard errors of a correlation in a joint law's networks


def of_weights(back: Backward) -> str:
    """That no gradient of a matrix is finite; empty where one is."""
    if all((each.nonfinite[1:] > 0).all() for each in back.of_products):
        return "Here G has elements that are not finite in every layer."
    return ""


def predicted_end(prediction: Prediction) -> str:
    """Where the law of the gradient sees it end, in a sentence; empty where it sees it arrive."""
    ends = (
        (prediction.gradient_overflow_pmf, "to break at layer"),
        (prediction.gradient_all_zero_pmf, "to be zero from layer"),
    )
    told = (
        f"Predicted {what} {in_words(pmf)}."
        for pmf, what in ends
        if pmf and in_words(pmf) != "never"
    )
    return " ".join(told)


@lru_cache(maxsize=256)
def _correlation(experiment: Experiment) -> float:
    law = joint_law(experiment)
    return law.correlation if law is not None else float("nan")


def together(experiment: Experiment) -> str:
    """A sentence on how large x_L and δ_0 are together; empty where their joint law is unknown."""
    if experiment.depth > _DEEPEST:
        return ""
    correlation = _correlation(experiment.replace(seed=0, number_format="float32", loss_scale=1.0))
    if np.isnan(correlation):
        return ""
    if abs(correlation) < _UNRELATED:
        return (
            "Over networks, the rms of x at the last layer and that of δ at layer 0 hardly depend "
            "on each other."
        )
    return (
        "A network with a larger x at the last layer has a larger δ at layer 0 too: the logarithms "
        f"of their rms have correlation {correlation:.2f} over networks."
    )
