"""Families of registry entries that differ in one number: ``leaky_relu(0.2)``, ``sparse(0.5)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from ..text import format_number
from .refused import RefusedError

Entry = TypeVar("Entry", bound=Any)  # a dataclass with a name and a label

_WITH_NUMBER = re.compile(
    r"(?P<name>[A-Za-z][\w .-]{0,40}?)\s*\(\s*((?P<number>[a-z_0]{1,20})\s*=\s*)?"
    r"(?P<value>[-+]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][-+]?\d{1,3})?)\s*\)",
    re.ASCII,
)
_PASSED_OVER = re.compile(r"[-_\s]")


@dataclass(frozen=True)
class Family(Generic[Entry]):
    """Entries of a registry that differ in one number.

    Attributes:
        plain: the registry's own entry; its name stands before the bracket.
        number: what the number is called, in torch if it has one there.
        usual: the number of the plain entry.
        minimum, maximum: the bounds of the number, both allowed.
        make: from the number to the entry, whose name and label `member` sets.
        is_written: whether links write the number with its name.
        meaning: what the number is, for the message on another name; may be empty.
    """

    plain: Entry
    number: str
    usual: float
    minimum: float
    maximum: float
    make: Callable[[float], Entry]
    is_written: bool = False
    meaning: str = ""

    @property
    def name(self) -> str:
        """The registry key of the member with the usual number."""
        return str(self.plain.name)

    def member(self, value: float) -> Entry:
        """The entry with this number; the registry's own where it is the usual one.

        Raises:
            RefusedError: the number is out of bounds.
        """
        if not self.minimum <= value <= self.maximum:
            bounds = f"from {self.minimum:g} to {self.maximum:g}"
            raise RefusedError(f"{self.number} of {self.name} must be {bounds}, got {value:g}")
        if value == self.usual:
            return self.plain
        text = f"({self.number + '=' if self.is_written else ''}{format_number(value)})"
        name, label = self.name + text, self.plain.label.split(" (")[0] + text
        return replace(self.make(value), name=name, label=label)


def member_of(
    text: str, families: Mapping[str, Family[Entry]], aliases: Mapping[str, str]
) -> Entry | None:
    """The member of a family that a name with a number means; None for a text of another form.

    Args:
        text: such as ``leaky_relu(0.2)`` or ``nn.LeakyReLU(negative_slope=0.2)``.
        families: registry key -> family.
        aliases: names in other libraries, in lower case and without - and _ -> registry key.

    Raises:
        RefusedError: no family has this name, or its number another name or other bounds.
    """
    given = _WITH_NUMBER.fullmatch(text.strip().replace("−", "-"))
    if given is None:
        return None
    known = {_PASSED_OVER.sub("", name): family for name, family in families.items()}
    known |= {alias: families[key] for alias, key in aliases.items() if key in families}
    plain = _PASSED_OVER.sub("", given["name"]).casefold().removeprefix("nn.")
    family = known.get(plain)
    if family is None:
        names = ", ".join(families)
        raise RefusedError(f"{given['name']} has no number in brackets; {names} have one")
    if given["number"] not in (None, family.number):
        meaning = f", {family.meaning}" if family.meaning else ""
        raise RefusedError(f"the number of {family.name} is called {family.number}{meaning}")
    return family.member(float(given["value"]))
