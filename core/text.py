"""How numbers and values are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SUBSCRIPT = re.compile(r"([σξ])_(\w)")
_POWER = re.compile(r"\bn\^(−?-?\d+(?:\.\d+)?)")
_HYPHEN = re.compile(r"(?<![\w.)\]])-(?=[\d.]|inf)|(?<=\de)-(?=\d)")  # in −1 and 1e−5, not in 1-3
_NO_BREAK = re.compile(
    r"(?<=\d) (?=%|×)|(?<=\b\w) (?=[=<>≤≥] [−\d])|(?<=[=<>≤≥±]) (?=[−\d])|(?<=\b[Ss]tep) (?=\d)"
)

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


def split_list(text: str) -> list[str]:
    """The parts of a text between commas, but for commas inside brackets: a, max(x, 0)."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def ordinal(number: int) -> str:
    """An ordinal in English: 1st, 2nd, 3rd, 4th, … 11th, … 21st; ``number`` is at least 0."""
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def significant(value: float, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits and a short exponent, such as 1.5e10 or 1e-5."""
    return f"{value:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def of_octaves(octaves: float, digits: int = 3) -> str:
    """2^octaves as `significant` writes it; in words where no number format holds it."""
    if octaves != octaves:
        return "NaN"
    if octaves < -1074:
        return "0 in every number format"
    return significant(2.0**octaves, digits) if octaves < 1024 else "beyond every number format"


def typeset(text: str) -> str:
    """A text with its indices and powers, as of σ_w and n^0.5, in the tags of HTML and Plotly."""
    lowered = _SUBSCRIPT.sub(r"\1<sub>\2</sub>", text)
    return _POWER.sub(lambda found: f"n<sup>{found[1].replace('-', '−')}</sup>", lowered)


def with_minus(text: str) -> str:
    """Text in which a minus sign stands before numbers, where Python wrote a hyphen."""
    return _HYPHEN.sub("−", text)


def unbroken(text: str) -> str:
    """Text in which no line ends inside "28 %", "i = 28", "n = 512" or "step 3"."""
    return _NO_BREAK.sub("\u00a0", text)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def products(count: int, step: str = "product") -> str:
    """A count of matrix products, or of other steps, in words: "1 product", "2 products"."""
    return f"{count} {step}{'' if count == 1 else 's'}"
