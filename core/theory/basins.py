"""The basin of a fixed point: the signals that come to it, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..layer.activations import Activation
from ..layer.moments import second_moment_slope
from ..layer.operation import Moments
from ..layer.stack import between_pre_activations
from ..maths.arrays import Array
from ..maths.roots import bracketed_roots
from ..text import significant
from .fixed_points import GRID, growth_signs

_LEVEL = 1e-8  # |V′(q) − 1| up to which V touches the diagonal: σ_b as a float blurs it by 1e-9
_BESIDE = 1e-7  # of q: nearer to the fixed point, V(q)/q − 1 is rounding


@dataclass(frozen=True)
class Basin:
    """A fixed point q of the length map V, and the signals that come to it.

    Attributes:
        sigma_w: weight_std·√fan_in.
        sigma_b: the biases' standard deviation.
        q: the second moment of the pre-activation at the fixed point.
        slope: V′(q), the factor of a small distance from q at each layer.
        low, high: the least and the largest q of a signal that comes to the fixed point; both are
            the fixed point itself if no other signal does. ``high`` may be inf. The ends themselves
            are other fixed points, and stay.
        below, above: where a signal goes that is a little smaller or larger: the fixed point, the
            next one on that side, 0, or inf if it grows without bound.
    """

    sigma_w: float
    sigma_b: float
    q: float
    slope: float
    low: float
    high: float
    below: float
    above: float

    @property
    def attracts(self) -> bool:
        """Whether some other signal comes to the fixed point."""
        return self.low < self.high

    @property
    def by_a_power_law(self) -> bool:
        """Whether V′(q) = 1: the distance to q shrinks, if it does, as a power of the depth.

        At q = 0 it may shrink more slowly still, as with a φ that is linear around 0.
        """
        return abs(self.slope - 1) <= _LEVEL

    def holds(self, q: float) -> bool:
        """Whether a signal of that second moment comes to the fixed point, or is there."""
        return self.low < q < self.high or q == self.q

    @property
    def sentence(self) -> str:
        """Which signals come to the fixed point, in words."""
        where = f"At σ_w = {significant(self.sigma_w, 6)} and σ_b = {significant(self.sigma_b)} "
        if self.low == self.high == self.below == self.above:
            return f"{where}every signal stays as it is."
        where += f"the fixed point is q = {significant(self.q)}"
        speed = " as a power of the depth" if self.by_a_power_law else ""
        speed += " or more slowly" if speed and self.q == 0 else ""
        largest = "any size" if self.high == np.inf else significant(self.high)
        sizes, come = f"with q from {significant(self.low)} to {largest}", f"come to it{speed}"
        if not self.attracts and self.q == 0:
            return f"{where}: all signals {_goes(self.above)}."
        if self.below == self.above:
            return f"{where}: signals {sizes} {come}."
        smaller, larger = f"smaller ones {_goes(self.below)}", f"larger ones {_goes(self.above)}"
        if not self.attracts:
            return f"{where}, and no other signal comes to it: {smaller}, {larger}."
        if self.below == self.q:
            return f"{where}: smaller signals, {sizes}, {come}; {larger}."
        return f"{where}: larger signals, {sizes}, {come}; {smaller}."


def _goes(q: float) -> str:
    if q == 0:
        return "die out"
    return "grow without bound" if q == np.inf else f"go to q = {significant(q)}"


def basin(phi: Activation, sigma_w: float, sigma_b: float, q: float) -> Basin:
    """The basin of a known fixed point.

    Args:
        phi: the activation.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0.
        q: a fixed point of V, ≥ 0.
    """
    slope = sigma_w**2 * float(second_moment_slope(phi, q))
    sign = growth_signs(phi, np.array([sigma_w]), np.array([sigma_b]))[0]
    if not sign.any():  # every q is fixed
        return Basin(sigma_w, sigma_b, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    around = _Surroundings(phi, sigma_w, sigma_b, q, slope, sign)
    (comes_up, lower), (comes_down, upper) = around.side(-1), around.side(1)
    low, below = (lower, q) if comes_up else (q, lower)
    high, above = (upper, q) if comes_down else (q, upper)
    return Basin(sigma_w, sigma_b, q, slope, low, high, below, above)


@dataclass(frozen=True)
class _Surroundings:
    """What V does on both sides of its fixed point q; ``sign`` is that of V − q on the grid."""

    phi: Activation
    sigma_w: float
    sigma_b: float
    q: float
    slope: float
    sign: Array

    def side(self, outwards: int) -> tuple[bool, float]:
        """Whether signals just outside q come to it, and the next fixed point on that side.

        Args:
            outwards: 1 for larger signals, −1 for smaller ones.
        """
        beyond = (GRID - self.q) * outwards > 0
        (places,) = np.nonzero(beyond & (self.sign != 0))
        places = places[::outwards]
        end = np.inf if outwards > 0 else 0.0
        if not places.size:
            return True, end  # V is q there but for rounding
        level = abs(self.slope - 1) <= _LEVEL
        own = float(self.sign[places[0]] if level else np.sign(self.slope - 1) * outwards)
        (others,) = np.nonzero(self.sign[places] == -own)
        if not others.size:
            return own == -outwards, end
        first = others[0]
        start = np.log(GRID[places[first - 1]]) if first else np.log(self.q)
        return own == -outwards, self._root(float(start), float(np.log(GRID[places[first]])))

    def _root(self, start: float, stop: float) -> float:
        """The next fixed point, between two values of ln q; q itself is divided out."""
        layer = between_pre_activations(self.phi, self.sigma_w, self.sigma_b)
        fixed = np.log(self.q) if self.q > 0 else -np.inf

        def growth(log_q: Array, _: NDArray[np.intp]) -> Array:
            q = np.exp(log_q)
            found = np.asarray(layer.moments(Moments(square=q)).square) / q - 1
            apart = log_q - fixed
            if fixed == -np.inf:
                return found
            beside = np.abs(apart) < _BESIDE
            return np.where(beside, self.slope - 1, found / np.where(beside, 1.0, apart))

        ends = sorted([start, stop])
        return float(np.exp(bracketed_roots(growth, np.array(ends[:1]), np.array(ends[1:]))[0]))
