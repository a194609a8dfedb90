"""What tells experiments apart, in a word or two."""

from __future__ import annotations

from collections.abc import Iterable

from ..text import significant
from .experiment import PARAMETERS, SCALE_STOPS, Experiment


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
