"""Gaussian moments of activations that are known in closed form.

Throughout, (u₁, u₂) are centred normal variables with variances a, b and covariance r, and h is a
centred normal variable with variance q. Arguments are float64 arrays of one shape, with q, a, b ≥ 0
and |r| ≤ √(ab). At q = 0 a formula gives its limit from above. Sums are arranged so that no digits
cancel at small q or at |r| = √(ab).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .arrays import Array

OfVariance = Callable[[Array], Array]
OfCovariance = Callable[[Array, Array, Array], Array]

_TINY = 1e-300  # keeps quotients of q finite at q = 0
_TAU = 2 * math.pi


@dataclass(frozen=True)
class Moments:
    """Moments of an activation φ under a normal law; None where no closed form is known.

    Attributes:
        second_moment: q → E[φ(h)²].
        second_moment_slope: q → dE[φ(h)²]/dq.
        derivative_second_moment: q → E[φ′(h)²].
        fourth_moment: q → E[φ(h)⁴].
        mean: q → E[φ(h)].
        cross_moment: (a, b, r) → E[φ(u₁)φ(u₂)].
        derivative_cross_moment: (a, b, r) → E[φ′(u₁)φ′(u₂)].
    """

    second_moment: OfVariance | None = None
    second_moment_slope: OfVariance | None = None
    derivative_second_moment: OfVariance | None = None
    fourth_moment: OfVariance | None = None
    mean: OfVariance | None = None
    cross_moment: OfCovariance | None = None
    derivative_cross_moment: OfCovariance | None = None


def _special(function: Callable[[torch.Tensor], torch.Tensor], x: Array) -> Array:
    """A special function of torch, applied to a NumPy array in float64."""
    return function(torch.from_numpy(np.array(x, dtype=np.float64))).numpy()


def _determinant(a: Array, b: Array, r: Array) -> Array:
    """ab − r², exactly zero at a = b = |r|."""
    root = np.sqrt(a) * np.sqrt(b)
    return np.maximum(np.where(a == b, (a - r) * (a + r), (root - r) * (root + r)), 0.0)


def leaky_relu(slope: float) -> Moments:
    """Moments of max(h, 0) + slope·min(h, 0): ReLU at slope 0, the identity at 1, |h| at −1.

    Reference: Cho & Saul 2009, Kernel methods for deep learning, the arc-cosine kernels of orders
    0 and 1.
    """
    square, kink = (1 + slope**2) / 2, (1 - slope) ** 2 / 2

    def cross_moment(a: Array, b: Array, r: Array) -> Array:
        sine = np.sqrt(_determinant(a, b, r))
        return kink * (sine + r * (math.pi - np.arctan2(sine, r))) / math.pi + slope * r

    def derivative_cross_moment(a: Array, b: Array, r: Array) -> Array:
        angle = np.arctan2(np.sqrt(_determinant(a, b, r)), r)
        return kink * (1 - angle / math.pi) + slope

    return Moments(
        second_moment=lambda q: square * q,
        second_moment_slope=lambda q: np.full_like(q, square),
        derivative_second_moment=lambda q: np.full_like(q, square),
        fourth_moment=lambda q: 3 * (1 + slope**4) / 2 * q**2,
        mean=lambda q: (1 - slope) * np.sqrt(q / _TAU),
        cross_moment=cross_moment,
        derivative_cross_moment=derivative_cross_moment,
    )


def relu_squared() -> Moments:
    """Moments of max(h, 0)².

    Reference: Cho & Saul 2009, Kernel methods for deep learning, the arc-cosine kernel of order 2.
    """

    def cross_moment(a: Array, b: Array, r: Array) -> Array:
        sine = np.sqrt(_determinant(a, b, r))
        angle = np.arctan2(sine, r)
        return (3 * sine * r + (math.pi - angle) * (a * b + 2 * r**2)) / _TAU

    ramp = leaky_relu(0.0).cross_moment
    assert ramp is not None
    return Moments(
        second_moment=lambda q: 1.5 * q**2,
        second_moment_slope=lambda q: 3 * q,
        derivative_second_moment=lambda q: 2 * q,
        fourth_moment=lambda q: 52.5 * q**4,
        mean=lambda q: q / 2,
        cross_moment=cross_moment,
        derivative_cross_moment=lambda a, b, r: 4 * ramp(a, b, r),
    )


def erf() -> Moments:
    """Moments of erf(h).

    Reference: Williams 1997, Computing with infinite networks.
    """

    def complement(a: Array, b: Array, r: Array) -> Array:
        """(1 + 2a)(1 + 2b) − 4r², without cancellation."""
        return 1 + 2 * a + 2 * b + 4 * _determinant(a, b, r)

    def cross_moment(a: Array, b: Array, r: Array) -> Array:
        # Williams' arcsine, as an arctangent: that keeps its digits where the sine is near 1.
        return 2 / math.pi * np.arctan2(2 * r, np.sqrt(complement(a, b, r)))

    def derivative_cross_moment(a: Array, b: Array, r: Array) -> Array:
        return 4 / math.pi / np.sqrt(complement(a, b, r))

    return Moments(
        second_moment=lambda q: cross_moment(q, q, q),
        second_moment_slope=lambda q: 4 / math.pi / ((1 + 2 * q) * np.sqrt(1 + 4 * q)),
        derivative_second_moment=lambda q: 4 / math.pi / np.sqrt(1 + 4 * q),
        mean=np.zeros_like,
        cross_moment=cross_moment,
        derivative_cross_moment=derivative_cross_moment,
    )


def gelu() -> Moments:
    """Moments of h Φ(h).

    Reference: Tsuchida, Pearce, van der Heide, Roosta & Gallagher 2021, arXiv:2002.08517.
    """

    def both_positive(a: Array, b: Array, r: Array) -> tuple[Array, Array]:
        """E[Φ(u₁)Φ(u₂)] and E[Φ′(u₁)Φ′(u₂)]."""
        root = np.sqrt(1 + a + b + _determinant(a, b, r))
        return np.arctan2(root, -r) / _TAU, 1 / (_TAU * root)

    def cross_moment(a: Array, b: Array, r: Array) -> Array:
        both, density = both_positive(a, b, r)
        return r * both + density * (a * b + r**2 * (1 / (1 + a) - b / (1 + b)))

    def derivative_cross_moment(a: Array, b: Array, r: Array) -> Array:
        both, density = both_positive(a, b, r)
        determinant = 1 + a + b + _determinant(a, b, r)
        return both + density * r * (1 / (1 + a) + 1 / (1 + b) + 1 / determinant)

    def second_moment(q: Array) -> Array:
        both, density = both_positive(q, q, q)
        return q * both + 2 * density * q**2 / (1 + q)

    return Moments(
        second_moment=second_moment,
        derivative_second_moment=lambda q: derivative_cross_moment(q, q, q),
        mean=lambda q: q / np.sqrt(_TAU * (1 + q)),
        cross_moment=cross_moment,
        derivative_cross_moment=derivative_cross_moment,
    )


def elu(scale: float, alpha: float) -> Moments:
    """Moments of ELU and SELU: scale·h above zero, scale·alpha·(eʰ − 1) below.

    Reference: Klambauer et al. 2017, arXiv:1706.02515, the map of mean and variance at mean zero.
    """

    def below(q: Array) -> Array:
        """E[(eʰ − 1)²; h < 0]. Its terms in q⁰ and √q cancel exactly and are left out."""
        return _erfcx_rest(np.sqrt(2 * q)) / 2 - _erfcx_rest(np.sqrt(q / 2))

    def mean(q: Array) -> Array:
        linear = (1 - alpha) * np.sqrt(q / _TAU)
        return scale * (linear + alpha * _erfcx_rest(np.sqrt(q / 2)) / 2)

    def derivative_second_moment(q: Array) -> Array:
        return scale**2 * (1 + alpha**2 * _special(torch.special.erfcx, np.sqrt(2 * q))) / 2

    return Moments(
        second_moment=lambda q: scale**2 * (q / 2 + alpha**2 * below(q)),
        derivative_second_moment=derivative_second_moment,
        mean=mean,
    )


def _erfcx_rest(x: Array) -> Array:
    """erfcx(x) − 1 + 2x/√π for x ≥ 0, in full relative precision; its series begins with x²."""
    series = np.zeros_like(x)
    for order in range(21, 1, -1):  # the next term, 0.25²²/Γ(12) = 1e-21, is below a bit
        series = series * x + (-1) ** order / math.gamma(order / 2 + 1)
    direct = _special(torch.special.erfcx, x) - 1 + 2 * x / math.sqrt(math.pi)
    # From 0.25 on, the subtraction costs about four bits at most.
    return np.where(x < 0.25, series * np.minimum(x, 0.25) ** 2, direct)


def sin() -> Moments:
    """Moments of sin(h), from E[e^{ih}] = e^{−q/2}."""

    def both_signs(a: Array, b: Array, r: Array) -> tuple[Array, Array]:
        """exp(|r| − (a + b)/2), which cannot overflow, and exp(−2|r|) − 1."""
        return np.exp(np.abs(r) - (a + b) / 2), np.expm1(-2 * np.abs(r))

    def cross_moment(a: Array, b: Array, r: Array) -> Array:
        larger, less = both_signs(a, b, r)
        return -np.sign(r) * larger * less / 2

    def derivative_cross_moment(a: Array, b: Array, r: Array) -> Array:
        larger, less = both_signs(a, b, r)
        return larger * (1 + less / 2)

    def fourth_moment(q: Array) -> Array:
        wave = np.exp(-2 * q)  # (3 − 4w + w⁴)/8 is (1 − w)²(w² + 2w + 3)/8
        return np.expm1(-2 * q) ** 2 * (wave**2 + 2 * wave + 3) / 8

    return Moments(
        second_moment=lambda q: -np.expm1(-2 * q) / 2,
        second_moment_slope=lambda q: np.exp(-2 * q),
        derivative_second_moment=lambda q: (1 + np.exp(-2 * q)) / 2,
        fourth_moment=fourth_moment,
        mean=np.zeros_like,
        cross_moment=cross_moment,
        derivative_cross_moment=derivative_cross_moment,
    )


def rescaled(moments: Moments, *, inner: float, outer: float = 1.0) -> Moments:
    """Moments of outer·φ(inner·h), from those of φ.

    Args:
        moments: of φ.
        inner: the factor of the argument.
        outer: the factor of the result.
    """
    square = inner**2

    def of_variance(f: OfVariance | None, factor: float) -> OfVariance | None:
        return None if f is None else lambda q: factor * f(square * q)

    def of_covariance(f: OfCovariance | None, factor: float) -> OfCovariance | None:
        return None if f is None else lambda a, b, r: factor * f(square * a, square * b, square * r)

    slope = (outer * inner) ** 2
    return Moments(
        second_moment=of_variance(moments.second_moment, outer**2),
        second_moment_slope=of_variance(moments.second_moment_slope, slope),
        derivative_second_moment=of_variance(moments.derivative_second_moment, slope),
        fourth_moment=of_variance(moments.fourth_moment, outer**4),
        mean=of_variance(moments.mean, outer),
        cross_moment=of_covariance(moments.cross_moment, outer**2),
        derivative_cross_moment=of_covariance(moments.derivative_cross_moment, slope),
    )


def clipped_ramp(height: float, *, odd: bool) -> Moments:
    """Moments of min(max(h, 0), height), or of its odd extension min(max(h, −height), height).

    They follow from the moments of a normal law truncated at ``height``.
    """
    sides = 2 if odd else 1

    def parts(q: Array) -> tuple[Array, Array, Array]:
        """The height in standard deviations of h, P(0 < h < height), and the density at height."""
        t = height / np.sqrt(np.maximum(q, _TINY))
        inside = _special(torch.erf, t / math.sqrt(2)) / 2
        return t, inside, np.exp(-(t**2) / 2) / math.sqrt(_TAU)

    def outside(q: Array) -> Array:
        """P(h > height)."""
        t = height / np.sqrt(np.maximum(q, _TINY))
        return _special(torch.erfc, t / math.sqrt(2)) / 2

    def slope(q: Array) -> Array:
        t, inside, density = parts(q)
        return sides * (inside - t * density)

    def mean(q: Array) -> Array:
        _, _, density = parts(q)
        return np.sqrt(q) * (1 / math.sqrt(_TAU) - density) + height * outside(q)

    return Moments(
        second_moment=lambda q: q * slope(q) + sides * height**2 * outside(q),
        second_moment_slope=slope,
        derivative_second_moment=lambda q: sides * parts(q)[1],
        mean=np.zeros_like if odd else mean,
    )
