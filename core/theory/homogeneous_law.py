"""The exact law of lengths for fresh weights and a positively homogeneous φ, at any width.

For Gaussian weights, the length and the direction of a @ x are independent. The squared length is
multiplied by χ²_n/n, and the direction is uniform on the sphere, for every x. On the sphere, φ
multiplies the mean square by R = p·B + m·(1 − B), with p = φ(1)² and m = φ(−1)². B is the share of
the positive units in the sum of squares: Beta(K/2, (n − K)/2) with K ~ Binomial(n, ½) such units.
Orthogonal weights keep the length, so that only R remains. The factors of different layers are
independent: their logarithms add, and the laws of these are convolved on a grid.

Reference: Hanin & Nica 2018, arXiv:1812.05994; Burkholz & Dubatovka 2019, arXiv:1806.06362.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from .length_law import LengthLaw

_STEPS_PER_SD = 16  # a cell of the grid then has 1/3000 of the variance of one layer
_MOST_POINTS = 2048  # of the last layer's law: bounds the time of a convolution
_BELOW, _ABOVE = 24.0, 9.0  # standard deviations: the log of a χ² has a long lower tail
_NEGLIGIBLE = 1e-13  # of the largest probability: smaller ones at the ends are dropped
_LN2 = np.log(2.0)

_TINY = 2.0**-500  # of a probability: below it, numbers come near the end of float64's range

_Law = tuple[int, Array]  # the index of the first grid point, and the probabilities


def work(width: int, depth: int, *, bends: bool, gaussian: bool) -> float:
    """The multiply-adds of the law and of its quantiles.

    Args:
        width: n; the laws of narrow networks have long tails.
        depth: the number of products.
        bends: whether |φ(1)| and |φ(−1)| differ, so that a layer's law is a sum over how many
            units are positive.
        gaussian: whether weights are Gaussian.
    """
    spreads = gaussian or bends
    layers = 350 + (60 + min(60.0, 180 / width**0.5) if spreads else 30.0) * depth
    if not bends:
        return layers * MICROSECOND
    cells = (_BELOW + _ABOVE) * _STEPS_PER_SD * min(1.0, 4 / depth**0.5)
    return (layers + 0.25 * cells * len(_counts(width))) * MICROSECOND


@lru_cache(maxsize=8)  # up to 6 MB each
def homogeneous_law(
    width: int, depth: int, inputs: int, *, above: float, below: float, gaussian: bool
) -> LengthLaw:
    """The law of log2 rms for x₀ ~ N(0, 1) and weights of std 1/√width.

    Args:
        width: n.
        depth: the number of products.
        inputs: the number of inputs over which rms pools; more than 1 only for orthogonal weights
            without φ, which keep every length.
        above: |φ(1)|.
        below: |φ(−1)|.
        gaussian: whether weights are Gaussian; else they are orthogonal, and keep the length.
    """
    high, low = max(above, below) ** 2, min(above, below) ** 2
    sd_start = _log_sd(2 / (width * inputs))
    spread = (2 / width if gaussian else 0.0) + _shape_variance(high, low, width)
    sd_step = _log_sd(spread)
    finest = min(sd for sd in (sd_start, sd_step) if sd > 0) / _STEPS_PER_SD
    reach = (_BELOW + _ABOVE) * np.hypot(sd_start, sd_step * depth**0.5)
    delta = max(finest, min(reach / _MOST_POINTS, max(sd_start, sd_step) / 2))
    start = _on_grid(_chi_square(width * inputs), 0.0, sd_start, delta)
    step, dead = _step(high, low, width, gaussian, delta)
    return _summed(start, step, dead, depth, delta, 0.5 * np.log2(high if high == low else 1.0))


def _log_sd(variance: float) -> float:
    """The sd of log2 rms, given the relative variance of the mean square."""
    return float(np.sqrt(variance) / 2 / _LN2)


def _shape_variance(high: float, low: float, width: int) -> float:
    """Var R/(E R)²: that of the mean of φ(h)² for normal h, less the part due to h's length."""
    mean = (high + low) / 2
    return max(0.0, 1.5 * (high**2 + low**2) - 3 * mean**2) / (width * mean**2)


