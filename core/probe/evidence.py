"""Evidence: all that was measured of a model, before any rule has looked at it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from .calling import InitialLoss
from .fields import Count, FormatName, Name, Some
from .recorder import Addition
from .rows import ModuleRow
from .signal import Signal


@dataclass(frozen=True)
class Trend:
    """How sizes change along the matrices of a model, or along its streams.

    Attributes:
        octaves: the slope of a line through log2 of the sizes, for each step.
        steps: from the first to the last.
        is_steady: whether the line explains most of the variance of the sizes.
    """

    octaves: float
    steps: int
    is_steady: bool

    @property
    def total(self) -> float:
        """Octaves from the first to the last, along the line."""
        return self.octaves * self.steps

    @classmethod
    def along(cls, log2_sizes: Sequence[float]) -> Trend | None:
        """The trend of at least three sizes that are finite; None where there are fewer."""
        sizes = np.array(log2_sizes, dtype=np.float64)
        places = np.flatnonzero(np.isfinite(sizes))
        if len(places) < 3:
            return None
        slope, at_0 = np.polyfit(places, sizes[places], 1)
        rest = sizes[places] - (slope * places + at_0)
        spread = sizes[places].var()
        steady = bool(spread > 0 and rest.var() <= 0.5 * spread)
        return cls(float(slope), int(places[-1] - places[0]), steady)


@dataclass(frozen=True)
class Evidence:
    """What was measured of a model.

    Attributes:
        model: the class of the model.
        rows: of its modules' calls, in the order of execution.
        additions: of branches to streams.
        loss: before the first step; None where there was no target.
        number_format: the registry key of the format in which the sizes are judged.
        seeds: how many times the model was run.
        inputs: the shapes of its inputs.
        goes_back: whether there was a gradient.
        missed: calls beyond those that are recorded.
    """

    model: Name
    rows: tuple[ModuleRow, ...]
    additions: tuple[Addition, ...]
    loss: InitialLoss | None
    number_format: FormatName
    seeds: Some
    inputs: tuple[tuple[Count, ...], ...]
    goes_back: bool
    missed: Count

    @property
    def format(self) -> NumberFormat:
        """The number format in which the sizes are judged."""
        return NUMBER_FORMATS[self.number_format]

    @cached_property
    def matrices(self) -> tuple[ModuleRow, ...]:
        """The rows of matrices, in the order of execution; of what has matrices inside too."""
        return tuple(row for row in self.rows if row.role in ("matrix", "attention", "recurrent"))

    @cached_property
    def forward(self) -> Trend | None:
        """How the outputs of matrices change from the first to the last."""
        return Trend.along([row.output.log2_rms for row in self.matrices])

    @cached_property
    def backward(self) -> Trend | None:
        """How the norms of the gradients of these outputs change from the last to the first.

        A norm, not the size of an element: a mean over an image divides each pixel's gradient by
        their number, and that is no vanishing.
        """
        return Trend.along([gradient_norm(row) for row in reversed(self.matrices)])

    @cached_property
    def late_stream(self) -> Trend | None:
        """How the streams change over the last half of the additions."""
        sizes = [each.log2_sum for each in self.additions]
        return Trend.along(sizes[len(sizes) // 2 :])

    @cached_property
    def gradients(self) -> tuple[tuple[str, Signal], ...]:
        """Names and sizes of the gradients of outputs and weights, in the order of going back."""
        found: list[tuple[str, Signal | None]] = []
        for row in reversed(self.rows):
            found += [(row.name, row.gradient)]
            found += [(f"{row.name}.{each.name}", each.gradient) for each in row.weights]
        return tuple((name, each) for name, each in found if each is not None)

    def loss_scales(self, most_lost: float) -> tuple[int, int] | None:
        """The powers of 2 that the loss may be multiplied by, as exponents; None if there is none.

        No gradient overflows then, and of each at most a share rounds to zero.

        Args:
            most_lost: that share.
        """
        sizes = [each for _, each in self.gradients if np.isfinite(each.log2_max_abs)]
        if not sizes or len(sizes) < sum(each.log2_max_abs > -np.inf for _, each in self.gradients):
            return None
        end, least = self.format.log2_overflows_from, self.format.log2_rounds_to_zero_below
        most = int(np.ceil(end - max(each.log2_max_abs for each in sizes))) - 1
        at_least = max(int(np.ceil(each.needs(least, most_lost))) for each in sizes)
        return (at_least, most) if at_least <= most else None


def gradient_size(row: ModuleRow) -> float:
    """log2 of the rms of a row's gradient; NaN where there is none."""
    return row.gradient.log2_rms if row.gradient is not None else float("nan")


def gradient_norm(row: ModuleRow) -> float:
    """log2 of the norm of a row's gradient for one input; NaN where there is none."""
    return gradient_size(row) + 0.5 * math.log2(max(1, math.prod(row.shape[1:])))


def known_gradients(rows: Sequence[ModuleRow]) -> list[tuple[ModuleRow, float]]:
    """The rows with a gradient of finite norm, and log2 of that."""
    sizes = [(row, gradient_norm(row)) for row in rows]
    return [(row, size) for row, size in sizes if math.isfinite(size)]
