"""The law of the gradient's rms at every layer, for one input, fresh weights and any φ.

Given the signal, aᵀe for Gaussian a has a part along x, which the product a @ x fixes, and a normal
part across it. With δ_k = c x_k/|x_k| + r, the squares C = c² and R = |r|² go back by two
recursions, which depend on the signal through its rms alone, up to O(1/n). At the last layer C is
one part of n. Where a signal a little too large grows on, C grows with every layer; the gradient
then goes as |N(0, 1)| and is not self-averaging.

Given the rms of x, ln C and ln R have a mean, and ln R a variance; all three go back along the
Markov chain of the rms. The law of δ is the mixture over the rms of x.

Reference: Bolthausen 2014, arXiv:1201.2891; Hanin & Nica 2018, arXiv:1812.05994.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from ..layer import moments as of_phi
from ..layer.named_activation import activation_of
from ..layer.operation import MICROSECOND
from ..layer.tails import PowerTails
from ..maths.arrays import Array
from ..maths.quadrature import TensorFunction, gaussian_expectation_at
from .length_law import LengthLaw

_LN2 = np.log(2.0)
_LN_Q = np.arange(np.log(1e-8), np.log(1e6), 0.1)  # beyond it, moments are powers of q
_ON_THE_WAY = special.roots_hermitenorm(7)  # nodes and weights for the next rms
_ALONG = np.log(special.chdtri(1, 1 - (np.arange(12) + 0.5) / 12))  # ln χ², equally likely
_POINTS = 21  # of a layer's rms in the mixture, likewise
# Normal, likewise; every other point of the mixture has points of its own, between the others, so
# that quantiles do not jump from one to the next. The golden ratio spaces them evenly.
_APART = (np.arange(_POINTS * len(_ALONG)) * (5**0.5 - 1) / 2 + 0.5) % 1
_ACROSS = special.ndtri((np.arange(21) + _APART.reshape(_POINTS, -1, 1)) / 21)
_TOGETHER = 4  # neighbouring points of the mixture that become one
_LEAST = 1e-300


@dataclass(frozen=True)
class Moments:
    """Logarithms of moments of φ(h), h ~ N(0, q), as functions of ln q.

    Attributes:
        square: E φ².
        derivative: E φ′².
        once: E h φ φ′.
        twice: E (h φ′)².
        together: E φ² φ′².
        fourth: E φ⁴.
        derivative_fourth: E φ′⁴.
    """

    square: PowerTails
    derivative: PowerTails
    once: PowerTails
    twice: PowerTails
    together: PowerTails
    fourth: PowerTails
    derivative_fourth: PowerTails


@lru_cache(maxsize=32)
def moments(activation: str) -> Moments:
    """The moments of the activation with this registry name."""
    phi, q = activation_of(activation), np.exp(_LN_Q)

    def table(values: Array) -> PowerTails:
        logs = np.log(np.maximum(values, _LEAST))
        # Over many steps, for the quadrature of an oscillating φ has errors that a few would show.
        return PowerTails.of(_LN_Q, logs, over=20).with_half_powers()

    def of(function: TensorFunction) -> PowerTails:
        return table(gaussian_expectation_at(function, q, breaks=phi.kinks))

    return Moments(
        table(of_phi.second_moment(phi, q)),
        table(of_phi.derivative_second_moment(phi, q)),
        table(q * of_phi.second_moment_slope(phi, q)),  # by d E φ²/dq
        of(lambda h: (h * phi.derivative(h)) ** 2),
        of(lambda h: (phi(h) * phi.derivative(h)) ** 2),
        table(of_phi.fourth_moment(phi, q)),
        of(lambda h: phi.derivative(h) ** 4),
    )


@dataclass(frozen=True)
class _Step:
    """One layer, at each rms of its input: logarithms of what takes C and R back.

    Attributes:
        center, sd: of ln p′, the mean square of the layer's output.
        along: of C into C, over p′: the sum of h φ φ′ varies with that of φ².
        lifted: of R into C.
        spilled: of C into R.
        kept: of R into R.
        own: the variance of ``kept``.
        both: the covariance of ``kept`` and ln p′.
    """

    center: Array
    sd: Array
    along: Array
    lifted: Array
    spilled: Array
    kept: Array
    own: Array
    both: Array


def _step(
    known: Moments, n: float, sigma_w: float, sigma_b: float, ln_p: Array, *, gaussian: bool
) -> _Step:
    ln_w = 2 * np.log(sigma_w)
    ln_y = ln_w + ln_p
    ln_q = np.logaddexp(ln_y, 2 * np.log(sigma_b)) if sigma_b else ln_y
    ln_share = ln_y - ln_q
    square, derivative = known.square(ln_q), known.derivative(ln_q)
    once = known.once(ln_q) + ln_share
    free = np.log(np.maximum(-np.expm1(ln_share), _LEAST)) + ln_share + ln_q + derivative
    twice = np.logaddexp(known.twice(ln_q) + 2 * ln_share, free)
    together = known.together(ln_q)
    slope = np.exp(known.once(ln_q) - square)
    signal = np.expm1(known.fourth(ln_q) - 2 * square) / n
    if not gaussian:
        signal = signal - 2 * slope**2 / n
    own = 3 * np.expm1(known.derivative_fourth(ln_q) - 2 * derivative) / n + 2 / n * gaussian
    variance = np.log1p(np.maximum(signal, 1e-12))
    # φ′ acts on the n − 1 directions across φ(h): those of all n, less that along φ(h).
    across = derivative + np.log1p(-np.expm1(together - square - derivative) / n)
    lifted = twice + np.log(np.maximum(-np.expm1(2 * once - square - twice), _LEAST))
    return _Step(
        square - variance / 2,
        np.sqrt(variance),
        2 * (once - square) - ln_p,
        lifted - np.log(n) - ln_p,
        ln_w + together - square,
        ln_w + across,
        np.maximum(own, 0),
        np.expm1(together - square - derivative) / n,
    )


@dataclass(frozen=True)
class _Given:
    """ln C and ln R of δ_k, given ln p of x_k on a grid.

    Attributes:
        ln_p: the grid, ascending.
        c: the mean of ln C, but for the χ² of one degree of freedom.
        r: the mean of ln R.
        variance: of ln R.
    """

    ln_p: Array
    c: Array
    r: Array
    variance: Array

    def before(self, step: _Step, ln_p: Array, n: float, *, gaussian: bool) -> _Given:
        """The same of δ_{k−1}, on a grid of ln p of x_{k−1}."""
        z, mass = _ON_THE_WAY
        mass = mass / mass.sum()
        then = step.center[:, None] + step.sd[:, None] * z
        c, r, v = (np.interp(then, self.ln_p, of) for of in (self.c, self.r, self.variance))
        slopes = np.interp(step.center, self.ln_p, np.gradient(self.r, self.ln_p))
        along = np.logaddexp(step.along[:, None] + then + c, step.lifted[:, None] + r)
        length = np.logaddexp(step.spilled[:, None] + c, step.kept[:, None] + r)
        across = -1 / n if gaussian else -np.exp(np.minimum(along - length, 0.0))
        length = length + np.log1p(np.maximum(across, -1 + 1e-9)) - step.own[:, None] / 2
        mean = length @ mass
        variance = v @ mass + (length - mean[:, None]) ** 2 @ mass
        variance = np.maximum(variance + step.own + 2 * slopes * step.both, 0)
        return _Given(ln_p, along @ mass, mean, variance)

    def law(self, n: float) -> tuple[Array, Array]:
        """Points of log2 rms of δ, ascending, with probabilities, for _POINTS values of ln p."""
        own = self.c[:, None] + _ALONG
        rest = self.r[:, None, None] + np.sqrt(self.variance)[:, None, None] * _ACROSS
        total = np.sort(np.logaddexp(own[:, :, None], rest).ravel())
        total = total.reshape(-1, _TOGETHER).mean(1)  # equally likely still
        return (total - np.log(n)) / (2 * _LN2), np.full(total.size, 1 / total.size)


def work(depth: int) -> float:
    """The multiply-adds of the law and of what is read from it, besides φ's moments."""
    return (200 + 550 * depth) * MICROSECOND


