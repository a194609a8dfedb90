"""Short names for the fields in which experiments differ."""

from __future__ import annotations

from collections.abc import Iterable

from ..text import significant
from .experiment import NAMED_STOPS, PARAMETERS, Experiment

_SPOKEN = {"skip": "skip", "norm": "norm", "norm_place": "norm", "input": "input"}
"""Field -> the word before a value that does not say what it is of."""
_BY_NAME = ("branch_scale",)  # at a depth of 100 it is 0.1 by the name of 1/√L


def differences(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """The fields in which the experiments are not all equal, in the order of the fields."""
    every = list(experiments)
    return tuple(name for name in PARAMETERS if len({getattr(e, name) for e in every}) > 1)


def stop_name(experiment: Experiment, name: str) -> str | None:
    """The name of the stop that a field's value is at this width and depth, such as "1/√n".

    It is None where no such name fits, or where the slider offers the plain number; a branch scale
    has its name there too.

    Args:
        experiment: gives the value, the width and the depth.
        name: of the field.
    """
    value, sizes = getattr(experiment, name), (experiment.width, experiment.depth)
    for words, stop in NAMED_STOPS.get(name, {}).items():
        is_plain = value in PARAMETERS[name].stops and (name not in _BY_NAME or value == 1)
        if stop(*sizes) == value and not is_plain:
            return words
    return None


def described(experiment: Experiment, names: Iterable[str]) -> list[str]:
    """The named fields in a word or two each: ``relu``, ``s = 1/√n``."""
    return [_written(experiment, name) for name in names]


def _written(experiment: Experiment, name: str) -> str:
    parameter, value = PARAMETERS[name], getattr(experiment, name)
    if parameter.kind == "choice":
        return f"{_SPOKEN.get(name, '')} {value}".strip()
    text = significant(value) if parameter.kind == "real" else str(value)
    return f"{parameter.symbol} = {stop_name(experiment, name) or text}"
