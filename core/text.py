"""How numbers and values are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SHOWN = 40  # characters: a longer value would hide the rest of a message


def format_number(value: float) -> str:
    """The shortest text that reads back as exactly ``value``; a whole number has no point."""
    return repr(value).removesuffix(".0")


def written(value: object) -> str:
    """A value of a field as links, sliders and axes write it; it reads back exactly."""
    return format_number(value) if isinstance(value, float) else str(value)


def shown(value: object) -> str:
    """``repr(value)`` for a message, cut to 40 characters and an ellipsis."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_SCRIPT = re.compile(r"(?P<base>[σξ])_(?P<low>\w)\b|(?P<power>\bn)\^(?P<high>-?\d+(\.\d+)?)")


def marked_up(text: str) -> str:
    """``text`` with the index of σ_w and the power of n^0.5 as HTML; the rest stays as it is."""

    def script(found: re.Match[str]) -> str:
        if found["base"]:
            return f"{found['base']}<sub>{found['low']}</sub>"
        return f"{found['power']}<sup>{found['high'].replace('-', '−')}</sup>"

    return _SCRIPT.sub(script, text)


def ordinal(number: int) -> str:
    """An ordinal in English: 1st, 2nd, 3rd, 4th, … 11th, … 21st; ``number`` is at least 0."""
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def significant(value: float, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits and a short exponent, such as 1.5e10 or 1e-5."""
    return f"{value:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def products(count: int) -> str:
    """A count of matrix products in words: "1 product", "2 products"."""
    return f"{count} product{'' if count == 1 else 's'}"
