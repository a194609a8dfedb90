"""Parameter: the description of one field of an Experiment."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, cast

from ..text import format_number, shown
from .formula import value_of

_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,4})?", re.ASCII)
_PLAIN: dict[str, Callable[[Any], int | float | str]] = {
    "integer": int,
    "real": float,
    "choice": str,
}


_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}", re.ASCII)  # a decimal comma, or one of thousands
_SHORT_POWERS = 10  # of two: up to 1024 they are short as they are
_PASSED_OVER = re.compile(r"[-_\s]")  # in names, as is upper case


class Note(str):
    """A sentence on a text that was accepted, among sentences on texts that were not."""


def refusals(problems: list[str]) -> list[str]:
    """The sentences on texts that were not accepted: those that are no notes."""
    return [problem for problem in problems if not isinstance(problem, Note)]


def _plain_name(text: str) -> str:
    return _PASSED_OVER.sub("", text).casefold()


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """The description of one field of an Experiment.

    Attributes:
        label: the name on screen.
        help: one or two sentences for a hover.
        symbol: the symbol in formulas and on axes.
        kind: "integer", "real", or "choice" for one of ``choices``.
        minimum, maximum: the bounds of a number, both allowed.
        stops: the values that a slider offers, ascending; a part of the allowed range.
        choices: the values of a choice.
        aliases: names that other libraries have for choices -> the choice; in lower case, without
            - and _.
        remarks: alias -> what the note on it says besides.
        names: value of a choice -> its name in menus, where that is another one.
        reader: from a text that is none of the choices to the value that it means; a ValueError
            says why it means none, with no words for a name that is unknown.
        others: what such a text may be, in words.
        example: such texts, for an empty field.
    """

    label: str
    help: str
    symbol: str
    kind: Literal["integer", "real", "choice"]
    minimum: float = 0
    maximum: float = 0
    stops: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict, compare=False)
    remarks: Mapping[str, str] = field(default_factory=dict, compare=False)
    names: Mapping[str, str] = field(default_factory=dict, compare=False)
    reader: Callable[[str], str] | None = field(default=None, compare=False)
    others: str = ""
    example: str = ""

    def name_of(self, choice: str) -> str:
        """The name of a choice in menus; links, files and messages use its value."""
        return self.names.get(choice) or choice

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices) + (self.others and f"; {self.others}")
        noun = "a whole number" if self.kind == "integer" else "a number"
        return f"{noun} from {self._written(self.minimum)} to {self._written(self.maximum)}"

    def _written(self, bound: float) -> str:
        """A bound in words; a large or a small power of two of a real number as a power."""
        mantissa, exponent = math.frexp(bound)
        is_power = mantissa == 0.5 and abs(exponent) > _SHORT_POWERS
        return f"2^{exponent - 1}" if self.kind == "real" and is_power else format_number(bound)

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is of the right kind and within the bounds or choices."""
        if self.kind == "choice":
            is_text = isinstance(value, str)
            return is_text and (value in self.choices or self._read(str(value)) is not None)
        # The usual types come first: a test against the types of `numbers` is slow.
        if type(value) is not (int if self.kind == "integer" else float):
            wanted = numbers.Integral if self.kind == "integer" else numbers.Real
            if isinstance(value, bool) or not isinstance(value, wanted):
                return False
        number = cast(Any, value)  # not converted: a huge integer does not fit a float
        return bool(self.minimum <= number <= self.maximum)

    def convert(self, value: Any) -> Any:
        """An accepted value, which may be one of NumPy's, as a plain int, float or str."""
        plain = _PLAIN[self.kind](value)
        return plain if self.reader is None or plain in self.choices else self.reader(str(plain))

    def refusal(self, name: str, value: object) -> str:
        """The sentence on a value that is not accepted.

        Args:
            name: of the field.
            value: what was given.
        """
        if self.reader is not None and isinstance(value, str):
            try:
                self.reader(value)
            except ValueError as error:
                if str(error):
                    allowed = f"a name of the list, {self.others}"
                    return f"{name} must be {allowed}, got {shown(value)}: {error}"
        return f"{name} must be {self.allowed}, got {shown(value)}"

    def _read(self, text: str) -> str | None:
        """The value that a text means which is none of the choices; None if it means none."""
        try:
            return None if self.reader is None else self.reader(text)
        except ValueError:
            return None

    def parse(self, text: str, **names: float) -> int | float | str | None:
        """The value of a text; None if a number is due and not found.

        A whole number is rounded. A real number may be a formula (`formula.value_of`). The name of
        a choice may be that of another library, or spelled in another way.

        Args:
            text: of any kind.
            **names: what names in a formula stand for, such as n for the width.
        """
        if self.kind == "choice":
            found = text if text in self.choices else self._known_as.get(_plain_name(text), text)
            return found if found in self.choices else self._read(found) or found
        if not _NUMBER.fullmatch(text):
            return value_of(text, names) if self.kind == "real" else None
        if self.kind == "real":
            return float(text)
        return int(Decimal(text).to_integral_value(ROUND_HALF_UP))

    @property
    def _known_as(self) -> Mapping[str, str]:
        """Every name of a choice, in lower case and without - and _ -> the choice."""
        return {**self.aliases, **{_plain_name(name): name for name in self.choices}}

    def notes(self, name: str, text: str) -> list[str]:
        """A sentence if ``parse`` takes ``text`` for a name or a number that it may not have meant.

        Args:
            name: of the field.
            text: an accepted text.
        """
        if self.kind == "real" and _THOUSANDS.fullmatch(text):
            return [Note(f"{name} {shown(text)} is read as {text.replace(',', '.')}")]
        here = self.parse(text) if self.kind == "choice" else text
        same = here == text or here == "".join(text.split())  # a formula is kept without spaces
        remark = self.remarks.get(_plain_name(text))
        besides = f"; {remark}" if remark else ""
        return [] if same else [Note(f"{name} {shown(text)} is called {here} here{besides}")]

    def rounds(self, text: str) -> bool:
        """Whether ``parse`` rounds the number ``text``: a fraction where a whole number is due."""
        return self.kind == "integer" and Decimal(text) != self.parse(text)


def geometric(low: int, high: int, per_octave: int) -> tuple[int, ...]:
    """Whole numbers from low to high, about ``per_octave`` per doubling, low·2^k among them."""
    steps = range(int(math.log2(high / low) * per_octave) + 1)
    found = set()
    for step in steps:
        octave, part = divmod(step, per_octave)
        found.add(round(low * 2**octave * (1 + part / per_octave)))
    return tuple(sorted(found))


def logarithmic(low: float, high: float, per_decade: int) -> tuple[float, ...]:
    """Numbers from low to high, ``per_decade`` per factor 10, to three significant digits."""
    first, last = round(math.log10(low) * per_decade), round(math.log10(high) * per_decade)
    return tuple(float(f"{10 ** (k / per_decade):.3g}") for k in range(first, last + 1))
