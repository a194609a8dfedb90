"""How the correlation of two signals, and a small difference between them, change per layer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..layer.activations import Activation
from ..layer.moments import (
    Phi,
    activation,
    arrays,
    derivative_cross_moment,
    derivative_second_moment,
    plain,
    second_moment_slope,
)
from ..layer.operation import MICROSECOND, Moments
from ..layer.stack import between_pre_activations
from ..maths.arrays import Array, Numbers
from .fixed_points import GRID, bracketed, reached
from .fixed_points import work as work_of_lengths

TRAINABLE = 6
"""Layers per ξ_c through which two signals can be told apart: Schoenholz et al. 2017."""

_CRITICAL = 1e-10  # |χ₁ − 1| below which a network counts as critical
# Microseconds of c* at one point, where φ has no closed form: if c* is 0, and if it is not.
_AT_ZERO, _BELOW_ONE = 2500.0, 9500.0
_ONE = torch.ones((), dtype=torch.float64)
_VANISHING = 1e-20  # a q that stands for q → 0, where a φ with φ(0) = 0 equals its tangents


def chi_1(phi: Phi, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """χ₁ = σ_w² E[φ′(√q* z)²]: below 1 ordered, above 1 chaotic, 1 at the edge of chaos.

    It is the factor by which one layer multiplies the square of a small difference between two
    signals and, if all widths are equal, the second moment of the gradient on its way back.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        χ₁ at the q* of `fixed_point`: a float for scalars, else an array. Where the signal dies
        out, it is the limit as q → 0. Where the signal grows without bound, it is the limit as
        q → ∞: σ_w²/2 for ReLU, inf where φ′ grows too, nan where no limit is found.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.

    Reference: Schoenholz et al. 2017, arXiv:1611.01232.
    """
    phi = activation(phi)
    weight, bias = arrays(sigma_w=sigma_w, sigma_b=sigma_b)
    return plain(_chi_1(phi, weight, reached(phi, weight, bias)))


def _chi_1(phi: Activation, weight: Array, q: Array) -> Array:
    """χ₁ at a known q*, nan where the signal grows without bound."""
    diverging = np.isnan(q)
    slopes = derivative_second_moment(phi, np.where(diverging, 0.0, q))
    if diverging.any():
        slopes = np.where(diverging, _derivative_second_moment_far_out(phi), slopes)
    return weight**2 * slopes


@lru_cache(maxsize=64)
def _derivative_second_moment_far_out(phi: Activation) -> float:
    """lim E[φ′(√q z)²] as q → ∞: inf if it grows, nan if it neither grows nor settles."""
    near, far = derivative_second_moment(phi, np.array([1e24, 1e28]))
    if abs(far - near) <= 1e-6 * near:
        return float(far)
    return np.inf if far > 2 * near else np.nan


def correlation_map(phi: Phi, c: Numbers, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """C(c) = (σ_w² E[φ(u₁)φ(u₂)] + σ_b²)/q*: the correlation of two signals one layer later.

    u₁ and u₂ have variance q* and correlation c.

    Args:
        phi: the activation, or its registry name.
        c: the correlation of the two pre-activations, from −1 to 1.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        C(c): a float for scalars, else an array. Where the signals die out, it is the limit as
        q → 0. It is nan where they grow without bound, or are zero after one layer.

    Raises:
        ValueError: phi is unknown, or another argument is out of its range.

    Reference: Poole et al. 2016, arXiv:1606.05340.
    """
    phi = activation(phi)
    (correlation,) = arrays(-1.0, 1.0, c=c)
    weight, bias = arrays(sigma_w=sigma_w, sigma_b=sigma_b)
    correlation, weight, bias = np.broadcast_arrays(correlation, weight, bias)
    q = reached(phi, weight, bias)
    result = np.full(q.shape, np.nan)
    known = ~np.isnan(q) & ((weight > 0) | (bias > 0))
    q = np.where(q == 0, _VANISHING, q)[known]
    layer = between_pre_activations(phi, weight[known], bias[known])
    later = layer.moments(Moments(square=q, cross=correlation[known] * q))
    result[known] = later.cross / later.square
    return plain(result)


def stable_correlation(phi: Phi, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """c*: the correlation that two different signals approach at depth.

    c* is 1 where χ₁ ≤ 1, that is, in the ordered phase and at its edge. In the chaotic phase it is
    the fixed point of C below 1. C is a power series with nonnegative coefficients, so it is convex
    on [0, 1] and has one such fixed point, to which Newton's method climbs from c = 0.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        c* in [0, 1]: a float for scalars, else an array; nan where the signals grow without bound.
        A point in the chaotic phase of a φ without closed form takes tens of milliseconds.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.

    Reference: Poole et al. 2016, arXiv:1606.05340.
    """
    phi = activation(phi)
    weight, bias = arrays(sigma_w=sigma_w, sigma_b=sigma_b)
    q = reached(phi, weight, bias)
    return plain(_stable_correlation(phi, weight, bias, q))


def _stable_correlation(phi: Activation, weight: Array, bias: Array, q: Array) -> Array:
    result = np.where(np.isnan(q), np.nan, 1.0)
    chaotic = ~np.isnan(q) & (_chi_1(phi, weight, q) > 1 + _CRITICAL)
    if chaotic.any():
        result[chaotic] = _chaotic_correlation(phi, weight[chaotic], bias[chaotic], q[chaotic])
    return result


def _chaotic_correlation(phi: Activation, weight: Array, bias: Array, q: Array) -> Array:
    c, left = np.zeros(q.size), np.arange(q.size)
    for _ in range(60):  # beside criticality, a step at least halves the distance
        at = q[left]
        layer = between_pre_activations(phi, weight[left], bias[left])
        excess = layer.moments(Moments(square=at, cross=c[left] * at)).cross / at - c[left]
        slope = weight[left] ** 2 * derivative_cross_moment(phi, at, at, c[left] * at) - 1
        step = np.where(slope < 0, -excess / np.minimum(slope, -1e-300), 0.0)
        c[left] = np.clip(c[left] + step, 0.0, 1.0)
        left = left[np.abs(step) > 1e-10]  # the next step would be its square
        if left.size == 0:
            break
    return c


def depth_scales(phi: Phi, sigma_w: Numbers, sigma_b: Numbers) -> tuple[Numbers, Numbers]:
    """(ξ_q, ξ_c): the numbers of layers over which lengths and correlations settle as e^{−l/ξ}.

    ξ_q = −1/ln V′(q*), with V′ in Stein's form, and ξ_c = −1/ln(σ_w² E[φ′(u₁)φ′(u₂)]) at c*.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        ξ_q and ξ_c, in layers, each ≥ 0; inf at criticality, nan where signals grow without bound.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.

    Reference: Schoenholz et al. 2017, arXiv:1611.01232.
    """
    phi = activation(phi)
    weight, bias = arrays(sigma_w=sigma_w, sigma_b=sigma_b)
    q = reached(phi, weight, bias)
    length_factor = weight**2 * second_moment_slope(phi, np.nan_to_num(q))
    c = _stable_correlation(phi, weight, bias, q)
    correlation_factor = np.array(_chi_1(phi, weight, q))
    chaotic = c < 1
    at, w = q[chaotic], weight[chaotic]
    correlation_factor[chaotic] = w**2 * derivative_cross_moment(phi, at, at, c[chaotic] * at)
    xi_q, xi_c = (
        plain(np.where(np.isnan(q), np.nan, _scale(factor)))
        for factor in (length_factor, correlation_factor)
    )
    return xi_q, xi_c


def _scale(factor: Array) -> Array:
    """−1/ln|factor|, in layers: 0 where the factor is 0, inf where it is 1 or more."""
    with np.errstate(divide="ignore"):
        scale = -1 / np.log(np.abs(factor))
    return np.where(np.abs(factor) < 1 - _CRITICAL, scale, np.inf)


def work(phi: Activation, sigma_w: Array, sigma_b: Array) -> float:
    """The multiply-adds of `depth_scales` for vectors of σ_w and σ_b in one call.

    A point in the chaotic phase needs integrals over two variables, unless φ has a closed form.
    """
    lengths = 1.5 * work_of_lengths(phi, sigma_w.size)
    if getattr(phi.closed_form, "derivative_cross_moment", None) is not None:
        return lengths
    q, rows, low, high = bracketed(phi, sigma_w, sigma_b)
    q[rows] = np.sqrt(low * high)
    slopes = np.interp(np.log(np.maximum(q, GRID[0])), np.log(GRID), _slopes_on_grid(phi))
    chaotic = sigma_w**2 * slopes > 1
    at_zero = (sigma_b == 0) & bool(phi(-_ONE) == -phi(_ONE))  # φ is odd, so that c* is 0
    each = np.where(at_zero, _AT_ZERO, _BELOW_ONE)
    return lengths + float(each[chaotic].sum()) * MICROSECOND


@lru_cache(maxsize=64)
def _slopes_on_grid(phi: Activation) -> Array:
    """E[φ′(√q z)²] on the grid of q."""
    return np.asarray(derivative_second_moment(phi, GRID))
