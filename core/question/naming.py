"""Short names for the fields in which experiments differ."""

from __future__ import annotations

from collections.abc import Iterable

from ..text import significant
from .experiment import PARAMETERS, SCALE_STOPS, Experiment


def differences(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """The fields in which the experiments are not all equal, in the order of the fields."""
    every = list(experiments)
    return tuple(name for name in PARAMETERS if len({getattr(e, name) for e in every}) > 1)


def scale_name(experiment: Experiment) -> str | None:
    """The name of the lesson's scale factor that the scale is at this width, such as "1/√n".

    It is None where no such name fits, or where the slider offers the plain number.
    """
    scale, width = experiment.scale, experiment.width
    for name, value in SCALE_STOPS.items():
        if "n" in name and value(width) == scale and scale not in PARAMETERS["scale"].stops:
            return name
    return None


def described(experiment: Experiment, names: Iterable[str]) -> list[str]:
    """The named fields in a word or two each: ``relu``, ``s = 1/√n``."""
    return [_written(experiment, name) for name in names]


def _written(experiment: Experiment, name: str) -> str:
    parameter, value = PARAMETERS[name], getattr(experiment, name)
    if parameter.kind == "choice":
        return str(value)
    text = significant(value) if parameter.kind == "real" else str(value)
    if name == "scale":
        text = scale_name(experiment) or text
    return f"{parameter.symbol} = {text}"
