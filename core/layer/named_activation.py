"""The activation that a text names: a registry key, a name with a number, or a formula in x."""

from __future__ import annotations

import re
from functools import lru_cache

from .activation_families import FAMILIES
from .activations import ACTIVATIONS, ALIASES, Activation
from .expression import RefusedError
from .typed_activation import typed_activation

OPEN = "a name with a number such as leaky_relu(0.2), or a formula in x such as x*sigmoid(1.702*x)"
"""What a text may be that is no registry key."""

_WITH_NUMBER = re.compile(
    r"(?P<name>[A-Za-z][\w .-]{0,40}?)\s*\(\s*((?P<number>[a-z_0]{1,20})\s*=\s*)?"
    r"(?P<value>[-+]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][-+]?\d{1,3})?)\s*\)",
    re.ASCII,
)
_OF_X = re.compile(r"(?P<name>[a-z_0-9]{1,20})\(x\)", re.ASCII)
_PASSED_OVER = re.compile(r"[-_\s]")
_WORD = re.compile(r"[^\W\d][\w-]*")


def activation_of(name: str) -> Activation:
    """The activation with this name.

    Args:
        name: a registry key; a name with a number; or a formula in x, which becomes an activation
            whose derivative, kinks and moments are worked out.

    Raises:
        RefusedError: a ValueError that says what of the name is not accepted; it has no words for a
            name alone that is unknown.
    """
    return ACTIVATIONS.get(name) or _read(name)


@lru_cache(maxsize=256)
def _read(text: str) -> Activation:
    text = text.strip().replace("−", "-")
    given = _WITH_NUMBER.fullmatch(text)
    if given:
        return _member(given)
    whole = _OF_X.fullmatch(text)
    if whole and whole["name"] in ACTIVATIONS:
        return ACTIVATIONS[whole["name"]]
    if _WORD.fullmatch(text) and text != "x":
        raise RefusedError
    return typed_activation(text)


def _member(given: re.Match[str]) -> Activation:
    """The member of a family that a name with a number means."""
    families = {_PASSED_OVER.sub("", name): family for name, family in FAMILIES.items()}
    families |= {alias: FAMILIES[key] for alias, key in ALIASES.items() if key in FAMILIES}
    plain = _PASSED_OVER.sub("", given["name"]).casefold().removeprefix("nn.")
    family = families.get(plain)
    if family is None:
        names = ", ".join(FAMILIES)
        raise RefusedError(f"{given['name']} has no number in brackets; {names} have one")
    if given["number"] not in (None, family.number):
        raise RefusedError(f"the number of {family.name} is called {family.number}")
    return family.member(float(given["value"]))
