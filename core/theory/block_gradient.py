"""The sizes of a gradient in many networks of blocks, sampled by scalars on the way back.

A gradient has a part along the centred x, a part along the vector of ones, and a rest, which points
anywhere across both. Given the signal, a transposed Gaussian matrix acts on a vector by what the
product a @ x fixes of it, and by independent normal numbers. So the squares of the three parts go
back by scalars, up to O(1/n). Where φ has a mean, a skip lets the first two feed on each other: they
may outgrow the rest, and the gradient goes as |N(0, 1)|.

Reference: Bolthausen 2014, arXiv:1201.2891; Yang & Schoenholz 2017, arXiv:1712.08969.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..maths.arrays import Array
from .block import LN_EPSILON, Block, Signal
from .block_signal import Draws, Step
from .unit_moments import UnitMoments


@dataclass(frozen=True)
class Gradient:
    """A gradient in each network, float64 arrays of one shape, in units of exp(ln_scale).

    Attributes:
        ln_scale: ln of the unit.
        along: the component along x − mean x.
        ones: the component along (1, …, 1).
        rest: the square of all other components together.
    """

    ln_scale: Array
    along: Array
    ones: Array
    rest: Array

    @classmethod
    def start(cls, n: int, draws: Draws) -> Gradient:
        """N(0, 1) in every unit."""
        rest = draws.chi_square_mean(n - 2) * max(n - 2, 0)
        return cls(np.zeros_like(rest), draws.normal(), draws.normal(), rest).unit

    @property
    def square(self) -> Array:
        """The square of the length, in squares of the unit."""
        return np.asarray(self.along**2 + self.ones**2 + self.rest)

    @property
    def unit(self) -> Gradient:
        """The same with length 1 in its unit."""
        length = np.sqrt(np.maximum(self.square, 1e-300))
        scale = self.ln_scale + np.log(length)
        return Gradient(scale, self.along / length, self.ones / length, self.rest / length**2)

    def through_norm(self, norm: str, x: Signal) -> Gradient:
        """The gradient with respect to x, from that with respect to norm(x)."""
        if norm == "none":
            return self
        _, ln_s2 = x.normed(norm)
        left, scale = np.exp(LN_EPSILON - ln_s2), self.ln_scale - ln_s2 / 2
        if norm == "layer":
            return Gradient(scale, self.along * left, np.zeros_like(left), self.rest)
        root = np.sqrt(x.variance)
        onto = (root * self.along + x.mean * self.ones) * left
        across = root * self.ones - x.mean * self.along
        first, second = root * onto - x.mean * across, x.mean * onto + root * across
        return Gradient(scale, first, second, self.rest)


@dataclass(frozen=True)
class _Frame:
    """How the gradient lies about the centred x and the branch, which add up to the output.

    Attributes:
        cosine, sine: of the angle between the centred x and the centred sum; 0 and 1 without a
            skip.
        chance: the component of the gradient's rest along the centred x, over its sine.
    """

    cosine: Array
    sine: Array
    chance: Array


def moved_back(block: Block, step: Step, g: Gradient, draws: Draws) -> tuple[Gradient, float]:
    """The gradient at a layer's input, from that at its output.

    Args:
        block: the layer.
        step: what the layer did to the signal.
        g: the gradient at its output.
        draws: the random numbers.

    Returns:
        The gradient, and the mean relative variance of its square in this layer by the units that
        carry it, which was taken as lognormal.
    """
    g = g.through_norm(block.after, step.total)
    cosine = _aligned(block, step)
    chance = np.sqrt(g.rest / block.width) * draws.normal()
    frame = _Frame(cosine, np.sqrt(1 - cosine**2), chance)
    back = _through_units if block.branch == "product" else _through_matrix
    u, own = back(block, step, g, frame, draws)
    u = replace(u, ln_scale=u.ln_scale + block.ln_factor)
    if not block.skip:
        return u.unit, own
    along = cosine * g.along + frame.sine * chance
    kept = np.maximum(g.along**2 + g.rest - along**2, 0.0)
    top = np.maximum(g.ln_scale, u.ln_scale)
    a, b = np.exp(g.ln_scale - top), np.exp(u.ln_scale - top)
    both = 2 * a * b * np.sqrt(kept * u.rest / block.width) * draws.normal()
    rest = np.maximum(a**2 * kept + both + b**2 * u.rest, 0.0)
    found = Gradient(top, a * along + b * u.along, a * g.ones + b * u.ones, rest)
    through = float(np.mean(b**2 * u.square / np.maximum(found.square, 1e-300)))
    return found.unit, own * min(through, 1.0) ** 2


def _aligned(block: Block, step: Step) -> Array:
    """The cosine between the centred x before and behind the sum; 0 without a skip.

    What x and the branch share by chance is estimated from the variance of their sum.
    """
    x, total = step.x, step.total
    if not block.skip:
        return np.zeros_like(x.mean)
    added = step.added_variance
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        own, whole = x.ln_variance, total.ln_variance
        ratio, part = np.exp(whole - own), np.exp(added - own)
        by_chance = 4 / (4 + (step.added_kurtosis - 1) * part)
        shared = (ratio - 1 - part) * by_chance / 2
        found = (1 + shared) / np.sqrt(ratio)
    return np.clip(np.nan_to_num(found, nan=0.0, posinf=0.0), 0.0, 1.0)


def _through_units(
    block: Block, step: Step, g: Gradient, frame: _Frame, draws: Draws
) -> tuple[Gradient, float]:
    """The gradient behind φ(a @ x + b), in front of it."""
    n = block.width
    entering, _ = step.x.normed(block.before)
    ln_v, share = block.after_product(entering.ln_square)
    ln_v, ln_inside = block.inner(ln_v)
    m = UnitMoments(block.activation, ln_v)
    ln_inside = ln_inside + _length(block, draws)
    root = np.sqrt(m.variance)
    s = g.along * frame.sine
    # (h ∘ φ′)·δ over √(n v E φ′²): along the centred φ, along ones, and by chance.
    onto_phi = (m.z_phi_d - m.mean * m.zd) / root
    if step.deviation is not None:
        onto_phi = onto_phi * np.exp(step.deviation / 2)
    onto_h = onto_phi * (s - frame.cosine * frame.chance) + m.zd * g.ones
    free = np.maximum(m.zd_square - m.zd**2 - onto_phi**2, 0)
    vary = free * (g.rest + g.ones**2) + m.zd_square * (g.along * frame.cosine) ** 2
    own = _by_chance(block, step, m, block.inside != "none", n)
    lifted = np.exp(np.sqrt(own) * draws.normal() - own / 2 + _with_signal(block, step, m))
    square = g.rest * lifted + (g.along * frame.cosine) ** 2 + g.ones**2
    square += s**2 * (m.phi_square_dd - 2 * m.mean * m.phi_dd + m.mean**2) / m.variance
    square += 2 * s * g.ones * (m.phi_dd - m.mean) / root
    if block.inside != "none":
        square -= onto_h**2
        if block.inside == "layer":
            square -= (s * (m.phi_d - m.mean * m.d) / root + g.ones * m.d) ** 2
        left = np.exp(LN_EPSILON - ln_inside)
        onto_h, vary = onto_h * left, vary * left**2
    square = np.maximum(square, 1e-300)
    vary = share * vary + (1 - share) * square
    onto_x = np.sqrt(share) * onto_h + np.sqrt(vary / n) * draws.normal()
    scale = g.ln_scale + np.log(block.sigmas[0]) + (m.ln_slope - ln_inside) / 2
    found = _around(entering, scale, onto_x, square, n, draws)
    return found.through_norm(block.before, step.x), float(np.mean(own)) + 2 / n


def _length(block: Block, draws: Draws) -> Array:
    """ln of the mean square of h that a norm inside divides by, over its expectation."""
    if block.inside == "none":
        return np.zeros_like(draws.normal())
    return np.log(draws.chi_square_mean(block.hidden - 1))


def _around(
    x: Signal, ln_scale: Array, onto_x: Array, square: Array, n: int, draws: Draws
) -> Gradient:
    """aᵀe from its part along a's input x, and from |e|²: normal across x."""
    root = np.sqrt(x.variance)
    across = np.sqrt(square / n) * draws.normal()
    rest = square * draws.chi_square_mean(n - 2) * max(n - 2, 0) / n
    first, second = root * onto_x - x.mean * across, x.mean * onto_x + root * across
    return Gradient(ln_scale, first, second, rest)


