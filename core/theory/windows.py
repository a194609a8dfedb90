"""The window of scale factors between which a number format carries a signal through the layers.

Infinite-width theory, and so about the typical network, with tied weights as with fresh ones: the
second moment goes q → σ_w² E[φ(√q z)²] + σ_b² from layer to layer. The largest of N normal values
is taken to be √(2 ln N) times their rms, which is a little more than it is on average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ..layer.number_formats import NUMBER_FORMATS
from ..layer.tails import log2_largest, log2_second_moment
from ..maths.arrays import LOG2, Array, log2
from ..question.experiment import Experiment

Answers: TypeAlias = NDArray[np.bool_]

_HORIZON = 1e6  # log2: what has grown or shrunk so far is gone in any format
_SMALLEST, _LARGEST = -1200.0, 1200.0  # log2 of the scale factors that are looked at
_CUTS = 64  # of a bracket, at each round; after five they are 2e-6 octaves apart
_ROUNDS = 5


@dataclass(frozen=True)
class Window:
    """The scale factors that a signal survives in a number format.

    Attributes:
        low: below it the last layer's rms is less than half the smallest subnormal, which rounds
            to zero; 0 where no scale factor is too small.
        high: above it the largest element of some layer, or the largest weight, leaves the range:
            it becomes Inf, or sticks to the largest value in a format without infinity.
    """

    low: float
    high: float

    @property
    def is_empty(self) -> bool:
        """Whether there is no such scale factor."""
        return not self.low < self.high

    def holds(self, scale: float) -> bool:
        """Whether the scale factor lies inside."""
        return not self.is_empty and self.low <= scale <= self.high


def largest_of(count: int) -> float:
    """√(2 ln N): about how many standard deviations the largest of N normal values is away."""
    return max(1.0, (2 * np.log(count)) ** 0.5) if count > 1 else 1.0


class _Signal:
    """The signal of an experiment at any scale factor, layer by layer, in log2."""

    def __init__(self, experiment: Experiment) -> None:
        e = experiment.replace(scale=1.0)
        self.depth, self.layer = e.depth, e.layer
        self.unit_std = log2(e.weight_std)
        self.sigma_b = log2(e.bias_std)
        self.reach = log2(largest_of(e.width * e.batch_size))
        self.weight_reach = log2(largest_of(e.width**2))
        self.second_moment = log2_second_moment(e.phi)
        self.largest = log2_largest(e.phi)
        self.tames = not any(e.layer.elementwise.infinite_sides)

    def follow(self, log2_scale: Array) -> tuple[Array, Array]:
        """log2 of the largest rms of h in any layer, and of the rms of the last x."""
        affine, bend = self.layer.affine, self.layer.elementwise
        moment = np.zeros_like(log2_scale)  # the input has variance 1
        if self.layer.degree == 1:  # every layer adds the same
            first = affine.log_square(moment, LOG2, log2_scale)
            each = first + bend.log_square(np.zeros(1), LOG2)
            last = first + (self.depth - 1) * each
            return np.maximum(first, last) / 2, bend.log_square(last, LOG2) / 2
        largest = np.full_like(log2_scale, -np.inf)
        for _ in range(self.depth):
            q = np.clip(affine.log_square(moment, LOG2, log2_scale), -_HORIZON, _HORIZON)
            largest = np.maximum(largest, q)
            moment = bend.log_square(q, LOG2)
        return largest / 2, moment / 2

    def fits(self, log2_scale: Array, stored: Array, product: Array) -> Answers:
        """Whether nothing leaves the range: log2 of the most that x and w, and h, may be."""
        h = self.follow(log2_scale)[0] + self.reach
        x = self.largest(h)
        weights = self.unit_std + log2_scale + self.weight_reach
        return (x <= stored) & (weights <= stored) & (self.tames | (h <= product))

    def lasts(self, log2_scale: Array, half_step: Array) -> Answers:
        """Whether the typical weight, and the typical element of the last layer, is not zero."""
        _, rms = self.follow(log2_scale)
        return (rms >= half_step) & (self.unit_std + log2_scale >= half_step)

    def needs_weights(self, half_step: float) -> bool:
        """Whether with no weights at all nothing would be left."""
        h = 2 * self.sigma_b if self.sigma_b > -np.inf else -_HORIZON
        return bool(self.second_moment(np.array([h]))[0] / 2 < half_step)


def _thresholds(answer: Callable[[Array], Answers], count: int) -> tuple[Array, Array]:
    """Where the answer turns from no to yes as the scale factor grows.

    For each column: log2 of two neighbouring scale factors between which it changes, found by
    dividing the bracket again and again.
    """
    low, high = np.full(count, _SMALLEST), np.full(count, _LARGEST)
    share = np.linspace(0.0, 1.0, _CUTS + 1)[:, None]
    for _ in range(_ROUNDS):
        points = low + (high - low) * share
        yes = answer(points)
        first = np.where(yes.any(0), yes.argmax(0), _CUTS)
        columns = np.arange(count)
        low, high = points[np.maximum(first - 1, 0), columns], points[first, columns]
    return low, high


def scale_windows(experiment: Experiment, names: Iterable[str] = ()) -> dict[str, Window]:
    """The windows of some number formats, of all if none is named; scale and format are ignored.

    It speaks of independent weights: of an identity matrix, or of a narrow network, it is wrong.

    Raises:
        ValueError: there is no number format of such a name.
    """
    wanted = tuple(names) or tuple(NUMBER_FORMATS)
    unknown = [name for name in wanted if name not in NUMBER_FORMATS]
    if unknown:
        allowed = ", ".join(NUMBER_FORMATS)
        raise ValueError(f"format_name must be one of {allowed}, got {unknown[0]!r}")
    windows = _windows(experiment.replace(scale=1.0, number_format="float32", seed=0))
    return {name: windows[name] for name in wanted}


@lru_cache(maxsize=256)
def _windows(experiment: Experiment) -> dict[str, Window]:
    """The windows of all formats."""
    formats = list(NUMBER_FORMATS.values())
    signal = _Signal(experiment)
    if not np.isfinite(signal.unit_std):  # all weights are zero, whatever multiplies them
        alike = [signal.needs_weights(each.log2_rounds_to_zero_below) for each in formats]
        every, none = Window(0.0, np.inf), Window(np.inf, 0.0)
        kept = zip(NUMBER_FORMATS, alike, strict=True)
        return {name: none if needs else every for name, needs in kept}
    most = np.array([log2(each.max) for each in formats])
    product = np.array([np.log2(torch.finfo(each.product_dtype).max) for each in formats])
    half = np.array([each.log2_rounds_to_zero_below for each in formats])
    count = len(formats)
    high, _ = _thresholds(lambda s: ~signal.fits(s, most, product), count)
    _, low = _thresholds(lambda s: signal.lasts(s, half), count)
    found = {}
    for place, name in enumerate(NUMBER_FORMATS):
        needed = signal.needs_weights(half[place])
        with np.errstate(over="ignore", under="ignore"):
            bottom = float(np.exp2(low[place])) if needed else 0.0
            top = float(np.exp2(high[place])) if high[place] > _SMALLEST else 0.0
        found[name] = Window(bottom, top)
    return found


def scale_window(experiment: Experiment, format_name: str) -> Window:
    """The window of one number format.

    Args:
        experiment: the question; its scale and number format are ignored.
        format_name: a key of NUMBER_FORMATS.

    Raises:
        ValueError: there is no number format of that name.
    """
    return scale_windows(experiment, (format_name,))[format_name]
