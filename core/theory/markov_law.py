"""The law of lengths for fresh weights and any φ: a Markov chain on log2 rms.

With one input and given the rms of x, every pre-activation is N(0, q) with q = σ_w²·rms² + σ_b²,
and the next mean square is the average of n independent φ(h)². Its mean and variance follow from
the moments of φ. Its law is taken as the lognormal law with this mean and variance, which is right
up to O(1/n).

Reference: Hanin & Nica 2018, arXiv:1812.05994; Schoenholz et al. 2017, arXiv:1611.01232.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from scipy import special

from ..layer.activations import ACTIVATIONS, Activation
from ..layer.bias import Bias
from ..layer.moments import fourth_moment, mean, second_moment, second_moment_slope
from ..layer.named_activation import activation_of
from ..layer.operation import MICROSECOND
from ..layer.product import Product
from ..layer.stack import Layer
from ..layer.tails import PowerTails
from ..maths.arrays import LN, Array
from ..maths.quadrature import gaussian_expectation_at
from .length_law import LengthLaw

_POINTS = 129  # of a layer's grid, about 11 per standard deviation
_REACH = 6.0  # standard deviations on either side
_LEAST_SPREAD = 1e-9  # relative variance of a step: that of a saturated φ would round to 0
_LEAST = 1e-300  # of a moment: that of a φ which is flat at zero would be 0 there
_LN2 = np.log(2.0)
_LN_Q = np.arange(np.log(1e-8), np.log(1e6), 0.02)  # beyond it, moments are powers of q


@dataclass(frozen=True)
class Table:
    """Moments of φ(h), h ~ N(0, q), on a grid of ln q; beyond it, they are powers of q.

    Attributes:
        mean_square: ln E φ².
        fourth: ln E φ⁴.
        slope: d ln E φ²/d ln q.
        curvature: q² (d²E φ²/dq²)/E φ².
        variance: ln (E φ² − (E φ)²).
        fourth_central: ln E (φ − E φ)⁴.
        reaches_powers: whether the moments follow powers of q at the grid's upper end already. A
            formula that was typed may add two of them up; its powers are then rounded to halves.
    """

    mean_square: Array
    fourth: Array
    slope: Array
    curvature: Array
    variance: Array
    fourth_central: Array
    reaches_powers: bool = True

    def at(self, name: str, ln_q: Array) -> Array:
        """The attribute ``name`` at any ln q, same shape."""
        if name in ("slope", "curvature"):
            return np.interp(ln_q, _LN_Q, getattr(self, name))
        return self._tails[name](ln_q)

    @cached_property
    def _tails(self) -> dict[str, PowerTails]:
        columns = ("mean_square", "fourth", "variance", "fourth_central")
        tails = {name: PowerTails.of(_LN_Q, getattr(self, name)) for name in columns}
        if not self.reaches_powers:
            tails = {name: each.with_half_powers() for name, each in tails.items()}
        return tails

    @property
    def is_odd(self) -> bool:
        """Whether E φ = 0 at every q."""
        return bool(np.allclose(self.variance, self.mean_square, rtol=0, atol=1e-9))

    def variance_slope(self, ln_q: Array) -> Array:
        """d ln Var φ / d ln q."""
        return np.interp(ln_q, _LN_Q, np.gradient(self.variance, _LN_Q))


@lru_cache(maxsize=32)
def table(activation: str) -> Table:
    """The moments of the activation with this registry name."""
    q, phi = np.exp(_LN_Q), activation_of(activation)
    m2, m4 = (np.maximum(moment(phi, q), _LEAST) for moment in (second_moment, fourth_moment))
    d1, d2, d3, d4 = _from_zero(phi, q, m2, m4)
    variance = np.maximum(d2 - d1**2, 1e-12 * d2)
    central = np.maximum(d4 - 4 * d1 * d3 + 6 * d1**2 * d2 - 3 * d1**4, variance**2)
    variance, central = (np.maximum(moment, _LEAST) for moment in (variance, central))
    slope = second_moment_slope(phi, q) * q / m2
    curvature = np.gradient(slope, _LN_Q) + slope * (slope - 1)
    known = activation in ACTIVATIONS
    m2, m4, variance, central = (np.log(each) for each in (m2, m4, variance, central))
    return Table(m2, m4, slope, curvature, variance, central, reaches_powers=known)


def _from_zero(phi: Activation, q: Array, m2: Array, m4: Array) -> tuple[Array, ...]:
    """E (φ − φ(0))ᵏ for k = 1 … 4.

    Where h is small, moments of φ itself would lose the variation of φ in the rounding of φ(0).
    """
    start = float(phi(torch.zeros((), dtype=torch.float64)))

    def moment(k: int) -> Array:
        return gaussian_expectation_at(lambda h: (phi(h) - start) ** k, q, breaks=phi.kinks)

    if start == 0:
        return mean(phi, q), m2, moment(3), m4
    return moment(1), moment(2), moment(3), moment(4)


def work(depth: int) -> float:
    """The multiply-adds of the law and of its quantiles, besides the table of φ's moments."""
    return (120 + 365 * depth) * MICROSECOND


