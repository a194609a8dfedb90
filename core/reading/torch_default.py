"""What PyTorch's default for nn.Linear does at depth, with its number √5, for any activation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..question.experiment import Experiment
from ..text import significant
from ..theory import mean_field
from ..theory.profile import profile

_DEEP = 200  # layers after which a signal that has a constant factor shows it
_SAME = 1e-6  # octaves per layer, or a correlation: a smaller difference is rounding


@dataclass(frozen=True)
class Number:
    """A number of the card: its name, what it means, and its text."""

    term: str
    meaning: str
    text: str


@dataclass(frozen=True)
class DefaultCard:
    """What nn.Linear's weights and biases do in wide layers with an activation.

    Attributes:
        numbers: at most four.
        sentence: what the floor of the biases means; empty where there is none.
        cases: label -> an experiment that shows it, at the size of the one on screen.
    """

    numbers: tuple[Number, ...]
    sentence: str
    cases: dict[str, Experiment]


def default_card(experiment: Experiment) -> DefaultCard | None:
    """The card beside an initialiser whose own layer draws biases; None for any other.

    Its numbers are those of layers φ(a @ x + b) with weights of their own, as nn.Linear draws them:
    at the width and with the activation of ``experiment``. With another scale factor there is no
    card.
    """
    own = experiment.rule.bias_std
    if own is None or not experiment.layer.is_plain or experiment.scale != 1:
        return None
    bias = own(experiment.width)
    names = ("width", "depth", "init", "activation", "number_format", "seed")
    plain = Experiment(**{name: getattr(experiment, name) for name in names}, weights="fresh")
    biased = plain.replace(bias_std=bias)
    cases = {
        "without biases": plain,
        "with its biases": biased,
        "two inputs": biased.replace(batch_size=2),
        "critical weights instead": plain.replace(init="critical"),
    }
    return DefaultCard(*_at_depth(biased.activation, plain.sigma_w, bias), cases)


@lru_cache(maxsize=64)
def _at_depth(activation: str, sigma_w: float, sigma_b: float) -> tuple[tuple[Number, ...], str]:
    """The numbers of the card, and its sentence."""
    factor = _factor(activation)
    alone = Number(
        "x per layer, no bias",
        "The factor by which a wide layer multiplies the rms of x, where the biases are 0: 1/√3 "
        "without φ, 1/√6 with ReLU.",
        "none is constant" if factor is None else f"× {significant(factor)}",
    )
    what = activation, sigma_w, sigma_b
    q = mean_field.fixed_point(*what)
    if q is None:
        return (alone,), ""
    rms = float(mean_field.second_moment(activation, q)) ** 0.5
    shared = float(mean_field.stable_correlation(*what))
    back = float(mean_field.chi_1(*what)) ** 0.5
    settled = (
        Number(
            "rms of x in the end, with biases",
            "The size at which x settles in a wide and deep network whose biases have the std of "
            "nn.Linear’s, 1/√(3n).",
            significant(rms),
        ),
        Number(
            "correlation of two inputs",
            "What the correlation of two different inputs tends to there. 1: the network says the "
            "same of every input.",
            significant(shared),
        ),
        Number(
            "gradient per layer",
            "√χ₁: the factor by which a layer multiplies the rms of the gradient there, going "
            "back.",
            f"× {significant(back)}",
        ),
    )
    return (alone, *settled), _of_the_floor(rms, shared, back)


def _of_the_floor(rms: float, shared: float, back: float) -> str:
    if shared < 1 - _SAME or back > 1 - _SAME:
        return ""
    return (
        f"In a wide and deep network that is drawn as nn.Linear is, an rms of {significant(rms)} "
        "is a floor and no sign of health: two inputs come out the same, and each layer "
        f"multiplies the gradient by {significant(back)}."
    )


def _factor(activation: str) -> float | None:
    """The factor per layer without biases at great depth; None where none is constant."""
    e = Experiment(depth=_DEEP, init="torch_linear", activation=activation, weights="fresh")
    last = np.diff(profile(e).log2_rms[-3:])
    if not np.isfinite(last).all() or abs(last[1] - last[0]) > _SAME:
        return None
    return float(2.0 ** last[1])
