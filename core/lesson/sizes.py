"""Rows of a table for the size of one network, beside its law where one is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..maths.arrays import Array
from ..reading.number import Number
from ..theory.finite_width import LEVELS
from .quantiles import factor_of_spread


def row(label: str, size: float, law: Mapping[float, Array], layer: int, formula: str) -> Number:
    """A size of one network, with the median of its law and the spread of networks around it.

    Args:
        label: its name in the table.
        size: the size of this network.
        law: level -> log2 of that quantile at layers 0 … depth; empty where none is known.
        layer: the layer of the size.
        formula: the median in LaTeX.
    """
    if not law or not size > 0 or not np.isfinite(size):
        return Number(label=label, measured=size)
    low, middle, high = (float(law[level][layer]) for level in (LEVELS[0], 0.5, LEVELS[-1]))
    if not np.isfinite(low) or high - low < 1e-6:
        return Number(label=label, measured=size)
    return Number(
        label=label,
        measured=size,
        standard_error=factor_of_spread(low, high),
        exact=float(2.0**middle),
        formula=formula,
        factor=True,
        single=True,
    )