def gradient_law(
    activation: str, width: int, sigma_w: float, sigma_b: float, law: LengthLaw, *, gaussian: bool
) -> tuple[LengthLaw, float]:
    """The law of log2 rms of δ_k at layers k = 0 … depth, for δ_L ~ N(0, 1).

    Args:
        activation: the registry name of φ.
        width: n.
        sigma_w: weight_std·√n, > 0.
        sigma_b: the biases' standard deviation, ≥ 0.
        law: of log2 rms of x at layers 0 … depth.
        gaussian: whether entries are independent; else weights are orthogonal.

    Returns:
        The law, and the largest relative variance of one layer's step of R, averaged over the rms
        of x: about 3 over the number of units that carry the gradient. Where it is large, the
        lognormal law is a poor approximation.
    """
    n, known = float(width), moments(activation)
    grids = [2 * _LN2 * points for points in law.points]
    depth = len(grids) - 1
    flat = np.zeros_like(grids[depth])
    start = special.digamma((n - 1) / 2) + _LN2 if n > 1 else np.log(_LEAST)
    given = _Given(grids[depth], flat, flat + start, flat + 2 / n)
    found, roughest = [_thinned(given, law.weights[depth], n)], 0.0
    for k in range(depth - 1, -1, -1):
        step = _step(known, n, sigma_w, sigma_b, grids[k], gaussian=gaussian)
        roughest = np.maximum(roughest, np.average(step.own, weights=law.weights[k]))
        given = given.before(step, grids[k], n, gaussian=gaussian)
        found.append(_thinned(given, law.weights[k], n))
    points, weights = zip(*found[::-1], strict=True)
    return LengthLaw(list(points), list(weights), np.zeros(depth + 1)), float(roughest)


def _thinned(given: _Given, weights: Array, n: float) -> tuple[Array, Array]:
    """The law of δ_k, from quantiles of the rms of x_k instead of all its points."""
    levels = (np.arange(_POINTS) + 0.5) / _POINTS
    places = np.interp(levels, np.cumsum(weights) - weights / 2, given.ln_p)
    c, r, v = (np.interp(places, given.ln_p, of) for of in (given.c, given.r, given.variance))
    return _Given(places, c, r, v).law(n)
