"""The length map V(q) = σ_w² E[φ(√q z)²] + σ_b² and where it rests."""

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
from ..layer.operation import Moments
from ..layer.stack import between_pre_activations
from ..maths.arrays import Array, Numbers
from ..maths.roots import bracketed_roots

# Where V(q)/q − 1 is looked at before a root is polished. It varies over factors of q, not over
# per cents; far out almost nothing happens, but a tiny σ_b may put a fixed point there.
GRID: Array = 10.0 ** np.r_[-30:-12:0.5, -12 : 12 + 1 / 64 : 1 / 32, 12.5:30.5:0.5]
_START = int(np.argmin(np.abs(GRID - 1.0)))
_ROUNDING = 1e-12  # |V(q)/q − 1| below which V and q are the same but for rounding
_AT_A_TIME = 1 << 20  # values of V on the grid held at once


@dataclass(frozen=True)
class FixedPoint:
    """A q with V(q) = q.

    Attributes:
        q: the second moment of the pre-activation.
        slope: V′(q); a small distance from q is multiplied by it at each layer.
        stable: whether signals nearby come to q, from both sides.
    """

    q: float
    slope: float
    stable: bool


def length_map(phi: Phi, q: Numbers, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """V(q) = σ_w² E[φ(√q z)²] + σ_b²: the pre-activation's second moment, a layer later.

    Poole et al. 2016, arXiv:1606.05340.

    Args:
        phi: the activation, or its registry name.
        q: second moments of the pre-activation, ≥ 0.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0. The three broadcast.

    Returns:
        A float where all are scalars, else an array.

    Raises:
        ValueError: phi is unknown, or another is not a number of at least 0.
    """
    length, weight, bias = arrays(q=q, sigma_w=sigma_w, sigma_b=sigma_b)
    layer = between_pre_activations(activation(phi), weight, bias)
    return plain(np.asarray(layer.moments(Moments(square=length)).square))


def fixed_point(phi: Phi, sigma_w: Numbers, sigma_b: Numbers) -> Numbers:
    """q*: where the iteration of V leads from q = 1, a pre-activation of unit variance.

    That is the nearest fixed point on the side to which V moves q = 1, as V increases with q. For
    a positively homogeneous φ at σ_b = 0 and its critical σ_w every q is fixed; iteration from 1
    stays there, and q* is 1. |V(q)/q − 1| below 1e-12 counts as none, so that what grows or shrinks
    more slowly than that does neither; q* is sought from 1e-30 to 1e30.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        q*, with |V(q*)/q* − 1| < 1e-10; 0.0 where the signal dies out; None where it grows without
        bound. For arrays, an array, with nan for None.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.
    """
    weight, bias = arrays(sigma_w=sigma_w, sigma_b=sigma_b)
    q = reached(activation(phi), weight, bias)
    return None if q.ndim == 0 and np.isnan(q) else plain(q)


def reached(phi: Activation, sigma_w: Array, sigma_b: Array) -> Array:
    """`fixed_point` of arrays of one shape, already checked; nan where there is none."""
    return _kept(phi, sigma_w.tobytes(), sigma_b.tobytes()).reshape(sigma_w.shape).copy()


@lru_cache(maxsize=2)  # q*, χ₁ and depth scales of one map are asked for one after the other
def _kept(phi: Activation, sigma_w: bytes, sigma_b: bytes) -> Array:
    """`reached` of float64 numbers in a row."""
    weight, bias = np.frombuffer(sigma_w), np.frombuffer(sigma_b)
    result = np.empty(weight.size)
    at_a_time = _AT_A_TIME // GRID.size
    for start in range(0, weight.size, at_a_time):
        chunk = slice(start, start + at_a_time)
        result[chunk] = _reached(phi, weight[chunk], bias[chunk])
    return result


def fixed_points(phi: Phi, sigma_w: float, sigma_b: float) -> list[FixedPoint]:
    """All fixed points of V from 0 to 1e30, ascending, the unstable ones too.

    Two that lie within a few per cent of each other may be missed. Where every q is fixed, one is
    given for all: q = 1, slope 1, not stable.

    Args:
        phi: the activation, or its registry name.
        sigma_w: weight_std·√fan_in, ≥ 0, a scalar.
        sigma_b: the biases' standard deviation, ≥ 0, a scalar.

    Raises:
        ValueError: phi is unknown, or a sigma is not a number of at least 0.
    """
    phi = activation(phi)
    weight, bias = (np.reshape(value, 1) for value in arrays(sigma_w=sigma_w, sigma_b=sigma_b))
    sign = _growth_signs(phi, weight, bias)[0]
    (told,) = np.nonzero(sign)
    if told.size == 0:
        return [FixedPoint(q=1.0, slope=1.0, stable=False)]
    (turns,) = np.nonzero(np.diff(sign[told]))
    low, high = GRID[told[turns]], GRID[told[turns + 1]]
    q = _polished(phi, np.repeat(weight, turns.size), np.repeat(bias, turns.size), low, high)
    stable = sign[told[turns]] > 0
    if length_map(phi, 0.0, weight, bias)[0] == 0:
        q, stable = np.insert(q, 0, 0.0), np.insert(stable, 0, sign[told[0]] < 0)
    slopes = weight**2 * second_moment_slope(phi, q)
    columns = (values.tolist() for values in (q, slopes, stable))
    return [FixedPoint(*values) for values in zip(*columns, strict=True)]


def _reached(phi: Activation, weight: Array, bias: Array) -> Array:
    """`reached`, for vectors that are short enough to hold V on the grid for each element."""
    sign = _growth_signs(phi, weight, bias)
    # A place where rounding hides the sign counts as the last one told below it.
    told = np.maximum.accumulate(np.where(sign != 0, np.arange(GRID.size), 0), axis=1)
    told_sign = np.take_along_axis(sign, told, axis=1)
    rests = (told_sign[:, :-1] > 0) & (told_sign[:, 1:] < 0)

    above, below = rests[:, _START:], rests[:, :_START][:, ::-1]
    rising, falling = sign[:, _START] > 0, sign[:, _START] < 0
    q = np.select([rising, falling], [np.nan, 0.0], 1.0)
    cell = np.where(rising, _START + above.argmax(1), _START - 1 - below.argmax(1))
    (rows,) = np.nonzero((rising & above.any(1)) | (falling & below.any(1)))
    low, high = GRID[told[rows, cell[rows]]], GRID[cell[rows] + 1]
    q[rows] = _polished(phi, weight[rows], bias[rows], low, high)
    return q


def _growth_signs(phi: Activation, weight: Array, bias: Array) -> Array:
    """The sign of V(q) − q on the grid, (points, grid); 0 where it is lost in rounding."""
    growth = np.square(weight)[:, None] * _ratio_on_grid(phi) + np.square(bias)[:, None] / GRID - 1
    return np.where(np.abs(growth) > _ROUNDING, np.sign(growth), 0.0)


@lru_cache(maxsize=64)
def _ratio_on_grid(phi: Activation) -> Array:
    """E[φ(√q z)²]/q on the grid: V separates, and this serves every σ_w and σ_b."""
    return second_moment(phi, GRID) / GRID


def _polished(phi: Activation, weight: Array, bias: Array, low: Array, high: Array) -> Array:
    """The q between low and high at which V(q)/q = 1, to the last digits."""

    def growth(log_q: Array, rows: NDArray[np.intp]) -> Array:
        q = np.exp(log_q)
        layer = between_pre_activations(phi, weight[rows], bias[rows])
        return layer.moments(Moments(square=q)).square / q - 1

    return np.exp(bracketed_roots(growth, np.log(low), np.log(high)))
