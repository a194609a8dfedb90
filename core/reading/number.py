"""Number: a measured value, beside the exact one and the one that the lesson printed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..text import significant

AGREES_WITHIN = 4.0
"""The most standard errors by which a printed number may be off and still agree."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A row of a step's table.

    Attributes:
        label: its name in the table.
        measured: the value measured here.
        standard_error: of ``measured``; None where it is not random.
        exact: the value by theory, NaN where the right answer is NaN; None where none is known.
        formula: ``exact`` in LaTeX.
        lesson: the value that the lesson printed; None where it printed none, or at another width
            or depth.
        lesson_error: the standard error of ``lesson``.
        factor: whether values are compared by their ratio; errors are then factors of at least 1,
            to multiply and to divide by.
        boolean: whether the values are truth values, 1 for True and 0 for False.
    """

    label: str
    measured: float
    standard_error: float | None = None
    exact: float | None = None
    formula: str = ""
    lesson: float | None = None
    lesson_error: float | None = None
    factor: bool = False
    boolean: bool = False

    @property
    def z(self) -> float | None:
        """How many of its standard errors the lesson's number is from the exact one.

        Where no exact value is known, the measured one takes its place. NaN is 0 away from NaN, and
        infinitely far from any number.
        """
        center = self.measured if self.exact is None else self.exact
        return None if self.lesson is None else self._away(self.lesson, center, self.lesson_error)

    @property
    def deviation(self) -> float | None:
        """How many of its standard errors the measured number is from the exact one."""
        if self.exact is None:
            return None
        return self._away(self.measured, self.exact, self.standard_error)

    @property
    def verdict(self) -> Literal["agrees", "slip", ""]:
        """Whether the lesson's number agrees, |z| ≤ AGREES_WITHIN, or is a slip."""
        if self.z is None:
            return ""
        return "agrees" if abs(self.z) <= AGREES_WITHIN else "slip"

    def _away(self, value: float, center: float, error: float | None) -> float:
        if math.isnan(value) or math.isnan(center):
            return 0.0 if math.isnan(value) and math.isnan(center) else math.inf
        if value == center:
            return 0.0
        if error is None:
            return math.inf
        if self.factor:
            positive = value > 0 and center > 0 and error > 1
            return math.log(value / center) / math.log(error) if positive else math.inf
        return (value - center) / error if error > 0 else math.copysign(math.inf, value - center)


def average(
    label: str,
    values: ArrayLike,
    *,
    exact: float | None = None,
    formula: str = "",
    lesson: float | None = None,
    lesson_error: float | None = None,
) -> Number:
    """The mean of independent values with its standard error.

    Args:
        label: its name in the table.
        values: shape (repetitions,), at least two.
        exact: their expectation.
        formula: ``exact`` in LaTeX.
        lesson: the value that the lesson printed.
        lesson_error: the standard error of ``lesson``.
    """
    y = np.asarray(values, dtype=np.float64)
    error = float(y.std(ddof=1) / len(y) ** 0.5)
    return Number(
        label=label,
        measured=float(y.mean()),
        standard_error=error,
        exact=exact,
        formula=formula,
        lesson=lesson,
        lesson_error=lesson_error,
    )


def value_text(value: float | None, boolean: bool = False, digits: int = 6) -> str:
    """A value as the table writes it; empty for None."""
    if value is None:
        return ""
    if boolean:
        return str(bool(value))
    return "NaN" if math.isnan(value) else significant(value, digits)


def exact_text(number: Number) -> str:
    """The exact value as the table writes it."""
    return value_text(number.exact, number.boolean)


def lesson_text(number: Number) -> str:
    """The lesson's value as the table writes it, with up to seven of the digits that it printed."""
    return value_text(number.lesson, number.boolean, digits=7)


def measured_text(number: Number) -> str:
    """The measured value with its standard error, and with the digits that the error leaves."""
    value, error = number.measured, number.standard_error
    if error is None or number.boolean:
        return value_text(value, number.boolean)
    if number.factor:
        return f"{value_text(value, digits=4)} ×÷ {value_text(error, digits=4)}"
    digits = 6
    if 0 < error < math.inf and value and math.isfinite(value):
        digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2
    return f"{value_text(value, digits=min(max(digits, 3), 7))} ± {value_text(error, digits=2)}"
