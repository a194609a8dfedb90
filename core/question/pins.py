"""Pins: experiments that are kept beside the live one, as text in a link and with their names.

In a link each pin is one parameter, ``pin_a`` … ``pin_f``, whose value lists the fields that differ
from the defaults: ``scale:0.01,activation:relu``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..text import shown
from .experiment import Experiment
from .link import from_text, to_text
from .naming import described

Pins = dict[str, Experiment]
"""Slot -> the experiment pinned there, in the order of the slots."""

SLOTS = tuple("abcdef")
PREFIX = "pin_"


def free_slot(pins: Mapping[str, Experiment]) -> str | None:
    """The first free slot; None if all are taken."""
    return next((slot for slot in SLOTS if slot not in pins), None)


def with_pin(pins: Pins, slot: str, experiment: Experiment) -> Pins:
    """The pins and one more in ``slot``, in the order of the slots."""
    more = pins | {slot: experiment}
    return {known: more[known] for known in SLOTS if known in more}


def to_query(pins: Mapping[str, Experiment]) -> dict[str, str]:
    """The pins as parameters of a link; ``from_query`` reads them back exactly."""
    return {PREFIX + slot: to_text(experiment) for slot, experiment in pins.items()}


def from_query(query: Mapping[str, str]) -> tuple[Pins, list[str]]:
    """The pins that a link describes, and the problems with them.

    Args:
        query: parameter -> text. Any text is read without an error; other parameters are ignored.

    Returns:
        The pins, in which a value that was not accepted has its default; and one sentence for each
        such value, with the pin, the field, the value, what is allowed and what is used.
    """
    pins: Pins = {}
    problems: list[str] = []
    for name, text in query.items():
        if not name.startswith(PREFIX):
            continue
        slot = name.removeprefix(PREFIX)
        if slot not in SLOTS:
            known = ", ".join(PREFIX + slot for slot in SLOTS)
            problems.append(f"there is no pin {shown(name)}; there are {known}")
            continue
        experiment, refused = from_text(text)
        problems += [f"{name}: {problem}" for problem in refused]
        if experiment is not None:
            pins = with_pin(pins, slot, experiment)
    return pins, problems


def title(slot: str, experiment: Experiment, names: Iterable[str]) -> str:
    """The name of a pin: its letter, and the named fields in a word or two each."""
    words = ", ".join(described(experiment, names))
    return f"{slot.upper()} · {words}" if words else slot.upper()
