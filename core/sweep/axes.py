"""Axes: a field of an Experiment and its values, from text and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ..question.experiment import PARAMETERS, Experiment
from ..question.parameter import Parameter
from ..text import shown, split_list, written

Value = int | float | str

MOST_CELLS = 1_000_000
"""Cells that one sweep may have."""

SIGMA_W = Parameter(
    label="σ_w",
    help="By how much one product stretches a typical vector: weight std · √n. It sets the scale "
    "factor, whatever the initialiser.",
    symbol="σ_w",
    kind="real",
    minimum=0.0,
    maximum=1e6,
)

AXES: dict[str, Parameter] = {
    "scale": PARAMETERS["scale"],
    "sigma_w": SIGMA_W,
    **{name: each for name, each in PARAMETERS.items() if name != "scale"},
}
"""Name of an axis -> its description: every field of an Experiment, and σ_w."""

_RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+?):(?P<count>\d{1,7})")
_EVEN = ("depth", "bias_std", "seed", "sigma_w")  # spaced by equal steps; others by factors
_FORM = "name=from..to:count or name=value,value,…"


@dataclass(frozen=True)
class Axis:
    """One field and its values, in the order in which a map has them.

    Attributes:
        name: a key of AXES.
        values: at least one; of the field's own type.
    """

    name: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        parameter = parameter_of(self.name)
        if not self.values:
            raise ValueError(f"{self.name} must have at least one value, got none")
        for value in self.values:
            if not parameter.accepts(value):
                raise ValueError(parameter.refusal(self.name, value))
        object.__setattr__(self, "values", tuple(parameter.convert(each) for each in self.values))

    @property
    def parameter(self) -> Parameter:
        """The field's own description."""
        return AXES[self.name]

    @property
    def is_choice(self) -> bool:
        """Whether the values are names."""
        return self.parameter.kind == "choice"

    @property
    def is_logarithmic(self) -> bool:
        """Whether the values are nearer to equal factors than to equal steps."""
        if self.is_choice or len(self.values) < 3:
            return False
        numbers = np.array(self.values, dtype=np.float64)
        if (numbers <= 0).any() or (np.diff(numbers) <= 0).any():
            return False
        steps, factors = np.diff(numbers), np.diff(np.log(numbers))
        return bool(np.std(factors) / np.mean(factors) < np.std(steps) / np.mean(steps))

    def nearest(self, value: Value) -> int:
        """The place of the value nearest to this one; of a choice, its place, or the middle."""
        if self.is_choice:
            return self.values.index(value) if value in self.values else len(self.values) // 2
        apart = [abs(float(each) - float(value)) for each in self.values]
        return apart.index(min(apart))

    def with_count(self, count: int) -> Axis:
        """So many values between the same ends; an axis of names stays as it is."""
        if self.is_choice:
            return self
        low, high = (cast(float, self.values[end]) for end in (0, -1))
        return spaced(self.name, low, high, count)

    def to_text(self) -> str:
        """The axis as ``parse`` reads it back, exactly."""
        low, high, count = self.values[0], self.values[-1], len(self.values)
        if not self.is_choice and count > 2:
            brief = f"{self.name}={written(low)}..{written(high)}:{count}"
            try:
                same = parse(brief) == self
            except ValueError:
                same = False
            if same:
                return brief
        return f"{self.name}={','.join(map(written, self.values))}"


def parameter_of(name: object) -> Parameter:
    """The description of an axis's field; ValueError lists the axes."""
    if not isinstance(name, str) or name not in AXES:
        raise ValueError(f"there is no axis {shown(name)}; there are {', '.join(AXES)}")
    return AXES[name]


