"""The window of scale factors at which a signal survives all layers in a number format.

It follows from infinite-width theory, so it holds for the typical network, with tied and with fresh
weights: the second moment changes from layer to layer by q → σ_w² E[φ(√q z)²] + σ_b². The largest
of N normal values is taken as √(2 ln N) times their rms, a little more than its mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ..layer.inputs import largest_of
from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from ..layer.operation import MICROSECOND, LogMoments
from ..layer.tails import log2_largest, log2_second_moment
from ..maths.arrays import LOG2, Array, log2
from ..question.experiment import Experiment
from .profile import start

Answers: TypeAlias = NDArray[np.bool_]

_HORIZON = 1e6  # |log2 q| is clipped here, far beyond the range of every format
_SMALLEST, _LARGEST = -1200.0, 1200.0  # log2 of the scale factors that are searched
_CUTS = 64  # parts into which each round divides a bracket
_ROUNDS = 5  # after them, a bracket is 2e-6 octaves wide


_WINDOW, _LAYER = 1100.0, 190.0  # microseconds: of a window, and of a layer that is followed
_NO_WINDOW = 200.0
_SETTLES, _RUNS_OFF = 45, 40  # layers after which a bounded φ, and one that grows as h², has ended
_FAR = np.array([200.0, 300.0])  # log2 q, where E φ² is a power of q


@dataclass(frozen=True)
class Window:
    """The scale factors at which a signal survives all layers in a number format.

    Attributes:
        low: the least. Below it, the rms of the last layer is less than half the smallest subnormal
            and rounds to zero. It is 0 if no scale factor is too small.
        high: the largest. Above it, the largest element of some layer, or the largest weight,
            leaves the range: it becomes Inf or NaN, or saturates.
    """

    low: float
    high: float

    @property
    def is_empty(self) -> bool:
        """Whether no scale factor lies in the window."""
        return not self.low < self.high

    def holds(self, scale: float) -> bool:
        """Whether ``scale`` lies in the window."""
        return not self.is_empty and self.low <= scale <= self.high


class _Signal:
    """The sizes of an experiment's signal at any scale factor, in log2."""

    def __init__(self, experiment: Experiment) -> None:
        e = experiment.replace(scale=1.0)
        self.depth, self.layer = e.depth, e.layer
        self.start = start(e).square
        self.largest_input = log2(e.source.largest(e.width * e.batch_size) * e.input_scale)
        self.unit_std = log2(e.weight_std)
        self.sigma_b = log2(e.bias_std)
        self.reach = log2(largest_of(e.width * e.batch_size))
        self.weight_reach = log2(largest_of(e.width**2))
        self.second_moment = log2_second_moment(e.phi)
        self.largest = log2_largest(e.phi)
        self.bounded = not any(e.layer.elementwise.infinite_sides)  # φ makes Inf finite again

    def follow(self, log2_scale: Array) -> tuple[Array, Array, Array]:
        """log2 of the largest rms of h over all layers, of the last x, and of the least x before.

        All have the shape of ``log2_scale``.
        """
        affine, phi = self.layer.affine, self.layer.elementwise
        moment = np.full_like(log2_scale, self.start)
        if self.layer.degree == 1:  # every layer multiplies the moment by the same factor
            first = affine.log_square(moment, LOG2, log2_scale)
            factor = first - moment + phi.log_moments(LogMoments(np.zeros(1)), LOG2).square
            last = first + (self.depth - 1) * factor
            x = phi.log_moments(LogMoments(last), LOG2).square
            return np.maximum(first, last) / 2, x / 2, np.minimum(moment, x - factor) / 2
        largest, least = np.full_like(log2_scale, -np.inf), moment
        for _ in range(self.depth):
            q = np.clip(affine.log_square(moment, LOG2, log2_scale), -_HORIZON, _HORIZON)
            largest, least = np.maximum(largest, q), np.minimum(least, moment)
            before, moment = moment, phi.log_moments(LogMoments(q), LOG2).square
            if np.array_equal(before, moment):  # so are all later layers
                break
        return largest / 2, moment / 2, least / 2

    def fits(self, log2_scale: Array, stored: Array, product: Array) -> Answers:
        """Whether nothing overflows.

        ``stored`` is log2 of the format's largest x and weight, ``product`` that of the largest h.
        """
        h = self.follow(log2_scale)[0] + self.reach
        x = self.largest(h)
        weights = self.unit_std + log2_scale + self.weight_reach
        enters = self.largest_input <= stored
        return enters & (x <= stored) & (weights <= stored) & (self.bounded | (h <= product))

    def lasts(self, log2_scale: Array, half_step: Array, half_operand: Array) -> Answers:
        """Whether the typical weight and x do not round to zero.

        ``half_step`` is log2 of half the smallest number that is stored, which counts for the last
        x; ``half_operand`` that of what enters a product, −inf if it is not rounded there.
        """
        _, rms, entering = self.follow(log2_scale)
        weights = self.unit_std + log2_scale >= np.maximum(half_step, half_operand)
        return (rms >= half_step) & (entering >= half_operand) & weights

    def needs_weights(self, half_step: float) -> bool:
        """Whether the last x would round to zero if all weights were zero."""
        h = 2 * self.sigma_b if self.sigma_b > -np.inf else -_HORIZON
        return bool(self.second_moment(np.array([h]))[0] / 2 < half_step)