def _chi_square(freedom: int) -> Callable[[Array], Array]:
    """The distribution function of ½log2(χ²/freedom), with ``freedom`` degrees of freedom."""
    half = freedom / 2
    return lambda edge: special.gammainc(half, half * 4.0**edge)


def _on_grid(cdf: Callable[[Array], Array], mean: float, sd: float, delta: float) -> _Law:
    """The probabilities of grid cells; the two end cells hold all that lies beyond them."""
    first = int(np.floor((mean - _BELOW * sd) / delta))
    last = int(np.ceil((mean + _ABOVE * sd) / delta))
    edges = np.append(np.arange(first + 0.5, last) * delta, np.inf)
    return _trimmed(first, np.diff(cdf(edges), prepend=0.0))


def _trimmed(first: int, weights: Array) -> _Law:
    """The law without negligible probabilities at both ends."""
    kept = np.flatnonzero(weights > _NEGLIGIBLE * weights.max())
    low, high = int(kept[0]), int(kept[-1])
    return first + low, weights[low : high + 1]


def _step(high: float, low: float, width: int, gaussian: bool, delta: float) -> tuple[_Law, float]:
    """The law of one layer's log2 factor, and the probability that it makes x zero."""
    law: _Law = (0, np.ones(1))
    dead = 0.0
    if gaussian:
        law = _on_grid(_chi_square(width), 0.0, _log_sd(2 / width), delta)
    if high != low:
        mean = 0.5 * np.log2((high + low) / 2)
        cdf = _shape(high, low, width)
        shape = _on_grid(cdf, mean, max(_log_sd(_shape_variance(high, low, width)), delta), delta)
        law = (law[0] + shape[0], np.convolve(law[1], shape[1]))
        dead = 0.5**width if low == 0 else 0.0
    return law, dead


def _counts(width: int) -> NDArray[np.int_]:
    """The numbers K of positive units over which is summed.

    The steps are a quarter of the sd of K, which is exact for a smooth bell.
    """
    sd = width**0.5 / 2
    kept = np.arange(max(1, int(width / 2 - 9 * sd)), min(width, int(width / 2 + 9 * sd) + 1))
    return kept[:: max(1, int(sd / 4))]


def _shape(high: float, low: float, width: int) -> Callable[[Array], Array]:
    """The distribution function of ½log2 R, without the atom at R = 0."""
    positive = _counts(width)
    log_mass = -special.betaln(positive + 1, width - positive + 1) - np.log1p(width)
    mass = np.exp(log_mass - width * _LN2)
    ends = 0.5**width  # the probability of K = 0, and that of K = n
    mass *= (1 - 2 * ends) / mass.sum() if mass.size else 1.0

    def cdf(edge: Array) -> Array:
        share = np.clip((4.0**edge - low) / (high - low), 0.0, 1.0)
        inside = special.betainc(positive / 2, (width - positive) / 2, share[:, None]) @ mass
        none = ends * (4.0**edge >= low) if low > 0 else 0.0
        return np.asarray(inside + none + ends * (4.0**edge >= high * (1 - 1e-12)))

    return cdf


def _summed(
    start: _Law, step: _Law, dead: float, depth: int, delta: float, shift: float
) -> LengthLaw:
    """The law at layers 0 … depth: the start's, convolved with ``step`` once per layer."""
    first, weights = start
    points: list[Array] = []
    masses: list[Array] = []
    for layer in range(depth + 1):
        if layer:
            first, weights = _trimmed(first + step[0], np.convolve(weights, step[1]))
            if weights.max() < _TINY:  # most signals are dead
                weights = weights / _TINY
        alive = (1 - dead) ** layer
        points.append(np.asarray((first + np.arange(len(weights))) * delta + layer * shift))
        masses.append(np.asarray(weights * (alive / weights.sum())))
    return LengthLaw(points, masses, np.array([1 - (1 - dead) ** k for k in range(depth + 1)]))
