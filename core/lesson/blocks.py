"""What the steps about residual branches and norms share: their size, their rows and curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..reading.number import Number
from ..text import products
from ..theory.finite_width import LEVELS
from .result import Curve, Sentence
from .setting import Setting

_MEDIAN = (np.pi / 2) ** 0.5  # the standard error of a median over that of a mean
# Narrower networks differ too much to show what is typical; fewer layers hardly show a factor.
_NARROWEST, _SHALLOWEST = 64, 5


def within(setting: Setting, n: int, depth: int) -> Setting:
    """The setting, with the nearest width from 64 to ``n`` and depth from 5 to ``depth``."""
    return replace(
        setting,
        n=min(max(setting.n, _NARROWEST), n),
        depth=min(max(setting.depth, _SHALLOWEST), depth),
    )


def relu_network(setting: Setting, **changes: float | str) -> Experiment:
    """A network with ReLU, Kaiming's weights and a matrix for each layer, with fields changed."""
    e = setting.experiment(init="kaiming_normal", activation="relu", weights="fresh")
    return e.replace(**changes)


def size_sentence(asked: Setting, used: Setting) -> Sentence:
    """At which size a step is done, and that it is the nearest to what was asked for."""
    here, yours = (f"n = {s.n} with {products(s.depth, 'layer')}" for s in (used, asked))
    words = f"Everything here is measured at {here}"
    if here != yours:
        words += f": of the sizes that this step takes, the nearest to {yours}"
    return Sentence(f"{words}.")


def median_row(
    label: str, log2_sizes: Array, law: Mapping[float, Array], layer: int, formula: str
) -> Number:
    """The median of a size over networks, beside that of the law at the same width.

    Args:
        label: the size.
        log2_sizes: log2 of it in each network, shape (networks,); −inf where it is zero.
        law: level -> log2 of that quantile at layers 0 … depth; empty where no law is known.
        layer: at which the size was measured.
        formula: the size for many units, in LaTeX.
    """
    alive = log2_sizes[np.isfinite(log2_sizes)]
    known = bool(law) and len(alive) == len(log2_sizes)
    error = _MEDIAN * float(alive.std(ddof=1)) / len(alive) ** 0.5 if len(alive) > 1 else None
    return Number(
        label=label,
        measured=float(2 ** np.median(log2_sizes)),
        standard_error=None if error is None else 2**error,
        exact=float(2 ** law[0.5][layer]) if known else None,
        formula=formula if known else "",
        factor=True,
    )


def curve(label: str, size: Array, law: Mapping[float, Array], *, goes_back: bool = False) -> Curve:
    """A run's sizes; the band of nine networks in ten where its law is known."""
    if not law:
        return Curve(label, size, goes_back=goes_back)
    low, high = (np.where(np.isfinite(size), law[at], np.nan) for at in (LEVELS[0], LEVELS[-1]))
    return Curve(label, size, low, high, goes_back=goes_back)
