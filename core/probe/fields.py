"""What the fields of a report may hold: the types that its files are read by."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated

from ..layer.number_formats import NUMBER_FORMATS

_FARTHEST = 5000.0  # octaves: no format has sizes so far from 1


@dataclass(frozen=True)
class Between:
    """A number between two others.

    Attributes:
        low, high: the ends, allowed themselves.
        or_infinite: whether ±inf is allowed too.
        or_nan: whether NaN is.
    """

    low: float
    high: float
    or_infinite: bool = False
    or_nan: bool = False

    def allows(self, value: float) -> bool:
        """Whether a number is allowed."""
        if value != value:
            return self.or_nan
        return self.low <= value <= self.high or (self.or_infinite and abs(value) == inf)

    def __str__(self) -> str:
        also = " or infinite" * self.or_infinite + " or nan" * self.or_nan
        return f"from {self.low:g} to {self.high:g}{also}"


@dataclass(frozen=True)
class Printable:
    """A text of one line.

    Attributes:
        longest: how many characters it may have.
    """

    longest: int

    def allows(self, value: str) -> bool:
        """Whether a text is allowed."""
        return len(value) <= self.longest and value.isprintable()

    def __str__(self) -> str:
        return f"a printable text of at most {self.longest} characters"


@dataclass(frozen=True)
class KeyOf:
    """A key of a registry.

    Attributes:
        names: of the registry.
    """

    names: tuple[str, ...]

    def allows(self, value: str) -> bool:
        """Whether it is a key."""
        return value in self.names

    def __str__(self) -> str:
        return f"one of {', '.join(self.names)}"


Limit = Between | Printable | KeyOf
Name = Annotated[str, Printable(1000)]
FormatName = Annotated[str, KeyOf(tuple(NUMBER_FORMATS))]
Share = Annotated[float, Between(0.0, 1.0)]
Count = Annotated[int, Between(0, 2**53)]
Some = Annotated[int, Between(1, 2**53)]
Whole = Annotated[int, Between(-_FARTHEST, _FARTHEST)]
Octaves = Annotated[float, Between(-_FARTHEST, _FARTHEST, or_infinite=True, or_nan=True)]
"""A logarithm to base 2: −inf of zero, +inf and NaN of what has no size."""
Real = Annotated[float, Between(-inf, inf, or_nan=True)]
Positive = Annotated[float, Between(2.0**-1074, 2.0**1023)]