def _by_chance(block: Block, step: Step, m: UnitMoments, fixed: bool, units: int) -> Array:
    """The relative variance of |φ′ ∘ δ|² by the units' chance, given the signal."""
    sums = m.d_fourth - 1 - (m.zd_square - 1) ** 2 / 2 * fixed
    if step.deviation is not None:
        covariance, variance = _with_squares(m, fixed)
        sums = sums - covariance**2 / variance
    return np.log1p((np.maximum(sums, 0) + 2 * (m.d_fourth - 1)) / units)


def _with_squares(m: UnitMoments, fixed: bool) -> tuple[Array, Array]:
    """The covariance of the sum of φ′² with that of φ², and the variance of the latter, times n."""
    covariance = m.phi_square_dd - 1 - m.power * (m.zd_square - 1) * fixed
    return covariance, np.maximum(m.fourth - 1 - 2 * m.power**2 * fixed, 1e-6)


def _with_signal(block: Block, step: Step, m: UnitMoments) -> Array:
    """ln of the factor on |φ′ ∘ δ|² that the deviation of the sum of φ² lets expect."""
    fixed = block.branch == "preactivation" or block.inside != "none"
    bent = -m.d_bend / block.hidden * fixed
    if step.deviation is None:
        return bent
    covariance, variance = _with_squares(m, fixed)
    return bent + covariance / variance * step.deviation


