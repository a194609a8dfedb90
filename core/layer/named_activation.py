"""The activation that a text names: a registry key, a name with a number, or a formula in x."""

from __future__ import annotations

import re
from functools import lru_cache

from .activation_families import FAMILIES
from .activations import ACTIVATIONS, ALIASES, Activation
from .families import member_of
from .refused import RefusedError
from .typed_activation import typed_activation

OPEN = "a name with a number such as leaky_relu(0.2), or a formula in x such as x*sigmoid(1.702*x)"
"""The texts besides registry keys that name an entry, in words."""

_OF_X = re.compile(r"(?P<name>\w{1,20})\(x\)", re.ASCII)


def activation_of(name: str) -> Activation:
    """The activation with this name.

    Args:
        name: a registry key; a name with a number; or a formula in x, which becomes an activation
            whose derivative, kinks and moments are worked out.

    Raises:
        RefusedError: a ValueError that says what of the name is not accepted; it has no words for a
            name alone that is unknown.
    """
    found = ACTIVATIONS.get(name) or _outcome(name)
    if isinstance(found, RefusedError):
        raise RefusedError(*found.args)
    return found


@lru_cache(maxsize=256)
def _outcome(text: str) -> Activation | RefusedError:
    """The activation, or why there is none: a refusal may take as long to find."""
    try:
        return _read(text)
    except RefusedError as error:
        return error.with_traceback(None)


def _read(text: str) -> Activation:
    text = text.strip().replace("−", "-")
    member = member_of(text, FAMILIES, ALIASES)
    if member is not None:
        return member
    whole = _OF_X.fullmatch(text)
    if whole and (name := whole["name"].casefold()) in ACTIVATIONS:
        return ACTIVATIONS[name]
    if text.isidentifier() and text != "x":
        raise RefusedError
    return typed_activation(text)
