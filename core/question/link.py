"""One experiment as a short text: ``scale:0.01,activation:relu``."""

from __future__ import annotations

from ..text import shown, split_list
from .experiment import DEFAULTS, PARAMETERS, Experiment

_FIELD = next(iter(PARAMETERS))  # the one field that is written when all have their defaults

_LONGEST = 800  # every field spelled out takes some 400 characters
_FORM = "field:value,field:value,…"


def to_text(experiment: Experiment) -> str:
    """An experiment as ``field:value,field:value``, without fields that have their defaults."""
    named = experiment.to_query()
    changed = [name for name in PARAMETERS if getattr(experiment, name) != DEFAULTS[name]]
    return ",".join(f"{name}:{named[name]}" for name in changed or [_FIELD])


def from_text(text: str, *, what: str = "a pin") -> tuple[Experiment | None, list[str]]:
    """The experiment that a text describes, and the problems with the text.

    Args:
        text: ``field:value,field:value``. Any text is read without an error.
        what: what the viewer knows the text as; the problems name it.

    Returns:
        The experiment, or None if the text names no field; and one sentence for each part that was
        not accepted.
    """
    if len(text) > _LONGEST:
        length = f"at most {_LONGEST} characters, got {len(text)}"
        return None, [f"{what} must have {length}, {shown(text)}: it is left out"]
    values: dict[str, str] = {}
    problems = []
    for part in split_list(text):
        name, colon, value = (piece.strip() for piece in part.partition(":"))
        if not colon:
            problems.append(f"every part must be field:value, got {shown(part)}: it is passed over")
        elif name in values:
            used = shown(values[name])
            problems.append(f"{shown(name)} is given twice, got {shown(value)}: {used} is used")
        else:
            values[name] = value
    if not values.keys() & PARAMETERS.keys():
        fields = ", ".join(PARAMETERS)
        return None, [f"{what} must be {_FORM} of {fields}, got {shown(text)}: it is left out"]
    experiment, refused = Experiment.from_query(values)
    return experiment, problems + refused
