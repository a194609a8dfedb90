"""The factor of a branch at which what all layers add weighs as much as the input."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..layer.operation import MICROSECOND, LogMoments
from ..layer.stack import Layer
from ..maths.arrays import LOG2, Array
from ..question.experiment import Experiment
from .profile import start

_LOW, _HIGH = -14.0, 10.0  # log2 of the factors that are searched; the largest is 1e3
_POINTS, _ROUNDS = 33, 2
_ROUND, _LAYER = 200.0, 150.0  # microseconds of a round, and of each layer in it


def has_additions(experiment: Experiment) -> bool:
    """Whether x is a sum of its input and of branches: a skip without a norm behind it."""
    return experiment.layer.ends_in_a_sum


def has_law(experiment: Experiment) -> bool:
    """Whether the size of the sum is known: of fresh weights with a law, beside no batch norm.

    A matrix that is the same in every layer adds up the same directions again and again.
    """
    e = experiment
    known = e.weights == "fresh" and e.rule.law != "other" and e.norm != "batch"
    return known and has_additions(e)


def doubling_branch_scale(experiment: Experiment) -> float:
    """The branch_scale at which E x² doubles from the input to the last layer, at width → ∞.

    Below it the input is the larger part of x, above it what the layers add. With a norm in front
    of each branch it goes as 1/√L.

    Args:
        experiment: the question; its branch_scale, seed and number format are not used.

    Returns:
        The factor, to about three digits; NaN where `has_law` says no, and where no factor
        from 2^−14 to 1e3 doubles E x².
    """
    if not has_law(experiment):
        return float("nan")
    e = experiment.replace(branch_scale=1.0, seed=0, number_format="float32", loss_scale=1.0)
    return _found(e)


def work(experiment: Experiment) -> float:
    """The multiply-adds of ``doubling_branch_scale``."""
    return _ROUNDS * (_ROUND + _LAYER * experiment.depth) * MICROSECOND


@lru_cache(maxsize=512)
def _found(e: Experiment) -> float:
    low, high = _LOW, _HIGH
    for _ in range(_ROUNDS):
        octaves = np.linspace(low, high, _POINTS)
        grown = _growth(e, octaves)
        (above,) = np.nonzero(grown >= 1)
        if not above.size or above[0] == 0:
            return float("nan")
        low, high = octaves[above[0] - 1], octaves[above[0]]
        near = grown[above[0] - 1 : above[0] + 1]
    share = (1 - near[0]) / (near[1] - near[0])
    return float(2.0 ** (low + share * (high - low)))


def _growth(e: Experiment, octaves: Array) -> Array:
    """log2 of E x² of the last layer over that of the input, at factors 2^octaves."""
    skip = e.layer.skip
    assert skip is not None
    layer, first = Layer((replace(skip, factor=2.0**octaves),)), start(e)
    m = LogMoments(np.full_like(octaves, first.square), np.full_like(octaves, first.mean))
    for _ in range(e.depth):
        m = layer.log_moments(m, LOG2)
    return np.asarray(m.square - first.square)
