"""Pins: experiments that are kept beside the live one, their way into a link and back, their names.

In a link each pin is one parameter, ``pin_a`` … ``pin_f``, whose value lists the fields that differ
from the defaults: ``scale:0.01,activation:relu``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.diagnosis import breaks_as, last_sound_size
from core.experiment import DEFAULTS, PARAMETERS, SCALE_STOPS, Experiment
from core.parameter import shown
from core.propagate import Run
from core.verdict import significant

Pins = dict[str, Experiment]
"""Slot -> what is kept there, in the order of the slots."""

SLOTS = tuple("abcdef")
PREFIX = "pin_"
_FIELD = next(iter(PARAMETERS))  # stands in the link where nothing differs from the defaults
_LONGEST = 400  # every field spelled out takes some 250 characters
_FORM = "field:value,field:value,…"


def free_slot(pins: Mapping[str, Experiment]) -> str | None:
    """The first slot that is not taken; None if all are."""
    return next((slot for slot in SLOTS if slot not in pins), None)


def with_pin(pins: Pins, slot: str, experiment: Experiment) -> Pins:
    """The pins with one more, in the order of the slots."""
    more = pins | {slot: experiment}
    return {known: more[known] for known in SLOTS if known in more}


def to_query(pins: Mapping[str, Experiment]) -> dict[str, str]:
    """The pins as parameters of a link; ``from_query`` reads them back exactly."""
    return {PREFIX + slot: to_text(experiment) for slot, experiment in pins.items()}


def to_text(experiment: Experiment) -> str:
    """An experiment as ``field:value,field:value``; what is as usual is left out."""
    named = experiment.to_query()
    told = [name for name in PARAMETERS if getattr(experiment, name) != DEFAULTS[name]]
    return ",".join(f"{name}:{named[name]}" for name in told or [_FIELD])


def from_query(query: Mapping[str, str]) -> tuple[Pins, list[str]]:
    """The pins that a link asks for, and what in them was not accepted.

    Args:
        query: parameter -> text. Anything may stand in it; what is no pin is passed over.

    Returns:
        The pins, in which what was not accepted has its default, and one sentence for each such
        part, naming the pin, the field, the value, what is allowed and what is used.
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


def from_text(text: str) -> tuple[Experiment | None, list[str]]:
    """What one pin says, and what in it was not accepted; None if it says nothing at all."""
    if len(text) > _LONGEST:
        length = f"at most {_LONGEST} characters, got {len(text)}"
        return None, [f"a pin must have {length}, {shown(text)}: it is left out"]
    values: dict[str, str] = {}
    problems = []
    for part in text.split(","):
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
        return None, [f"a pin must be {_FORM} of {fields}, got {shown(text)}: it is left out"]
    experiment, refused = Experiment.from_query(values)
    return experiment, problems + refused


def differences(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """The names of the fields in which they are not all equal."""
    every = list(experiments)
    return tuple(name for name in PARAMETERS if len({getattr(e, name) for e in every}) > 1)


def scale_name(experiment: Experiment) -> str | None:
    """The name of the lesson's stop that the scale is at this width, if its name says more."""
    scale, width = experiment.scale, experiment.width
    for name, value in SCALE_STOPS.items():
        if "n" in name and value(width) == scale and scale not in PARAMETERS["scale"].stops:
            return name
    return None


def described(experiment: Experiment, names: Iterable[str]) -> list[str]:
    """Some of its fields, each in a word or two: ``relu``, ``s = 1/√n``."""
    return [_said(experiment, name) for name in names]


def _said(experiment: Experiment, name: str) -> str:
    parameter, value = PARAMETERS[name], getattr(experiment, name)
    if parameter.kind == "choice":
        return str(value)
    text = significant(value) if parameter.kind == "real" else str(value)
    if name == "scale":
        text = scale_name(experiment) or text
    return f"{parameter.symbol} = {text}"


def title(slot: str, experiment: Experiment, names: Iterable[str]) -> str:
    """What a pin is called: its letter, and what sets it apart."""
    words = ", ".join(described(experiment, names))
    return f"{slot.upper()} · {words}" if words else slot.upper()


def outcome(run: Run) -> str:
    """What became of the signal, in the fewest words: the event, or else the last size."""
    events = run.events
    if events.first_nonfinite is not None:
        return f"{breaks_as(run)} at i = {events.first_nonfinite}"
    if events.all_zero is not None:
        return f"all zero at i = {events.all_zero}"
    _, size = last_sound_size(run)
    return f"last {'|x|' if run.experiment.is_single_number else 'std'} {significant(size)}"
