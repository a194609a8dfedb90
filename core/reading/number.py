"""Number: a measured value, beside the exact one and the one that the lesson printed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..text import significant, with_minus

AGREES_WITHIN = 4.0
"""The most standard errors by which a printed number may be off and still agree."""
_LONGEST = 1e15  # a larger whole number is written with an exponent, a larger fraction below it:
_NO_EXPONENT = 1e5


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
        single: whether ``measured`` is of one random draw. Its ``standard_error`` is then the
            spread of draws, which the table writes beside the exact value, their centre.
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
    single: bool = False

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


def value_text(value: float | None, boolean: bool = False, digits: int = 4) -> str:
    """A value as the table writes it: large whole numbers in full; empty for None."""
    if value is None:
        return ""
    if boolean:
        return str(bool(value))
    if math.isnan(value):
        return "NaN"
    return with_minus(_plain(value, digits))


def _plain(value: float, digits: int) -> str:
    """A number with so many significant digits, and with all digits before its point."""
    is_whole = math.isfinite(value) and value == round(value)
    if is_whole and 10**digits <= abs(value) < _LONGEST:
        return f"{value:,.0f}"
    before = math.floor(math.log10(abs(value))) + 1 if 1 <= abs(value) < _NO_EXPONENT else 1
    return significant(value, max(digits, before))


def exact_text(number: Number) -> str:
    """The exact value as the table writes it; of a single draw with the spread of draws."""
    spread = number.standard_error if number.single else None
    if number.exact is None or spread is None:
        digits = 4 if number.factor else max(4, _digits_of(number, number.exact))
        return value_text(number.exact, number.boolean, digits)
    if number.factor:
        return _range_text(number.exact, spread)
    return f"{value_text(number.exact)} ± {value_text(spread, digits=2)}"


def lesson_text(number: Number) -> str:
    """The lesson's value as the table writes it; of a single draw as far as the spread allows."""
    digits = _digits_of(number, number.lesson) if number.single else 4
    return value_text(number.lesson, number.boolean, digits)


def measured_text(number: Number) -> str:
    """The measured value with its standard error, and with the digits that the error leaves."""
    value, error = number.measured, number.standard_error
    if error is None or number.boolean:
        return value_text(value, number.boolean, digits=3)
    if number.single:
        return value_text(value, digits=_digits_of(number, value))
    if number.factor:
        return _range_text(value, error)
    return f"{value_text(value, digits=_digits_of(number, value))} ± {value_text(error, digits=2)}"


def _digits_of(number: Number, value: float | None) -> int:
    """The significant digits that the number's standard error leaves of a value."""
    error = number.standard_error or 0.0
    if number.factor:
        return _digits_within(error)
    digits = 3
    if value and math.isfinite(value) and 0 < error < math.inf:
        digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2
    return min(max(digits, 3), 7)


def _digits_within(factor: float) -> int:
    """The significant digits of a value that is known to within a factor of at least 1."""
    excess = min(max(factor - 1, 1e-4), 1.0)
    return 2 + round(-math.log10(excess))


def _range_text(value: float, factor: float) -> str:
    """A value, and the range from value/factor to value·factor in the same power of ten."""
    digits = _digits_within(factor)
    middle = _plain(value, digits)
    if not (0 < abs(value) < math.inf and 1 <= factor < math.inf):
        return with_minus(middle)
    _, e, exponent = middle.partition("e")
    unit = 10.0 ** int(exponent or 0)
    ends = (value / factor / unit, value * factor / unit)
    low, high = (_plain(end, digits) + e + exponent for end in ends)
    return with_minus(f"{middle} ({low} to {high})")