def spaced(name: str, low: float, high: float, count: int) -> Axis:
    """An axis from low to high: equal steps for depth, σ_b, seed and σ_w, else equal factors.

    Values of an integer field are rounded, and each appears once. An axis that begins at 0 has
    equal steps for every field.

    Raises:
        ValueError: an end is not allowed, count is not from 1 to MOST_CELLS, or the field is a
            choice, which has no range.
    """
    parameter = parameter_of(name)
    if parameter.kind == "choice":
        raise ValueError(f"{name} has no range: it must be {parameter.allowed}")
    if not 1 <= count <= MOST_CELLS:
        raise ValueError(f"count must be a whole number from 1 to {MOST_CELLS}, got {count}")
    for end in (low, high):
        is_finite = isinstance(end, int) or math.isfinite(end)
        if not (is_finite and parameter.accepts(parameter.convert(end))):
            raise ValueError(f"{name} must be {parameter.allowed}, got {shown(end)}")
    even = name in _EVEN or low <= 0
    if isinstance(low, int) and isinstance(high, int) and even and not _are_floats(low, high):
        return Axis(name, tuple(dict.fromkeys(_whole_steps(low, high, count))))
    low, high = float(low), float(high)
    with np.errstate(all="ignore"):
        numbers = np.linspace(low, high, count) if even else np.geomspace(low, high, count)
    if parameter.kind == "integer":
        return Axis(name, tuple(dict.fromkeys(int(each) for each in np.rint(numbers))))
    inner = [float(f"{each:.4g}") for each in numbers[1:-1]]
    return Axis(name, tuple(dict.fromkeys([low, *inner, high][:count])))


def _are_floats(*ends: int) -> bool:
    """Whether a float holds each of these whole numbers; beyond 2**53 it holds few."""
    return all(int(float(end)) == end for end in ends)


def _whole_steps(low: int, high: int, count: int) -> list[int]:
    """Whole numbers from low to high in steps as equal as they can be, without a float."""
    steps = max(1, count - 1)
    return [low + (2 * place * (high - low) + steps) // (2 * steps) for place in range(count)]


def parse(text: str) -> Axis:
    """The axis that a text describes: ``scale=1e-2..1e1:48``, ``activation=tanh,relu``.

    Raises:
        ValueError: the text has another form, or a value is not allowed.
    """
    name, equals, rest = (part.strip() for part in text.partition("="))
    if not equals or not rest:
        raise ValueError(f"an axis must be {_FORM}, got {shown(text)}")
    parameter = parameter_of(name)
    found = _RANGE.fullmatch(rest)
    if found:
        ends = [_value(name, parameter, found[end].strip()) for end in ("low", "high")]
        low, high = (math.nan if isinstance(end, str) else end for end in ends)
        return spaced(name, low, high, int(found["count"]))
    parts = split_list(rest)
    if len(parts) > MOST_CELLS:
        raise ValueError(f"{name} must have at most {MOST_CELLS} values, got {len(parts)}")
    return Axis(name, tuple(_value(name, parameter, part.strip()) for part in parts))


def notes(text: str) -> list[str]:
    """A sentence for each value of an accepted text that is called otherwise here."""
    name, _, rest = (part.strip() for part in text.partition("="))
    parameter = parameter_of(name)
    if parameter.kind != "choice":
        return []
    return [note for part in split_list(rest) for note in parameter.notes(name, part.strip())]


def _value(name: str, parameter: Parameter, text: str) -> Value:
    value = parameter.parse(text)
    if value is None or not parameter.accepts(value) or parameter.rounds(text):
        raise ValueError(parameter.refusal(name, text))
    return value


def as_axes(axes: Mapping[str, Sequence[Value]]) -> tuple[Axis, ...]:
    """One or two axes from a mapping; ValueError for any other number, or too many cells."""
    if not 1 <= len(axes) <= 2:
        raise ValueError(f"axes must be one or two fields, got {len(axes)}")
    if {"scale", "sigma_w"} <= set(axes):
        raise ValueError("axes must be different things: sigma_w sets scale, got both")
    made = tuple(Axis(name, tuple(values)) for name, values in axes.items())
    cells = math.prod(len(axis.values) for axis in made)
    if cells > MOST_CELLS:
        raise ValueError(f"a sweep must have at most {MOST_CELLS} cells, got {cells}")
    return made


def placed(base: Experiment, values: Mapping[str, Any]) -> Experiment:
    """The experiment of a cell.

    Args:
        base: gives the fields that are not varied.
        values: axis -> its value in the cell.

    Raises:
        ValueError: the scale factor that σ_w needs is not allowed.
    """
    fields = {name: value for name, value in values.items() if name != "sigma_w"}
    e = base.replace(**fields)
    if "sigma_w" not in values:
        return e
    unit = e.replace(scale=1.0).sigma_w
    if unit == 0:
        raise ValueError(f"sigma_w cannot be set for the initialiser {e.init}: its weights are 0")
    return e.replace(scale=values["sigma_w"] / unit)
