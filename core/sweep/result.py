"""SweepResult: a grid of cells with their numbers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array
from ..question.experiment import Experiment
from .axes import Axis, placed
from .groups import ENGINES, Question
from .measure import Measure

NAMES = ("", *ENGINES)
"""The meaning of the numbers in ``engines``: 0 for none yet, then each of ENGINES."""


@dataclass(frozen=True)
class SweepResult:
    """The numbers of a sweep, as far as it is done.

    Attributes:
        base: the Experiment; an axis takes the place of one of its fields.
        axes: one or two; the values of the first are the columns of a map.
        question: the measure, its layer, the number of networks.
        values: float64 of shape (networks, *grid), the grid being (first axis, second axis). In a
            cell that is done, NaN of a measure of iterations means never.
        engines: uint8 of shape (*grid): which of NAMES computed the cell; 0 if it is not done.
        errors: place in the grid -> why the cell has no number.
        stopped: whether it was stopped before its end.
        stuck: bool of the shape of ``values``: the networks that are stuck, at the measured layer,
            at the largest value of a format that saturates. None in the constructor: no network.
    """

    base: Experiment
    axes: tuple[Axis, ...]
    question: Question
    values: Array
    engines: NDArray[np.uint8]
    errors: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    stopped: bool = False
    stuck: NDArray[np.bool_] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.stuck is None:
            object.__setattr__(self, "stuck", np.zeros(self.values.shape, dtype=np.bool_))

    @classmethod
    def blank(cls, base: Experiment, axes: tuple[Axis, ...], question: Question) -> SweepResult:
        """The result before any cell is done."""
        shape = tuple(len(axis.values) for axis in axes)
        values = np.full((question.networks, *shape), np.nan)
        return cls(base, axes, question, values, np.zeros(shape, dtype=np.uint8), stopped=True)

    @property
    def measure(self) -> Measure:
        """The measure."""
        return self.question.entry

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the grid."""
        return self.engines.shape

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which cells have a number, shape (*grid)."""
        return self.engines > 0

    @property
    def fraction_done(self) -> float:
        """The part of the grid that is answered, by a number or by an error."""
        return float((self.done.sum() + len(self.errors)) / self.done.size)

    @property
    def engine_names(self) -> tuple[str, ...]:
        """The engines that computed numbers, the commonest first."""
        counts = np.bincount(self.engines.ravel(), minlength=len(NAMES))
        used = [place for place in np.argsort(-counts, kind="stable") if place and counts[place]]
        return tuple(NAMES[place] for place in used)

    @property
    def median(self) -> Array:
        """The median over the networks of each cell, shape (*grid).

        In a measure of an event, never counts as later than every other place: NaN means that the
        event never happens in most of the networks. Going back, a higher layer is earlier. NaN also
        stands in cells without a number.
        """
        values = self.values
        if self.measure.is_event:
            # An iteration has no mean with never: of two middle networks the earlier one counts.
            sign = -1.0 if self.measure.kind == "layer" else 1.0
            ordered = np.sort(np.where(np.isnan(values), np.inf, sign * values), axis=0)
            middle = ordered[(len(values) - 1) // 2]
            return np.where(np.isinf(middle) | ~self.done, np.nan, sign * middle)
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # of cells without a number
            return np.asarray(np.nanmedian(values, axis=0))

    @property
    def stuck_cells(self) -> NDArray[np.bool_]:
        """The cells in which more than half of the networks are stuck, shape (*grid)."""
        return np.asarray(self.stuck.mean(axis=0) > 0.5)

    def share(self, place: tuple[int, ...]) -> float:
        """The share of a cell's networks in which the event happened; NaN if it is not done."""
        if not self.done[place]:
            return float("nan")
        flat = np.ravel_multi_index(place, self.shape)
        return float(np.mean(~np.isnan(self.values.reshape(len(self.values), -1)[:, flat])))

    def experiment(self, place: tuple[int, ...]) -> Experiment:
        """The experiment of a cell.

        Raises:
            ValueError: there is none, such as for a σ_w that no scale factor gives.
        """
        return placed(self.base, self.at(place))

    def at(self, place: tuple[int, ...]) -> dict[str, Any]:
        """Axis -> its value in a cell."""
        return {axis.name: axis.values[at] for axis, at in zip(self.axes, place, strict=True)}
