"""The length map V(q) = σ_w² E[φ(√q z)²] + σ_b² and its fixed points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..layer.activations import Activation
from ..layer.moments import (
    Phi,
    activation,
    arrays,
    plain,
    second_moment,
    second_moment_slope,
)
from ..layer.operation import MICROSECOND, Moments
from ..layer.stack import between_pre_activations
from ..maths.arrays import Array, Numbers
from ..maths.roots import bracketed_roots

# The q at which the sign of V(q)/q − 1 is computed before a root is polished. V(q)/q varies over
# factors of q, not over per cents. Far from 1 it hardly varies, and the grid is coarse; it reaches
# so far because a tiny σ_b may have a fixed point there.
GRID: Array = 10.0 ** np.r_[-30:-12:0.5, -12 : 12 + 1 / 64 : 1 / 32, 12.5:30.5:0.5]
_START = int(np.argmin(np.abs(GRID - 1.0)))
_ROUNDING = 1e-12  # |V(q)/q − 1| below which V and q are the same but for rounding
_AT_A_TIME = 1 << 20  # values of V on the grid that are held at once: 8 MiB


@dataclass(frozen=True)
class FixedPoint:
    """A q with V(q) = q.

    Attributes:
        q: the second moment of the pre-activation.
        slope: V′(q), the factor of a small distance from q at each layer.
        stable: whether signals on both sides of q approach it.
    """

    q: float
    slope: float
    stable: bool


def length_map(phi: Phi, q: Numbers, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """V(q) = σ_w² E[φ(√q z)²] + σ_b²: the pre-activation's second moment one layer later.

    Args:
        phi: the activation, or its registry name.
        q: second moments of the pre-activation, ≥ 0.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0. q, sigma_w and sigma_b broadcast.

    Returns:
        V(q): a float for scalars, else an array.

    Raises:
        ValueError: phi is unknown, or another argument is not a number of at least 0.

    Reference: Poole et al. 2016, arXiv:1606.05340.
    """
    length, weight, bias = arrays(q=q, sigma_w=sigma_w, sigma_b=sigma_b)
    layer = between_pre_activations(activation(phi), weight, bias)
    return plain(np.asarray(layer.moments(Moments(square=length)).square))


def fixed_point(phi: Phi, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """q*: the limit of the iteration of V from q = 1, a pre-activation of unit variance.

    V increases with q, so q* is the nearest fixed point on the side to which V moves q = 1. For a
    positively homogeneous φ at σ_b = 0 and its critical σ_w, every q is fixed, and q* is 1. A q
    with |V(q)/q − 1| < 1e-12 counts as fixed. q* is searched for from 1e-30 to 1e30. A fixed point
    that V only touches is passed over; `basins.basin` knows those of the edge of chaos.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        q*, with |V(q*)/q* − 1| < 1e-10; 0.0 if the signal dies out; None if it grows without bound.
        For arrays, an array with nan instead of None.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.
    """
    weight, bias = arrays(sigma_w=sigma_w, sigma_b=sigma_b)
    q = reached(activation(phi), weight, bias)
    return None if q.ndim == 0 and np.isnan(q) else plain(q)


def reached(phi: Activation, sigma_w: Array, sigma_b: Array) -> Array:
    """`fixed_point` for checked arrays of one shape; nan where the signal grows without bound."""
    return _kept(phi, sigma_w.tobytes(), sigma_b.tobytes()).reshape(sigma_w.shape).copy()


@lru_cache(maxsize=2)  # the χ₁ and depth scales of a map need the same q*
def _kept(phi: Activation, sigma_w: bytes, sigma_b: bytes) -> Array:
    """`reached` for vectors of float64, given as bytes: a cache needs keys that hash."""
    weight, bias = np.frombuffer(sigma_w), np.frombuffer(sigma_b)
    result = np.empty(weight.size)
    at_a_time = _AT_A_TIME // GRID.size
    for start in range(0, weight.size, at_a_time):
        chunk = slice(start, start + at_a_time)
        result[chunk] = _reached(phi, weight[chunk], bias[chunk])
    return result


def fixed_points(phi: Phi, sigma_w: float, sigma_b: float) -> list[FixedPoint]:
    """All fixed points of V from 0 to 1e30, ascending, unstable ones included.

    Two fixed points within a few per cent of each other may be missed. If every q is fixed, the
    result is the single point q = 1 with slope 1, not stable.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0, a scalar.
        sigma_b: the biases' standard deviation, ≥ 0, a scalar.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.
    """
    phi = activation(phi)
    weight, bias = (np.reshape(value, 1) for value in arrays(sigma_w=sigma_w, sigma_b=sigma_b))
    sign = growth_signs(phi, weight, bias)[0]
    (certain,) = np.nonzero(sign)
    if certain.size == 0:
        return [FixedPoint(q=1.0, slope=1.0, stable=False)]
    (changes,) = np.nonzero(np.diff(sign[certain]))
    low, high = GRID[certain[changes]], GRID[certain[changes + 1]]
    q = _polished(phi, np.repeat(weight, changes.size), np.repeat(bias, changes.size), low, high)
    stable = sign[certain[changes]] > 0
    if length_map(phi, 0.0, weight, bias)[0] == 0:
        q, stable = np.insert(q, 0, 0.0), np.insert(stable, 0, sign[certain[0]] < 0)
    slopes = weight**2 * second_moment_slope(phi, q)
    columns = (values.tolist() for values in (q, slopes, stable))
    return [FixedPoint(*values) for values in zip(*columns, strict=True)]


def work(phi: Activation, points: int) -> float:
    """The multiply-adds of `fixed_point` for so many points in one call, and of χ₁ there."""
    closed = getattr(phi.closed_form, "second_moment", None) is not None
    first, more = (500, 20) if closed else (2500, 45)
    return (first + more * points) * MICROSECOND


def _reached(phi: Activation, weight: Array, bias: Array) -> Array:
    """`reached` for vectors so short that V on the grid may be held for every element."""
    q, rows, low, high = bracketed(phi, weight, bias)
    q[rows] = _polished(phi, weight[rows], bias[rows], low, high)
    return q


def bracketed(
    phi: Activation, weight: Array, bias: Array
) -> tuple[Array, NDArray[np.intp], Array, Array]:
    """q* where it is 0, 1 or nan, the places at which it is another one, and its bounds there."""
    sign = growth_signs(phi, weight, bias)
    # Where rounding hides the sign, the last certain sign at a smaller q is used.
    certain = np.maximum.accumulate(np.where(sign != 0, np.arange(GRID.size), 0), axis=1)
    certain_sign = np.take_along_axis(sign, certain, axis=1)
    stable = (certain_sign[:, :-1] > 0) & (certain_sign[:, 1:] < 0)

    above, below = stable[:, _START:], stable[:, :_START][:, ::-1]
    rising, falling = sign[:, _START] > 0, sign[:, _START] < 0
    q = np.select([rising, falling], [np.nan, 0.0], 1.0)
    cell = np.where(rising, _START + above.argmax(1), _START - 1 - below.argmax(1))
    (rows,) = np.nonzero((rising & above.any(1)) | (falling & below.any(1)))
    low, high = GRID[certain[rows, cell[rows]]], GRID[cell[rows] + 1]
    return q, rows, low, high


def growth_signs(phi: Activation, weight: Array, bias: Array) -> Array:
    """The sign of V(q) − q on the grid, shape (points, grid); 0 where rounding hides it."""
    growth = np.square(weight)[:, None] * _ratio_on_grid(phi) + np.square(bias)[:, None] / GRID - 1
    return np.where(np.abs(growth) > _ROUNDING, np.sign(growth), 0.0)


@lru_cache(maxsize=64)
def _ratio_on_grid(phi: Activation) -> Array:
    """E[φ(√q z)²]/q on the grid, which serves every σ_w and σ_b."""
    return second_moment(phi, GRID) / GRID


def _polished(phi: Activation, weight: Array, bias: Array, low: Array, high: Array) -> Array:
    """The q between low and high with V(q)/q = 1, to about 1e-14."""

    def growth(log_q: Array, rows: NDArray[np.intp]) -> Array:
        q = np.exp(log_q)
        layer = between_pre_activations(phi, weight[rows], bias[rows])
        return layer.moments(Moments(square=q)).square / q - 1

    return np.exp(bracketed_roots(growth, np.log(low), np.log(high)))