def _through_matrix(
    block: Block, step: Step, g: Gradient, frame: _Frame, draws: Draws
) -> tuple[Gradient, float]:
    """The gradient behind a @ φ(x) + b, or behind a₂ @ φ(a₁ @ x + b₁) + b₂, in front of it."""
    n, units = block.width, block.hidden
    entering, _ = step.x.normed(block.before)
    is_mlp = block.branch == "mlp"
    ln_h, share = block.after_product(entering.ln_square) if is_mlp else (entering.ln_square, None)
    ln_h, ln_inside = block.inner(ln_h)
    m = UnitMoments(block.activation, ln_h)
    length = np.sqrt(g.square)
    fixed = not is_mlp or block.inside != "none"
    if is_mlp:
        ln_inside = ln_inside + _length(block, draws)
    own = _by_chance(block, step, m, fixed, units)
    lifted = np.exp(np.sqrt(own) * draws.normal() - own / 2 + _with_signal(block, step, m))
    # aᵀδ in units of a's std: along φ, where the product a @ φ fixes it, and anywhere across.
    onto = np.sqrt(n * step.share) * (g.along * frame.sine - frame.cosine * frame.chance)
    onto = onto + np.sqrt(step.share) * g.ones * draws.normal()
    onto = onto + np.sqrt(1 - step.share) * length * draws.normal()
    scale = g.ln_scale + np.log(block.sigmas[-1]) + m.ln_slope / 2
    if not is_mlp and block.inside != "none":
        onto, ln_inside = onto * np.exp(LN_EPSILON - step.ln_inside), step.ln_inside
    tilted = 1 + (entering.mean * m.d_tilt if not is_mlp and block.before != "layer" else 0.0)
    square = onto**2 * m.phi_square_dd + g.square * np.maximum(
        units * lifted * np.maximum(tilted, 0.1) - m.phi_square_dd, 0
    )
    across = np.sqrt(np.maximum(m.zd_square - m.z_phi_d**2, 0)) * length * draws.normal()
    raised = np.exp(step.deviation / 2)
    onto_h = (onto * m.z_phi_d * raised + across) / np.sqrt(units)
    square = square / units
    scale = scale - ln_inside / 2
    if share is None:
        across = np.sqrt(np.maximum(1 - m.phi_d**2, 0)) * length * draws.normal()
        ones = (onto * m.phi_d + across) / np.sqrt(n)
        rest = np.maximum(square - onto_h**2 - ones**2, 0)
        # The normal numbers across φ have a length that varies too.
        rest = rest * draws.chi_square_mean(max(n - 2, 1))
        found = Gradient(scale, onto_h, ones, rest)
    else:
        if block.inside != "none":
            square = np.maximum(square - onto_h**2, 1e-300)
            onto_h = onto_h * np.exp(LN_EPSILON - ln_inside)
        onto_x = np.sqrt(units / n * share) * onto_h
        onto_x = onto_x + np.sqrt((1 - share) * square / n) * draws.normal()
        scale = scale + np.log(block.sigmas[0])
        found = _around(entering, scale, onto_x, square, n, draws)
    return found.through_norm(block.before, step.x), float(np.mean(own)) + 2 / n
