"""Arrays of float64, and logarithms that are −∞ at 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers: TypeAlias = Any  # a float or an array; NumPy's own type hints say Any too


def log2(values: Numbers) -> Numbers:
    """The logarithm to base 2, −∞ for 0.

    Args:
        values: a float or a float64 array, ≥ 0.

    Returns:
        A float for a float; else an array of the same shape.
    """
    if isinstance(values, float):  # for one number, errstate would cost more than the logarithm
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
    """The logarithm to one base, for formulas that hold to any base.

    Attributes:
        of: x → log x, −∞ at x = 0.
        add: (log x, log y) → log(x + y).
        octave: log 2.
    """

    of: Callable[[Numbers], Numbers]
    add: Callable[[Numbers, Numbers], Numbers]
    octave: float


LN = Logarithm(_ln, np.logaddexp, float(np.log(2.0)))
LOG2 = Logarithm(log2, np.logaddexp2, 1.0)
