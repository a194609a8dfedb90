"""How a signal fades out at the lower end of its number format: its last layers before all zero.

Each value is rounded to a multiple of the smallest subnormal number, or is flushed to zero if it is
subnormal. Where sums are as narrow as the stored numbers, as in float32, every term a_ij x_j is
rounded too; where they are rounded after every 16 terms, those 16 together. No law is known for
signals of a few such multiples, so their last layers are sampled, with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np
from scipy import special

from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from ..question.experiment import Experiment
from .length_law import LengthLaw

_ALIVE = 1e-6  # signals that are alive with a smaller probability are not sampled
FADES_FROM = 4.0
"""Octaves above the smallest positive number, where rounding begins to matter."""
_ELEMENTS = 2**18  # sampled per layer, over all signals: 2 MiB
_PER_UNIT = 200  # steps of a table per unit of its argument
_LEAST_STEP = 1e-3  # octaves a layer; of a signal that shrinks less, all layers are sampled
_LINGERS = 0.2  # octaves a layer: rounding holds up a signal that shrinks less
_START, _WIDE, _NARROW = 0.03, 0.012, 0.03  # microseconds for an element: once, and in a layer
_HIGHEST = 1000.0  # octaves above the smallest number: from there no signal fades
_FEW = 25.0  # a sum of rounded terms with a larger variance is taken as normal


def faded(
    e: Experiment,
    law: LengthLaw,
    slopes: tuple[float, float],
    on_progress: Callable[[float], object] = lambda done: None,
) -> tuple[int, Array]:
    """The probabilities with which a signal becomes all zero at each layer, rounding included.

    Args:
        e: the question, without a bias.
        law: the law of log2 rms without rounding.
        slopes: φ′ just below and just above zero.
        on_progress: called after every layer that is sampled, with the fraction that is done.

    Returns:
        The layer from which on rounding matters, or the depth; before it, φ alone can end a signal.
        And float64 of shape (depth + 1,): the probability that a signal that is not zero at that
        layer becomes all zero at layer k, by rounding or by φ.
    """
    threshold = _threshold(e)
    if min(points[0] for points in law.points) < threshold:
        median = law.medians
        near = np.flatnonzero((median < threshold)[:-1] & (law.dead[:-1] < 1 - _ALIVE))
        if near.size:
            start = int(near[0])
            return start, sampled(e, law, start, median, _Bent(slopes, start), on_progress)
    return e.depth, np.zeros(e.depth + 1)


def work(e: Experiment, sizes: Array) -> float:
    """The multiply-adds of ``faded``, for typical log2 rms at layers 0 … depth."""
    near = np.flatnonzero(sizes[:-1] < _threshold(e))
    return sampled_work(e, sizes, int(near[0])) if near.size else 0.0


def sampled_work(e: Experiment, sizes: Array, start: int) -> float:
    """The multiply-adds of ``sampled``.

    Args:
        e: the question.
        sizes: typical log2 rms after 0 … depth products.
        start: the first layer that is sampled, before the last.
    """
    elements = e.width * e.batch_size
    octaves = float(sizes[start] - sizes[start + 1])
    narrow = e.format.terms_per_rounding is not None
    lingers = octaves < _LINGERS and not narrow and not e.format.flushes
    layers = float(e.depth - start)
    if not lingers:
        layers = min(layers, 1 + (FADES_FROM + 3) / max(octaves, _LEAST_STEP))
    sampled = float(_networks(elements)) * elements
    each = _NARROW if narrow else _WIDE
    return (_START * sampled + layers * (60 + each * sampled)) * MICROSECOND


def _threshold(e: Experiment) -> float:
    """log2 of the rms of x below which rounding matters to the next layer."""
    least = float(np.log2(e.format.smallest_subnormal) + FADES_FROM - np.log2(e.weight_std))
    return least - 0.5 * float(np.log2(terms_together(e)))


def terms_together(e: Experiment) -> int:
    """How many terms of a product are added before their sum is rounded; at most the width."""
    return min(e.format.terms_per_rounding or e.width, e.width)


def _networks(elements: int) -> int:
    """How many signals of so many elements are sampled."""
    return int(np.clip(_ELEMENTS // elements, 64, 2000))


class Step(Protocol):
    """What happens to a signal beside the products, in units of the smallest subnormal number."""

    def first(self, x: Array) -> Array:
        """A signal of the first layer, up to its size, from normal numbers."""
        ...

    def before(self, layer: int, x: Array, rng: np.random.Generator) -> Array:
        """What precedes the product of a layer."""
        ...

    def after(self, x: Array) -> Array:
        """What follows a product."""
        ...


class _Bent:
    """φ of small numbers, after every product.

    Args:
        slopes: φ′ just below and just above zero.
        start: the first layer; layer 0 is the input, to which φ is not applied.
    """

    def __init__(self, slopes: tuple[float, float], start: int) -> None:
        self._slopes, self._start = slopes, start

    def first(self, x: Array) -> Array:
        """φ(x), but for the input."""
        return self.after(x) if self._start else x

    def before(self, layer: int, x: Array, rng: np.random.Generator) -> Array:
        """Nothing precedes the product."""
        return x

    def after(self, x: Array) -> Array:
        """φ(x)."""
        return _two_slopes(x, self._slopes)


def sampled(
    e: Experiment,
    law: LengthLaw,
    start: int,
    median: Array,
    step: Step,
    on_progress: Callable[[float], object] = lambda done: None,
) -> Array:
    """The probabilities of ``faded``, by sampling signals from layer ``start`` on.

    Args:
        e: the question.
        law: the law of log2 rms without rounding, in the order of the products.
        start: the first layer that is sampled.
        median: log2 rms per layer.
        step: what happens beside the products.
        on_progress: called after every layer that is sampled, with the fraction that is done.
    """
    n, narrow = e.width, e.format.terms_per_rounding
    elements = n * e.batch_size
    rng = np.random.default_rng([2, n])  # fixed: the same question has the same prediction
    count = _networks(elements)
    weights = law.weights[start] / law.weights[start].sum()
    octaves = rng.choice(law.points[start], count, p=weights) - np.log2(e.format.smallest_subnormal)
    x = step.first(rng.standard_normal((count, elements)))
    alive = (x != 0).any(1)
    x, octaves, count = x[alive], octaves[alive], int(alive.sum())
    octaves, settle = np.minimum(octaves, _HIGHEST), settled(e)
    x = settle(x * (2.0**octaves / np.sqrt((x**2).mean(1)))[:, None])
    ended = np.zeros(e.depth + 1)
    for layer in range(start + 1, e.depth + 1):
        x, std = step.before(layer, x, rng), e.weight_std
        if e.weights == "tied":  # one matrix: x changes by the factor of the median network
            std = 2.0 ** (median[layer] - median[layer - 1]) / n**0.5
        if narrow:
            variance = _rounded_square(std * _sizes(x, narrow)).sum(1) / e.batch_size
            h = _rounded_sum(variance, elements, rng)
        else:
            length = np.sqrt((x**2).sum(1) / e.batch_size)[:, None]  # of each input
            h = std * length * rng.standard_normal((len(x), elements))
        x = settle(step.after(h))
        alive = (x != 0).any(1)
        ended[layer] = (~alive).sum() / count
        x = x[alive]
        if not len(x):
            break
        on_progress((layer - start) / (e.depth - start))
    return ended


def settled(e: Experiment) -> Callable[[Array], Array]:
    """The rounding of numbers in units of the smallest positive one.

    Where subnormal numbers are flushed the unit is the smallest normal number, and what is not
    rounded up to it becomes 0.
    """
    if not e.format.flushes:
        return np.rint
    least = 1 - e.format.epsilon / 2
    return lambda x: np.where(np.abs(x) < least, 0.0, x)


def _sizes(x: Array, together: int) -> Array:
    """The lengths of x, shape (signals, n), in groups of ``together`` neighbours; |x| for one."""
    if together == 1:
        return np.abs(x)
    starts = np.arange(0, x.shape[1], together)
    return np.sqrt(np.add.reduceat(x**2, starts, axis=1))


def _two_slopes(h: Array, slopes: tuple[float, float]) -> Array:
    """φ(h) for small h: the slope below zero times h, or the slope above zero times h."""
    if slopes == (1.0, 1.0):
        return h
    return np.where(h < 0, slopes[0] * h, slopes[1] * h)


def _rounded_sum(variance: Array, n: int, rng: np.random.Generator) -> Array:
    """n sums of many rounded terms for each variance, shape (variances, n).

    Where the variance is small, few terms are not zero, and the sum is the difference of two
    Poisson numbers. Where it is large, the sum is a rounded normal number.
    """
    sums = np.empty((len(variance), n))
    few = variance < _FEW
    many = np.sqrt(variance[~few])[:, None]
    sums[~few] = np.rint(many * rng.standard_normal((len(many), n)))
    rate = np.repeat(variance[few, None] / 2, n, axis=1)
    sums[few] = rng.poisson(rate) - rng.poisson(rate)
    return sums


def _rounded_square(std: Array) -> Array:
    """E rint(std·z)² for z ~ N(0, 1), from a table; std² + 1/12 beyond it."""
    values = _rounded_square_table()
    place = np.minimum(std * _PER_UNIT, len(values) - 1)
    below = np.minimum(place.astype(np.intp), len(values) - 2)
    between = values[below] + (place - below) * np.diff(values)[below]
    return np.where(std * _PER_UNIT > len(values) - 1, std**2 + 1 / 12, between)


@cache
def _rounded_square_table() -> Array:
    """E rint(std·z)² at std = 0, 1/200, 2/200, …, 4."""
    grid = np.arange(4 * _PER_UNIT + 1) / _PER_UNIT
    steps = np.arange(1, 40)
    with np.errstate(divide="ignore"):
        tails = special.ndtr(-(steps - 0.5) / grid[:, None])
    return np.asarray(2 * (tails * (2 * steps - 1)).sum(1))
