"""The challenge: find a scale factor with which the signal holds for 200 layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..question.experiment import Experiment
from ..reading.course import the_size
from ..reading.diagnosis import Kind, growth, kind_of
from ..simulation.propagate import Run
from ..theory import mean_field
from .words import rounded

DEPTH = 200
"""The number of layers through which the signal has to hold."""

_WIDTH = 512
_NARROWEST = 64  # in a narrower network a good scale factor fails too often by bad luck
_CHAOTIC = 1.1  # χ₁ from which on chaos shows within two hundred layers
_TOO_LARGE: tuple[Kind, ...] = ("explodes", "grows", "saturates")
_TOO_SMALL: tuple[Kind, ...] = ("vanishes", "shrinks", "stuck", "dies")
_MAY_HOLD: tuple[Kind, ...] = ("grows", "shrinks", "settles", "wanders")
_WITHIN = 4.0  # octaves between the first and the last size


@dataclass(frozen=True)
class Outcome:
    """Whether a run meets the challenge.

    Attributes:
        holds: whether it does.
        kind: the word for the run.
        sentence: what happens in the run, and a hint if the signal does not hold.
    """

    holds: bool
    kind: Kind
    sentence: str


def task(activation: str, scale: float = 1.0, seed: int = 0) -> Experiment:
    """The challenge's network: 200 layers of raw weights, each with a matrix of its own.

    Raises:
        ValueError: there is no such activation, or the scale factor is not allowed.
    """
    return Experiment(
        width=_WIDTH, depth=DEPTH, weights="fresh", activation=activation, scale=scale, seed=seed
    )


def check(run: Run) -> Outcome:
    """Whether the signal of a run holds.

    It holds if its size ends within a factor of 16 of where it began, at a depth of at least
    ``DEPTH`` and a width of at least 64. With a bounded activation it holds at any large scale
    factor; the sentence then says that the network is chaotic.

    Args:
        run: of any Experiment; ``task`` makes the challenge's own.
    """
    experiment = run.experiment
    kind = kind_of(run)
    change = float(run.log2_size[-1] - run.log2_size[0])
    if kind in _MAY_HOLD and abs(change) <= _WITHIN:
        kind = "holds"
    if kind == "holds" and experiment.depth < DEPTH:
        words = f"It holds for {experiment.depth} products, but {DEPTH} are asked."
        return Outcome(False, kind, words)
    if kind == "holds" and experiment.width < _NARROWEST:
        words = f"It holds, but the width is {experiment.width}: at least {_NARROWEST} is asked."
        return Outcome(False, kind, words)
    if kind == "holds":
        return Outcome(True, kind, _success(run))
    return Outcome(False, kind, _failure(run, kind))


def _last_size(run: Run) -> str:
    return f"{the_size(run)} is {rounded(float(run.size[-1]))}"


def _success(run: Run) -> str:
    e = run.experiment
    words = f"It holds: after {e.depth} products with {e.activation} {_last_size(run)}."
    chi_1 = float(mean_field.chi_1(e.phi, e.sigma_w, e.bias_std))
    if e.rule.fit is not None or not chi_1 >= _CHAOTIC:
        return words
    return (
        f"{words} But it is chaotic: every layer multiplies the square of a small difference "
        f"between two inputs, and that of a gradient, by χ₁ = {rounded(chi_1)}. A smaller scale "
        "factor does better."
    )


def _failure(run: Run, kind: Kind) -> str:
    e = run.experiment
    rate = growth(run)
    each = "" if np.isnan(rate) else f"Each product multiplies the size by about {rate:.4g}. "
    if run.events.first_nonfinite is not None:
        end = f"at i = {run.events.first_nonfinite} an element is no longer finite"
    elif run.stats.zero[-1] == 1:
        end = f"at i = {run.events.all_zero} every element is 0"
    else:
        end = f"after {e.depth} products {_last_size(run)}"
    if kind == "collapses":
        return (
            f"It does not hold: {end}, far below the rms {rounded(float(run.stats.rms[-1]))}: all "
            "elements are nearly equal, and the input is forgotten."
        )
    hint = "too large" if kind in _TOO_LARGE else "too small" if kind in _TOO_SMALL else "not right"
    return f"It does not hold: {end}. {each}The scale factor {rounded(e.scale)} is {hint}."