def _thresholds(answer: Callable[[Array], Answers], count: int) -> tuple[Array, Array]:
    """The scale factors at which the answer changes from no to yes as the scale factor grows.

    For each of ``count`` columns, the result is log2 of two neighbouring scale factors, the last
    with no and the first with yes, found by repeated division of a bracket.
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


def has_window(experiment: Experiment) -> bool:
    """Whether the window is known: it is for φ(a @ x + b), and an input that is not 0."""
    return experiment.layer.is_plain and experiment.input_scale > 0


def scale_windows(experiment: Experiment, names: Iterable[str] = ()) -> dict[str, Window]:
    """The windows of several number formats, by name.

    They hold for independent weights and wide networks. For the identity matrix or a narrow network
    they are wrong.

    Args:
        experiment: the question; its scale factor, number format and seed are ignored.
        names: keys of NUMBER_FORMATS; all of them if empty.

    Raises:
        ValueError: there is no number format of that name, or the layer has no known window.
    """
    if not has_window(experiment):
        raise ValueError("experiment must have layers φ(a @ x + b) for a window of scale factors")
    wanted = tuple(names) or tuple(NUMBER_FORMATS)
    unknown = [name for name in wanted if name not in NUMBER_FORMATS]
    if unknown:
        allowed = ", ".join(NUMBER_FORMATS)
        raise ValueError(f"format_name must be one of {allowed}, got {unknown[0]!r}")
    windows = _windows(experiment.replace(scale=1.0, number_format="float32", seed=0))
    return {name: windows[name] for name in wanted}


def work(experiment: Experiment) -> float:
    """The multiply-adds of `scale_windows`."""
    e = experiment.replace(scale=1.0)
    layers = e.depth
    dies = not e.bias_std and e.layer.elementwise.slopes is not None
    power = float(np.diff(log2_second_moment(e.phi)(_FAR))[0] / np.diff(_FAR)[0])
    weights = e.layer.product.weights
    if not e.weight_std:
        return _NO_WINDOW * MICROSECOND
    if e.layer.degree == 1 or (weights and weights.refits):
        layers = 1
    elif power < 0.5 and not dies:
        layers = min(layers, _SETTLES)
    elif power > 1.5:
        layers = min(layers, _RUNS_OFF)
    return (_WINDOW + _LAYER * layers) * MICROSECOND


@lru_cache(maxsize=256)
def _windows(experiment: Experiment) -> dict[str, Window]:
    """The windows of all formats, for an experiment at scale factor 1."""
    formats = list(NUMBER_FORMATS.values())
    signal = _Signal(experiment)
    if not np.isfinite(signal.unit_std):  # all weights are zero at every scale factor
        needs_weights = [signal.needs_weights(each.log2_rounds_to_zero_below) for each in formats]
        every, none = Window(0.0, np.inf), Window(np.inf, 0.0)
        kept = zip(NUMBER_FORMATS, needs_weights, strict=True)
        return {name: none if needs else every for name, needs in kept}
    most = np.array([log2(each.max) for each in formats])
    product = np.array([np.log2(torch.finfo(each.product_dtype).max) for each in formats])
    half = np.array([each.log2_rounds_to_zero_below for each in formats])
    operand = np.array([_log2_half_operand(each) for each in formats])
    count = len(formats)
    high, _ = _thresholds(lambda s: ~signal.fits(s, most, product), count)
    _, low = _thresholds(lambda s: signal.lasts(s, half, operand), count)
    found = {}
    for place, name in enumerate(NUMBER_FORMATS):
        needed = signal.needs_weights(half[place])
        with np.errstate(over="ignore", under="ignore"):
            bottom = float(np.exp2(low[place])) if needed else 0.0
            top = float(np.exp2(high[place])) if high[place] > _SMALLEST else 0.0
        found[name] = Window(bottom, top)
    return found


def _log2_half_operand(number_format: NumberFormat) -> float:
    """log2 of half the smallest operand of a product; −inf where operands are as x is stored."""
    if number_format.smallest_operand <= number_format.smallest_subnormal:
        return -np.inf
    return float(log2(number_format.smallest_operand / 2))


def scale_window(experiment: Experiment, format_name: str) -> Window:
    """The window of one number format; see `scale_windows`.

    Args:
        experiment: the question; its scale factor, number format and seed are ignored.
        format_name: a key of NUMBER_FORMATS.

    Raises:
        ValueError: there is no number format of that name.
    """
    return scale_windows(experiment, (format_name,))[format_name]
