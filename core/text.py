"""How numbers and values are written."""

from __future__ import annotations

_SHOWN = 40


def format_number(value: float) -> str:
    """The shortest text that reads back as exactly ``value``; no point in whole numbers."""
    return repr(value).removesuffix(".0")


def written(value: object) -> str:
    """A value of a field as links, sliders and axes write it; it reads back exactly."""
    return format_number(value) if isinstance(value, float) else str(value)


def shown(value: object) -> str:
    """A value as a message quotes it: as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, … 11th, … 21st."""
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def significant(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, with 1e9 for 1e+09."""
    return f"{value:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def products(count: int) -> str:
    """1 product, 2 products."""
    return f"{count} product{'' if count == 1 else 's'}"
