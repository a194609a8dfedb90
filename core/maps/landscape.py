"""Landscape: a map as a link asks for it, from text and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..question.experiment import PARAMETERS, Experiment
from ..question.parameter import Note
from ..sweep.axes import Axis, Value, notes, parse, placed
from ..sweep.groups import Question
from ..sweep.measures import measure_of
from ..sweep.result import SweepResult
from ..sweep.run import sweep
from ..text import shown, split_list

MOST_A_SIDE = 96
"""Values of one axis that a link may ask for."""
MOST_NETWORKS = 64
"""Networks per cell that a link may ask for."""
PARTS = ("x", "y", "measure", "networks", "real")
"""The parameters of a link that describe a map, beside the fields of its Experiment."""

_COUNT = re.compile(r":\s*(\d+)\s*$", re.ASCII)
_WHOLE = re.compile(r"\d{1,6}", re.ASCII)
_SWITCH = {"true": True, "false": False}
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Landscape:
    """A map, as all that its numbers depend on.

    Attributes:
        base: the Experiment; the axes take the place of two of its fields.
        x: its values are the columns.
        y: its values are the rows.
        measure: a measure's name, such as ``first_nonfinite`` or ``log2_std@10``.
        networks: networks per cell.
        real: whether real matrices are multiplied even where a faster way is known.
    """

    base: Experiment
    x: Axis
    y: Axis
    measure: str
    networks: int = 1
    real: bool = False

    def __post_init__(self) -> None:
        if _alike(self.x, self.y):
            raise ValueError(
                f"y must be another thing than x ({self.x.name}), got {shown(self.y.name)}"
            )
        _, layer = measure_of(self.measure)
        if layer is not None and layer > self._shallowest:
            raise ValueError(
                f"measure must be of a layer up to {self._shallowest}, got {shown(self.measure)}"
            )

    @property
    def _shallowest(self) -> int:
        depths = self.axes.get("depth", (self.base.depth,))
        return min(int(depth) for depth in depths)

    @property
    def axes(self) -> dict[str, tuple[Value, ...]]:
        """Field -> its values, as ``sweep`` takes them."""
        return {self.x.name: self.x.values, self.y.name: self.y.values}

    @property
    def varied(self) -> frozenset[str]:
        """The fields of an Experiment that the axes set; sigma_w sets the scale factor."""
        return frozenset("scale" if name == "sigma_w" else name for name in self.axes)

    @property
    def question(self) -> Question:
        """The question that every cell answers."""
        name, layer = measure_of(self.measure)
        return Question(name, layer, self.networks, self.real)

    def replace(self, **changes: Any) -> Landscape:
        """A copy with some attributes changed.

        If the measure is of a layer that is then too deep, the last layer is measured.

        Raises:
            ValueError: the constructor refuses the new attributes.
        """
        try:
            return replace(self, **changes)
        except ValueError:
            if "measure" in changes:
                raise
            return replace(self, measure=measure_of(self.measure)[0], **changes)

    @property
    def cells_a_side(self) -> int:
        """The values of the longer axis of numbers; 0 if both axes are choices."""
        numbers = [axis for axis in (self.x, self.y) if not axis.is_choice]
        return max((len(axis.values) for axis in numbers), default=0)

    def with_cells(self, count: int) -> Landscape:
        """The same map with so many values, between the same ends, on each axis of numbers."""
        return self.replace(x=self.x.with_count(count), y=self.y.with_count(count))

    def experiment(self, column: int, row: int) -> Experiment:
        """The experiment of a cell; ValueError if there is none."""
        x, y = self.x, self.y
        return placed(self.base, {x.name: x.values[column], y.name: y.values[row]})

    def to_query(self) -> dict[str, str]:
        """The map without its Experiment as text; ``from_query`` reads it back exactly."""
        return {
            "x": self.x.to_text(),
            "y": self.y.to_text(),
            "measure": self.measure,
            "networks": str(self.networks),
            "real": "true" if self.real else "false",
        }

    @classmethod
    def from_query(
        cls, query: Mapping[str, str], default: Landscape
    ) -> tuple[Landscape, list[str]]:
        """The map that a link asks for, and the parts that were not accepted.

        Args:
            query: parameter -> text, of any kind. Parameters of neither a map nor an Experiment
                are passed over.
            default: stands in for parts that the link lacks or that are not accepted, and for the
                Experiment if the link has none of its fields.

        Returns:
            A Landscape, and one sentence for each part that was not accepted, naming it, its
            value, the allowed values and the one that is used.
        """
        base, problems = default.base, list[str]()
        fields = {name: text for name, text in query.items() if name in PARAMETERS}
        if fields:
            base, problems = Experiment.from_query(fields)

        def read(name: str, reader: Callable[[str], _Read], fallback: _Read, used: str) -> _Read:
            if name not in query:
                return fallback
            try:
                return reader(str(query[name]).strip())
            except ValueError as error:
                problems.append(f"{error}: {used} is used")
                return fallback

        x = read("x", lambda text: _axis("x", text, problems), default.x, _brief(default.x))
        other = default.x if _alike(x, default.y) else default.y
        y = read("y", lambda text: _axis("y", text, problems, x), other, _brief(other))
        made = default.replace(base=base, x=x, y=y)
        networks = read("networks", _networks, made.networks, str(made.networks))
        real = read("real", _switch, made.real, str(made.real).lower())
        made = made.replace(networks=networks, real=real)
        return read(
            "measure", lambda text: made.replace(measure=text), made, made.measure
        ), problems

    def blank(self) -> SweepResult:
        """The result before any cell is done."""
        return SweepResult.blank(self.base, (self.x, self.y), self.question)

    def sweep(self, **hooks: Any) -> SweepResult:
        """The sweep of the map; ``hooks`` are those of ``core.sweep.sweep``."""
        return sweep(
            self.base,
            self.axes,
            self.measure,
            ensemble_size=self.networks,
            real=self.real,
            **hooks,
        )


def _alike(one: Axis, other: Axis) -> bool:
    """Whether two axes set the same field: σ_w sets the scale factor."""
    return one.name == other.name or {one.name, other.name} == {"scale", "sigma_w"}


def _brief(axis: Axis) -> str:
    return shown(axis.to_text()).strip("'")


def _axis(part: str, text: str, told: list[str], x: Axis | None = None) -> Axis:
    """The axis in a part of a link, x or y; ValueError names the part. Notes go to ``told``."""
    count = _COUNT.search(text)
    values = int(count[1][:9]) if count else len(split_list(text))
    if values > MOST_A_SIDE:
        raise ValueError(f"{part} must have at most {MOST_A_SIDE} values, got {shown(text)}")
    try:
        axis = parse(text)
    except ValueError as error:
        raise ValueError(f"{part}: {error}") from None
    if x is not None and _alike(x, axis):
        raise ValueError(f"{part} must be another thing than x ({x.name}), got {shown(text)}")
    told += [Note(f"{part}: {note}") for note in notes(text)]
    return axis


def _networks(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= MOST_NETWORKS:
        raise ValueError(
            f"networks must be a whole number from 1 to {MOST_NETWORKS}, got {shown(text)}"
        )
    return int(text)


def _switch(text: str) -> bool:
    if text not in _SWITCH:
        raise ValueError(f"real must be true or false, got {shown(text)}")
    return _SWITCH[text]