def markov_law(
    activation: str,
    width: int,
    depth: int,
    sigma_w: float,
    sigma_b: float,
    *,
    gaussian: bool,
    start: float = 0.0,
) -> tuple[LengthLaw, float]:
    """The law of log2 rms for one normal input and fresh weights.

    Args:
        activation: the registry name of φ.
        width: n.
        depth: the number of products.
        sigma_w: weight_std·√n, > 0.
        sigma_b: the biases' standard deviation, ≥ 0; 0 for orthogonal weights.
        gaussian: whether entries are independent; else weights are orthogonal, and keep the length.
        start: log2 of the standard deviation of the input.

    Returns:
        The law, and the largest relative variance of one layer's mean square given the rms before
        it: where it is large, the lognormal law is a poor approximation.
    """
    known, affine = table(activation), Layer((Product(sigma_w), Bias(sigma_b)))
    sd = np.sqrt(special.polygamma(1, width / 2)) / (2 * _LN2)
    grid = np.linspace(-_REACH * sd, _REACH * sd, _POINTS)
    weights = np.diff(special.gammainc(width / 2, width / 2 * 4.0 ** _edges(grid)))
    weights /= weights.sum()
    grid = grid + start
    points, masses, roughest = [grid], [weights], 0.0
    for _ in range(depth):
        ln_q = affine.log_square(2 * _LN2 * grid, LN)
        ln_mean = known.at("mean_square", ln_q)
        relative = np.expm1(np.maximum(known.at("fourth", ln_q) - 2 * ln_mean, 0.0)) / width
        if not gaussian:
            # An orthogonal a keeps the length: less variance, and another mean.
            relative = relative - 2 * known.at("slope", ln_q) ** 2 / width
            ln_mean = ln_mean - known.at("curvature", ln_q) / width
        relative = np.maximum(relative, _LEAST_SPREAD)
        roughest = max(roughest, float(weights @ relative))
        log_variance = np.log1p(relative)
        center = (ln_mean - log_variance / 2) / (2 * _LN2)
        width_of_step = np.sqrt(log_variance) / (2 * _LN2)
        grid, weights = _moved(weights, center, width_of_step)
        points.append(grid)
        masses.append(weights)
    return LengthLaw(points, masses, np.zeros(depth + 1)), roughest


def _edges(grid: Array) -> Array:
    """The edges of the cells around evenly spaced points."""
    half = (grid[1] - grid[0]) / 2
    return np.concatenate([grid - half, [grid[-1] + half]])


def _moved(weights: Array, center: Array, sd: Array) -> tuple[Array, Array]:
    """The mixture of normal laws with these weights, as a new grid and its probabilities."""
    mean_ = float(weights @ center)
    spread = float(np.sqrt(weights @ (sd**2 + (center - mean_) ** 2)))
    grid = mean_ + np.linspace(-_REACH * spread, _REACH * spread, _POINTS)
    below = special.ndtr((_edges(grid) - center[:, None]) / sd[:, None])
    moved = weights @ np.diff(below, axis=1)
    return grid, moved / moved.sum()
