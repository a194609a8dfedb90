"""SweepResult: a grid of cells and what each came to."""

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
from .chunks import COARSEST
from .groups import ENGINES, Question
from .measures import Measure

NAMES = ("", *ENGINES)
"""What ``engines`` counts: nothing yet, then each of ENGINES."""


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found, or has found so far.

    Attributes:
        base: the Experiment; an axis takes the place of one of its fields.
        axes: one or two; the first one's values are the columns of a picture.
        question: the measure, the layer, how many networks.
        values: float64 of shape (networks, *grid), the grid being (first axis, second axis);
            NaN in a measure of iterations means never, and in a cell that is not done, nothing.
        engines: uint8 of shape (*grid): which of NAMES gave the cell its numbers; 0 is none yet.
        errors: place in the grid -> why the cell has no number.
        stopped: whether it was stopped before its end.
    """

    base: Experiment
    axes: tuple[Axis, ...]
    question: Question
    values: Array
    engines: NDArray[np.uint8]
    errors: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def measure(self) -> Measure:
        """What was measured."""
        return self.question.entry

    @property
    def shape(self) -> tuple[int, ...]:
        """The grid's."""
        return self.engines.shape

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which cells have a number, shape (*grid)."""
        return self.engines > 0

    @property
    def fraction_done(self) -> float:
        """How much of the grid is answered, cells with an error among them."""
        return float((self.done.sum() + len(self.errors)) / self.done.size)

    @property
    def engine_names(self) -> tuple[str, ...]:
        """The engines that gave numbers, the commonest first."""
        counts = np.bincount(self.engines.ravel(), minlength=len(NAMES))
        used = [place for place in np.argsort(-counts, kind="stable") if place and counts[place]]
        return tuple(NAMES[place] for place in used)

    @property
    def median(self) -> Array:
        """Over the networks of each cell, shape (*grid).

        A network in which an iteration never comes counts as later than all others: NaN is where
        most of them never come to it, and where there is no number.
        """
        values = self.values
        if self.measure.kind == "iteration":
            # An event is there or not: of two middle networks the earlier one counts.
            ordered = np.sort(np.where(np.isnan(values), np.inf, values), axis=0)
            middle = ordered[(len(values) - 1) // 2]
            return np.where(np.isinf(middle) | ~self.done, np.nan, middle)
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # of cells without a number
            return np.asarray(np.nanmedian(values, axis=0))

    def share(self, place: tuple[int, ...]) -> float:
        """The share of a cell's networks in which the event came; NaN if it is not done."""
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

    def filled(self) -> Array:
        """``median`` with cells that are not done yet as their coarser neighbours: a first look."""
        picture, known = self.median, self.done | self._refused()
        step = 1
        while step < COARSEST and not known.all():
            step *= 2
            coarse = tuple(np.arange(size) // step * step for size in self.shape)
            at = np.ix_(*coarse)
            use = ~known & known[at]
            picture = np.where(use, picture[at], picture)
            known = known | use
        return picture

    def _refused(self) -> NDArray[np.bool_]:
        refused = np.zeros(self.shape, dtype=bool)
        for place in self.errors:
            refused[place] = True
        return refused
