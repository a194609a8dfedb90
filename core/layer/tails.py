"""The behaviour of an activation beside zero, far from zero, and at infinity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ..maths.arrays import Array, Numbers, log2
from ..maths.quadrature import TensorFunction
from .activations import Activation
from .moments import cross_moment, derivative_second_moment, mean, second_moment

FAR = 40
"""log2 of the |h| from which on φ(h) is taken as a power of h; −FAR towards zero.

At 2^±40, φ and its power agree to the precision of float32.
"""

# log2 of the arguments of tables; beyond both ends an activation follows a power law.
_GRID: Array = np.arange(-60.0, 60.0 + 1 / 32, 1 / 16)
_BESIDE_ZERO = 1e-12  # the |h| at which slopes are measured; |φ(0)| up to this counts as 0


@lru_cache(maxsize=64)
def infinite_sides(phi: Activation) -> tuple[bool, bool]:
    """Whether φ(−∞), and whether φ(∞), is not finite."""
    ends = phi(torch.tensor([-torch.inf, torch.inf], dtype=torch.float64))
    below, above = (~ends.isfinite()).tolist()
    return below, above


@lru_cache(maxsize=64)
def never_zero(phi: Activation) -> bool:
    """Whether φ(h) ≠ 0 for every h ≠ 0, checked at 998 points of [−1, 1]."""
    return bool((phi(_between_minus_one_and_one()) != 0).all())


@lru_cache(maxsize=64)
def far_powers(phi: Activation) -> tuple[float, float]:
    """The powers of |h| that |φ(h)| follows for |h| < 2^−40 and for |h| > 2^40."""
    return _power(phi.function, -FAR), _power(phi.function, FAR)


@lru_cache(maxsize=64)
def derivative_far_powers(phi: Activation) -> tuple[float, float]:
    """The powers of |h| that |φ′(h)| follows there; 0 where φ′ is all zero."""
    return _power(phi.derivative, -FAR), _power(phi.derivative, FAR)


def _power(function: TensorFunction, octave: int) -> float:
    """The power of |h| that a function follows beyond |h| = 2^octave, to a half."""
    u, outwards = _between_minus_one_and_one(), 1 if octave > 0 else -1
    near, far = (function(u * 2.0 ** (octave + k)).square().mean().item() for k in (0, outwards))
    return float(np.rint(np.log2(far / near)) * outwards / 2) if near > 0 and far > 0 else 0.0


@lru_cache(maxsize=64)
def slopes(phi: Activation) -> tuple[float, float] | None:
    """φ′ just below and just above zero; None if φ(0) ≠ 0."""
    h = 1.0 if phi.positively_homogeneous else _BESIDE_ZERO
    below, zero, above = phi(torch.tensor([-h, 0.0, h], dtype=torch.float64)).tolist()
    return None if abs(zero) > _BESIDE_ZERO else (-below / h, above / h)


def _between_minus_one_and_one() -> torch.Tensor:
    return torch.linspace(-1, 1, 998, dtype=torch.float64)  # an even count leaves out 0


@dataclass(frozen=True)
class PowerTails:
    """A function in logarithms: interpolated on a grid, and a power law beyond its ends.

    Attributes:
        grid: logarithms of the argument, ascending and evenly spaced.
        values: logarithms of the function there, same shape and base.
        slopes: the powers below the grid and above it.
    """

    grid: Array
    values: Array
    slopes: tuple[float, float]

    @classmethod
    def of(cls, grid: Array, values: Array, over: int = 1) -> PowerTails:
        """The function with the powers of its first and of its last ``over`` steps on the grid."""
        step = over * (grid[1] - grid[0])
        low, high = (
            float((values[above] - values[below]) / step) if np.isfinite(values[below]) else 0.0
            for below, above in ((0, over), (-1 - over, -1))
        )  # the logarithm of a function that is 0 beyond its end stays −∞
        return cls(grid, values, (low, high))

    def with_half_powers(self) -> PowerTails:
        """The same function with both powers rounded to multiples of a half."""
        low, high = (float(np.round(2 * slope) / 2) for slope in self.slopes)
        return PowerTails(self.grid, self.values, (low, high))

    def __call__(self, at: Array) -> Array:
        """The logarithms of the function at any logarithms ``at`` of its argument, same shape."""
        found = np.interp(at, self.grid, self.values)
        beyond = np.minimum(at - self.grid[0], 0), np.maximum(at - self.grid[-1], 0)
        with np.errstate(over="ignore"):  # the logarithm of a square of a square of … is infinite
            for distance, slope in zip(beyond, self.slopes, strict=True):
                if slope:  # else it is a constant, at ±∞ too
                    found = found + distance * slope
        return np.asarray(found)


@lru_cache(maxsize=64)
def log2_second_moment(phi: Activation) -> PowerTails:
    """log2 E[φ(h)²] for h ~ N(0, q), as a function of log2 q."""
    values = log2(second_moment(phi, 2.0**_GRID))
    return PowerTails.of(_GRID, values).with_half_powers()


@lru_cache(maxsize=64)
def log2_derivative_moment(phi: Activation) -> PowerTails:
    """log2 E[φ′(h)²] for h ~ N(0, q), as a function of log2 q."""
    values = log2(derivative_second_moment(phi, 2.0**_GRID))
    return PowerTails.of(_GRID, values).with_half_powers()


@lru_cache(maxsize=64)
def log2_largest(phi: Activation) -> PowerTails:
    """log2 of the largest |φ(h)| with |h| ≤ r, as a function of log2 r."""
    r = torch.from_numpy(2.0**_GRID)
    largest = torch.maximum(phi(r).abs(), phi(-r).abs()).numpy()
    # The largest |φ(h)| need not be at |h| = r: sin oscillates.
    return PowerTails.of(_GRID, log2(np.maximum.accumulate(largest))).with_half_powers()


def mean_share(phi: Activation, octaves: Numbers) -> Array:
    """E φ(h)/√(E φ(h)²) for h ~ N(0, q), from log2 q; 0 where φ(h) is zero.

    It is constant beyond q = 2^±60.
    """
    return np.asarray(np.interp(octaves, _GRID, _mean_shares(phi)))


@lru_cache(maxsize=64)
def _mean_shares(phi: Activation) -> Array:
    return _share(mean(phi, 2.0**_GRID), np.sqrt(second_moment(phi, 2.0**_GRID)))


def shared_by(phi: Activation, octaves: Numbers, shared: Numbers) -> Array:
    """E φ(h) φ(h′)/E φ(h)², from log2 of the variance of both and from their correlation.

    The variance counts as 2^±60 beyond it.
    """
    q = 2.0 ** np.clip(octaves, _GRID[0], _GRID[-1])
    product = cross_moment(phi, q, q, np.clip(shared, -1.0, 1.0) * q)
    return _share(np.asarray(product), np.asarray(second_moment(phi, q)))


def _share(part: Array, of: Array) -> Array:
    return np.divide(part, of, out=np.zeros(np.shape(of)), where=np.asarray(of) > 0)
