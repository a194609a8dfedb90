"""The iteration at which a signal with a known law of lengths leaves its number format's range.

Given the rms of x, pre-activations are normal: x overflows if one of the n lies beyond the format's
largest value. At the lower end, each value is rounded to a multiple of the smallest subnormal
number, and the signal fades out (`fading`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from scipy import special

from ..layer.activations import Activation
from ..layer.named_activation import activation_of
from ..layer.tails import infinite_sides
from ..maths.arrays import LN, Array
from ..question.experiment import Experiment
from .fading import faded
from .length_law import LengthLaw

_LN2 = np.log(2.0)
_LEAST = 1e-6  # smaller probabilities are left out
_FLAT = 1e-9  # φ with smaller slopes at zero counts as flat there

Pmf = dict[int, float]
"""Loop index i -> probability; what is missing from 1 is the probability that it never happens."""


def overflow_pmf(e: Experiment, law: LengthLaw) -> Pmf:
    """The probability, per loop index, that x first has a non-finite element there.

    Args:
        e: the question.
        law: the law of its log2 rms, without limits to the range.
    """
    if e.format.saturates:
        return {}
    limit = e.format.overflows_from
    sides = Counter(_threshold(e.activation, side, limit) for side in (-1.0, 1.0))

    def within(ln_sd: Array) -> Array:
        """The probability that no pre-activation of this sd lies beyond a threshold."""
        beyond = sum(
            times * special.ndtr(-np.exp(np.minimum(h - ln_sd, 50.0)))
            for h, times in sides.items()
            if h < np.inf
        )
        fit = np.exp(e.width * e.batch_size * np.log1p(-np.minimum(beyond, 1 - 1e-16)))
        return np.broadcast_to(fit, ln_sd.shape)

    if e.weights == "tied" and e.layer.product.law != "orthogonal":
        survival = of_matrix(law, e.width).mean(lambda octaves: within(_LN2 * octaves))[1:]
    else:
        survival = (law.dead + law.mean(lambda octaves: within(_ln_sd(e, octaves))))[:-1]
    survival *= weights_fit(e) ** (1 if e.weights == "tied" else np.arange(1, e.depth + 1))
    return differences(np.minimum.accumulate([1.0, *survival]))


def weights_fit(e: Experiment) -> float:
    """The probability that no element of a matrix overflows."""
    rare = 2 * special.ndtr(-e.format.overflows_from / e.weight_std) if e.weight_std else 0.0
    return float(np.exp(e.width**2 * np.log1p(-min(rare, 1 - 1e-16))))


def of_matrix(law: LengthLaw, width: int) -> LengthLaw:
    """The law of log2 ‖Aᵏx₀‖/‖x₀‖ for one matrix A at every step, from that of log2 rms.

    Given A, the vector Aᵏx₀ is normal, with an sd that depends on A alone. The log2 of this sd is
    log2 rms minus log2 of ‖x₀‖/√n, and does not depend on ‖x₀‖. So the mean and the variance of
    log2 of ‖x₀‖/√n are subtracted from those of log2 rms.
    """
    start = (special.digamma(width / 2) - np.log(width / 2)) / (2 * _LN2)
    variance = special.polygamma(1, width / 2) / (2 * _LN2) ** 2
    middle = law.mean(lambda octaves: octaves)
    spread = law.mean(np.square) - middle**2
    narrower = np.sqrt(np.maximum(1 - variance / spread, 0.0))
    parts = zip(law.points, middle, narrower, strict=True)
    return replace(law, points=[m - start + f * (octaves - m) for octaves, m, f in parts])


def _ln_sd(e: Experiment, octaves: Array) -> Array:
    """ln of the sd of a pre-activation, given log2 rms of x, same shape."""
    return np.asarray(e.layer.affine.log_square(2 * _LN2 * octaves, LN) / 2)


def differences(survival: Array) -> Pmf:
    """The probability of the end at each loop index, from those of no end up to each layer."""
    ends = -np.diff(survival)
    return {int(i): float(ends[i]) for i in np.flatnonzero(ends > _LEAST)}


@lru_cache(maxsize=256)
def _threshold(activation: str, side: float, limit: float) -> float:
    """ln |h| beyond which |φ(h)| ≥ ``limit`` on one side of zero; inf if φ is bounded there."""
    phi = activation_of(activation)
    if not infinite_sides(phi)[side > 0]:
        return np.inf
    return _ln_reaching(phi, side, limit, -50.0, float(np.log(limit)))


def reaching(activation: str, side: float, limit: float) -> float:
    """The |h| beyond which |φ(h)| ≥ ``limit`` on one side of zero; inf if φ is bounded there."""
    return float(np.exp(_threshold(activation, side, limit)))


def _ln_reaching(phi: Activation, side: float, limit: float, low: float, high: float) -> float:
    """The ln |h| between ``low`` and ``high`` at which |φ(h)| reaches ``limit``, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        value = phi(torch.tensor(side * np.exp(middle), dtype=torch.float64)).abs()
        low, high = (middle, high) if value < limit else (low, middle)
    return high


def all_zero_pmf(
    e: Experiment, law: LengthLaw, on_progress: Callable[[float], object] = lambda done: None
) -> Pmf:
    """The probability, per loop index, that every element of x is first exactly zero there.

    Args:
        e: the question.
        law: the law of its log2 rms, without limits to the range.
        on_progress: called after every layer that is sampled, with the fraction that is done.
    """
    slopes = e.layer.elementwise.slopes
    if e.bias_std or slopes is None:
        return differences(1 - law.dead)
    if all_round_to_zero(e) > 0.5:
        return {0: 1.0}
    if max(slopes) < _FLAT:
        return differences(_above_the_floor(e, law))
    start, ended = faded(e, law, slopes, on_progress)
    alive = 1 - law.dead
    alive[start:] = alive[start] * (1 - np.cumsum(ended[start:]))
    return differences(alive)


def _above_the_floor(e: Experiment, law: LengthLaw) -> Array:
    """The probability, per layer, that x is not all zero, for a φ that is flat at zero.

    Under such a φ a small signal shrinks by powers, not by factors. It passes the last few
    multiples of the smallest number within one layer, so their rounding need not be sampled.
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


def all_round_to_zero(e: Experiment) -> float:
    """The probability that every weight rounds to zero."""
    kept = 2 * special.ndtr(-e.format.rounds_to_zero_below / e.weight_std)
    return float(np.exp(e.width**2 * np.log1p(-min(kept, 1 - 1e-16))))
