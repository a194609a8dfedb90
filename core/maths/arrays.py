"""Arrays of float64, and logarithms that take 0 to −∞."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers: TypeAlias = Any  # a float, or an array of them: Any, as NumPy's own functions say


def log2(values: Numbers) -> Numbers:
    """log2, −∞ for 0."""
    if isinstance(values, float):  # a single number needs no error state
        return float(np.log2(values)) if values > 0 else -np.inf
    with np.errstate(divide="ignore"):
        return np.log2(values)


def _ln(values: Numbers) -> Numbers:
    if isinstance(values, float):
        return float(np.log(values)) if values > 0 else -np.inf
    with np.errstate(divide="ignore"):
        return np.log(values)


@dataclass(frozen=True)
class Logarithm:
    """Logarithms to one base.

    Attributes:
        of: of a number, −∞ for 0.
        add: of the sum of two numbers that are known by their logarithms.
        octave: of 2.
    """

    of: Callable[[Numbers], Numbers]
    add: Callable[[Numbers, Numbers], Numbers]
    octave: float


LN = Logarithm(_ln, np.logaddexp, float(np.log(2.0)))
LOG2 = Logarithm(log2, np.logaddexp2, 1.0)
