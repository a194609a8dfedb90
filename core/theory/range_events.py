"""When a signal of known length leaves the range of its number format.

Given the rms of x, pre-activations are normal, and their largest decides: x overflows where one of
n of them lies beyond the format's largest value. At the lower end each value is rounded to a
multiple of the smallest subnormal number, and the signal fades out (``core.fading``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from scipy import special

from ..layer.activations import ACTIVATIONS, Activation
from ..layer.tails import infinite_sides
from ..maths.arrays import LN, Array
from ..question.experiment import Experiment
from .fading import faded
from .length_law import LengthLaw

_LN2 = np.log(2.0)
_LEAST = 1e-6  # a probability below this is not told
_FLAT = 1e-9  # a slope of φ at zero below this is none

Pmf = dict[int, float]


def overflow_pmf(e: Experiment, law: LengthLaw) -> Pmf:
    """Loop index i -> probability that the first non-finite element appears there."""
    if not e.format.infinity:
        return {}
    limit = e.format.overflows_from
    rare = 2 * special.ndtr(-limit / e.weight_std) if e.weight_std else 0.0
    weights_fit = np.exp(e.width**2 * np.log1p(-min(rare, 1 - 1e-16)))
    sides = Counter(_threshold(e.activation, side, limit) for side in (-1.0, 1.0))

    def within(ln_sd: Array) -> Array:
        """Probability that no pre-activation of this sd is beyond a threshold."""
        beyond = sum(
            times * special.ndtr(-np.exp(np.minimum(h - ln_sd, 50.0)))
            for h, times in sides.items()
            if h < np.inf
        )
        fit = np.exp(e.width * e.batch_size * np.log1p(-np.minimum(beyond, 1 - 1e-16)))
        return np.broadcast_to(fit, ln_sd.shape)

    if e.weights == "tied" and e.layer.product.law != "orthogonal":
        survival = _of_matrix(law, e.width).mean(lambda octaves: within(_LN2 * octaves))[1:]
    else:
        survival = (law.dead + law.mean(lambda octaves: within(_ln_sd(e, octaves))))[:-1]
    survival *= weights_fit ** (1 if e.weights == "tied" else np.arange(1, e.depth + 1))
    return _differences(np.minimum.accumulate([1.0, *survival]))


def _of_matrix(law: LengthLaw, width: int) -> LengthLaw:
    """The law of log2 ‖Aᵏx₀‖/‖x₀‖ for one matrix A at every step, from that of log2 rms.

    Given A, the vector Aᵏx₀ is normal, with an sd that depends on A alone. Its logarithm is log2
    rms less log2 of ‖x₀‖/√n, which is independent of it: so the mean and the variance of the
    latter are subtracted.
    """
    start = (special.digamma(width / 2) - np.log(width / 2)) / (2 * _LN2)
    variance = special.polygamma(1, width / 2) / (2 * _LN2) ** 2
    middle = law.mean(lambda octaves: octaves)
    spread = law.mean(np.square) - middle**2
    narrower = np.sqrt(np.maximum(1 - variance / spread, 0.0))
    parts = zip(law.points, middle, narrower, strict=True)
    return replace(law, points=[m - start + f * (octaves - m) for octaves, m, f in parts])


def _ln_sd(e: Experiment, octaves: Array) -> Array:
    """ln of the sd of a pre-activation, given the log2 rms of x."""
    return np.asarray(e.layer.affine.log_square(2 * _LN2 * octaves, LN) / 2)


def _differences(survival: Array) -> Pmf:
    ends = -np.diff(survival)
    return {int(i): float(ends[i]) for i in np.flatnonzero(ends > _LEAST)}


@lru_cache(maxsize=256)
def _threshold(activation: str, side: float, limit: float) -> float:
    """ln |h| beyond which φ(h) is not finite in the format, on one side of zero; inf if never."""
    phi = ACTIVATIONS[activation]
    if not infinite_sides(phi)[side > 0]:
        return np.inf
    return _ln_reaching(phi, side, limit, -50.0, float(np.log(limit)))


def _ln_reaching(phi: Activation, side: float, limit: float, low: float, high: float) -> float:
    """ln |h|, between two bounds, at which |φ(h)| comes to the limit."""
    for _ in range(60):
        middle = (low + high) / 2
        value = phi(torch.tensor(side * np.exp(middle), dtype=torch.float64)).abs()
        low, high = (middle, high) if value < limit else (low, middle)
    return high


def all_zero_pmf(e: Experiment, law: LengthLaw) -> Pmf:
    """Loop index i -> probability that every element is exactly zero there for the first time."""
    slopes = e.layer.elementwise.slopes
    if e.bias_std or slopes is None:
        return _differences(1 - law.dead)
    if _all_round_to_zero(e) > 0.5:
        return {0: 1.0}
    if max(slopes) < _FLAT:
        return _differences(_above_the_floor(e, law))
    start, gone = faded(e, law, slopes)
    alive = 1 - law.dead
    alive[start:] = alive[start] * (1 - np.cumsum(gone[start:]))
    return _differences(alive)


def _above_the_floor(e: Experiment, law: LengthLaw) -> Array:
    """Probability that some φ(h) is not rounded to zero, for a φ that is flat at zero.

    It falls by powers, not by factors: of the last few multiples of the smallest number nothing
    is seen.
    """
    least = e.format.rounds_to_zero_below
    ends = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    sides = ends[e.phi(ends).abs() > least].tolist()
    thresholds = [_ln_reaching(e.phi, side, least, -400.0, 0.0) for side in sides]

    def some_kept(octaves: Array) -> Array:
        ln_sd = _ln_sd(e, octaves)
        kept = sum(special.ndtr(-np.exp(np.minimum(h - ln_sd, 50.0))) for h in thresholds)
        return np.broadcast_to(1 - (1 - kept) ** e.width, octaves.shape)

    return np.minimum.accumulate([1.0, *law.mean(some_kept)[:-1]])


def _all_round_to_zero(e: Experiment) -> float:
    """The probability that no weight is left after rounding."""
    kept = 2 * special.ndtr(-e.format.rounds_to_zero_below / e.weight_std)
    return float(np.exp(e.width**2 * np.log1p(-min(kept, 1 - 1e-16))))
