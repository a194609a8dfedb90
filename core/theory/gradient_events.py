"""The layer at which a gradient with a known law leaves its number format's range on the way back.

Given what lies above it, δ_k = aᵀ (φ′ ∘ δ_{k+1}) is nearly normal. It overflows if one of its
elements lies beyond the format's largest value; at the lower end its elements are rounded to
multiples of the smallest subnormal number, as those of the signal are (`fading`).

As for the signal, the probability of no end so far is the least of those of the layers passed. That
is right where a gradient grows or shrinks, and too large where it wanders about the end of a range.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import special

from ..maths.arrays import LN, Array
from ..question.experiment import Experiment
from . import fading
from .length_law import LengthLaw
from .range_events import Pmf, all_round_to_zero, differences, of_matrix, weights_fit

_RARE = 1e-3  # the signal leaves the range so seldom that its gradient is not asked there
_LN2 = np.log(2.0)
_FAR = 6  # octaves below an end at which no element of a normal vector reaches it: 64 sd

Ends = tuple[Pmf, Pmf]
"""Layer k -> the probability that δ first has a non-finite element there, or is first all zero."""


def gradient_ends(
    e: Experiment, law: LengthLaw, back: LengthLaw, overflow: Pmf, all_zero: Pmf
) -> Ends | None:
    """The ends of the gradient's way, or None where they depend on how the signal ended.

    Args:
        e: the question.
        law: the law of log2 rms of x, without limits to the range.
        back: the law of log2 rms of δ, likewise, loss scale included.
        overflow: loop index -> probability that x first has a non-finite element there.
        all_zero: loop index -> probability that x is first all zero there.
    """
    slopes = e.layer.elementwise.slopes
    at_zero = float(e.phi.derivative(torch.zeros((), dtype=torch.float64)))
    kinked = slopes is not None and slopes[0] != slopes[1] and at_zero != 0
    ends = sum(overflow.values()), sum(all_zero.values())
    if e.activation != "linear" and (ends[0] > _RARE or (kinked and ends[1] > _RARE)):
        return None
    blocked = ends[1] if at_zero == 0 else 0.0
    walk = LengthLaw(back.points[::-1], back.weights[::-1], back.dead[::-1])
    return _backwards(e, _overflow(e, walk)), _backwards(e, _all_zero(e, law, walk, blocked))


def work(e: Experiment, sizes: Array) -> float:
    """The multiply-adds of ``gradient_ends``, for typical log2 rms of δ after 0 … depth steps."""
    start = _rounds_from(e, sizes)
    return fading.sampled_work(e, sizes, start) if start < e.depth else 0.0


def _backwards(e: Experiment, survival: Array) -> Pmf:
    """The probability of the end at each layer, from those of no end after 0 … depth steps."""
    found = differences(np.minimum.accumulate([1.0, *survival]))
    return {e.depth - step: probability for step, probability in found.items()}


def _overflow(e: Experiment, walk: LengthLaw) -> Array:
    """The probability, after each step back, that every element is finite."""
    if e.format.saturates:
        return np.ones(e.depth + 1)
    elements, limit = e.width * e.batch_size, np.log(e.format.overflows_from)
    if weights_fit(e) == 1 and walk.stays_below(e.format.log2_overflows_from - _FAR):
        return np.ones(e.depth + 1)

    def within(octaves: Array) -> Array:
        beyond = 2 * special.ndtr(-np.exp(np.minimum(limit - _LN2 * octaves, 50.0)))
        return np.exp(elements * np.log1p(-np.minimum(beyond, 1 - 1e-16)))

    living = of_matrix(walk.of_the_living, elements).mean(within)
    survival = walk.dead + (1 - walk.dead) * living
    matrices = np.arange(e.depth + 1)
    if e.weights == "tied":
        matrices = np.minimum(matrices, 1)
    return np.asarray(survival * weights_fit(e) ** matrices)


def _all_zero(e: Experiment, law: LengthLaw, walk: LengthLaw, blocked: float) -> Array:
    """The probability, after each step back, that an element is not zero."""
    alive = np.ones(e.depth + 1)
    if all_round_to_zero(e) > 0.5:
        alive[1:] = 0.0
        return alive
    alive[1:] -= max(blocked, float(law.dead[-1]))
    medians = walk.medians
    start = _rounds_from(e, medians)
    if start < e.depth and walk.dead[start] < 1:
        ended = fading.sampled(e, walk, start, medians, _Slopes(e, law.medians))
        alive *= 1 - np.cumsum(ended)
    return alive


def _rounds_from(e: Experiment, medians: Array) -> int:
    """The step from which on rounding matters to the next one, or the depth.

    ``medians`` are those of log2 rms of δ after 0 … depth steps.
    """
    then = medians[1:]
    if e.format.terms_per_rounding is not None:
        least = then - np.log2(e.width / fading.terms_together(e)) / 2
    else:
        least = np.minimum(np.minimum(medians[:-1], then), then - np.log2(e.sigma_w))
    near = np.flatnonzero(least < np.log2(e.format.smallest_subnormal) + fading.FADES_FROM)
    return int(near[0]) if near.size else e.depth


class _Slopes:
    """φ′ of pre-activations, which multiplies a gradient before aᵀ does.

    Args:
        e: the question.
        medians: of log2 rms of x at layers 0 … depth.
    """

    def __init__(self, e: Experiment, medians: Array) -> None:
        self._e = e
        ln_q = e.layer.affine.log_square(2 * _LN2 * np.asarray(medians), LN)
        self._sd = np.exp(np.asarray(ln_q) / 2)
        self._settled = fading.settled(e) if e.format.product_dtype == e.format.dtype else None

    def first(self, x: Array) -> Array:
        """A normal gradient is taken as it is."""
        return x

    def before(self, step: int, x: Array, rng: np.random.Generator) -> Array:
        """φ′ ∘ δ, where δ is in units of the smallest subnormal number."""
        if self._e.activation == "linear":
            return x
        h = self._sd[self._e.depth - step] * rng.standard_normal(x.shape)
        x = x * self._e.phi.derivative(torch.from_numpy(h)).numpy()
        return x if self._settled is None else self._settled(x)

    def after(self, x: Array) -> Array:
        """Nothing follows the product."""
        return x
