"""When a signal of known length leaves the range of its number format.

Given the rms of x, pre-activations are normal, and their largest decides: x overflows where one of
n of them lies beyond the format's largest value. At the lower end each value is rounded to a
multiple of the smallest subnormal number, and the signal fades out through the last few of them;
where sums are as narrow as the numbers, as in float32, every term a_ij x_j is rounded too.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from scipy import special

from core.activations import Activation
from core.experiment import Experiment
from core.length_law import Array, LengthLaw

_LN2 = np.log(2.0)
_LEAST = 1e-6  # a probability below this is not told
_FADES_FROM = 4.0  # octaves above the smallest number: here rounding begins to be felt
_FLAT = 1e-9  # a slope of φ at zero below this is none
_ELEMENTS = 2**18
_ACCUMULATOR_BITS = 32
_FEW = 25.0  # a sum of rounded terms with a larger variance is all but normal

Pmf = dict[int, float]


def overflow_pmf(e: Experiment, law: LengthLaw) -> Pmf:
    """Loop index i -> probability that the first non-finite element appears there."""
    if not e.format.infinity:
        return {}
    limit = e.format.max * (1 + e.format.epsilon / 4)  # half an ulp beyond the largest value
    thresholds = [_threshold(e.phi, side, limit) for side in (-1.0, 1.0)]
    ln_s2, ln_b2 = 2 * np.log(e.sigma_w), 2 * np.log(e.bias_std) if e.bias_std else -np.inf
    rare = 2 * special.ndtr(-limit / e.weight_std) if e.weight_std else 0.0
    weights_fit = np.exp(e.width**2 * np.log1p(-min(rare, 1 - 1e-16)))
    survival = np.ones(e.depth + 1)
    for layer in range(1, e.depth + 1):
        octaves, weights = law.points[layer - 1], law.weights[layer - 1]
        ln_sd = np.logaddexp(ln_s2 + 2 * _LN2 * octaves, ln_b2) / 2
        beyond = sum(special.ndtr(-np.exp(np.minimum(h - ln_sd, 50.0))) for h in thresholds)
        fits = np.exp(e.width * e.batch_size * np.log1p(-np.minimum(beyond, 1 - 1e-16)))
        draws = 1 if e.weights == "tied" else layer
        survival[layer] = (law.dead[layer - 1] + weights @ fits) * weights_fit**draws
    return _differences(np.minimum.accumulate(survival))


def _differences(survival: Array) -> Pmf:
    ends = -np.diff(survival)
    return {int(i): float(ends[i]) for i in np.flatnonzero(ends > _LEAST)}


def _threshold(phi: Activation, side: float, limit: float) -> float:
    """ln |h| beyond which φ(h) is not finite in the format, on one side of zero; inf if never."""
    if torch.isfinite(phi(torch.tensor(side * torch.inf, dtype=torch.float64))):
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
    slopes = _slopes(e.phi)
    if e.bias_std or slopes is None:
        return _differences(1 - law.dead)
    if _all_round_to_zero(e) > 0.5:
        return {0: 1.0}
    if max(slopes) < _FLAT:
        return _differences(_above_the_floor(e, law))
    start, gone = _faded(e, law, slopes)
    alive = 1 - law.dead
    alive[start:] = alive[start] * (1 - np.cumsum(gone[start:]))
    return _differences(alive)


def _above_the_floor(e: Experiment, law: LengthLaw) -> Array:
    """Probability that some φ(h) is not rounded to zero, for a φ that is flat at zero.

    It falls by powers, not by factors: of the last few multiples of the smallest number nothing
    is seen.
    """
    least = e.format.smallest_subnormal / 2
    ends = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    sides = ends[e.phi(ends).abs() > least].tolist()
    thresholds = [_ln_reaching(e.phi, side, least, -400.0, 0.0) for side in sides]
    alive = np.ones(e.depth + 1)
    for layer in range(1, e.depth + 1):
        ln_sd = np.log(e.sigma_w) + _LN2 * law.points[layer - 1]
        kept = sum(special.ndtr(-np.exp(np.minimum(h - ln_sd, 50.0))) for h in thresholds)
        alive[layer] = law.weights[layer - 1] @ (1 - (1 - kept) ** e.width)
    return np.minimum.accumulate(alive)


def _faded(e: Experiment, law: LengthLaw, slopes: tuple[float, float]) -> tuple[int, Array]:
    """The layer before which φ alone can end a signal, and the probabilities, shape (depth + 1,).

    They are that a signal alive at that layer ends at layer k, by rounding or by φ.
    """
    gone = np.zeros(e.depth + 1)
    floor = np.log2(e.format.smallest_subnormal)
    median = np.array([_median(*layer) for layer in zip(law.points, law.weights, strict=True)])
    narrow = e.format.bits >= _ACCUMULATOR_BITS
    felt = median + np.log2(e.weight_std) + (0.0 if narrow else 0.5 * np.log2(e.width))
    near = np.flatnonzero((felt < floor + _FADES_FROM)[:-1] & (law.dead[:-1] < 1 - _LEAST))
    if not near.size:
        return e.depth, gone
    return int(near[0]), _fade(e, law, int(near[0]), median, slopes)


def _median(points: Array, weights: Array) -> float:
    """The median of what is not dead."""
    below = np.cumsum(weights)
    return float(np.interp(below[-1] / 2, below - weights / 2, points))


def _slopes(phi: Activation) -> tuple[float, float] | None:
    """φ′ just below zero and just above, or None where φ(0) is not 0."""
    tiny = 1e-12
    below, zero, above = phi(torch.tensor([-tiny, 0.0, tiny], dtype=torch.float64)).tolist()
    return None if abs(zero) > tiny else (-below / tiny, above / tiny)


def _all_round_to_zero(e: Experiment) -> float:
    """The probability that no weight is left after rounding."""
    kept = 2 * special.ndtr(-e.format.smallest_subnormal / 2 / e.weight_std)
    return float(np.exp(e.width**2 * np.log1p(-min(kept, 1 - 1e-16))))


def _fade(
    e: Experiment, law: LengthLaw, start: int, median: Array, slopes: tuple[float, float]
) -> Array:
    """The last layers of a signal, in units of the smallest subnormal number, by sampling."""
    n, narrow = e.width, e.format.bits >= _ACCUMULATOR_BITS
    elements = n * e.batch_size
    rng = np.random.default_rng([2, n])
    count = int(np.clip(_ELEMENTS // elements, 64, 2000))
    weights = law.weights[start] / law.weights[start].sum()
    octaves = rng.choice(law.points[start], count, p=weights) - np.log2(e.format.smallest_subnormal)
    x = _bent(rng.standard_normal((count, elements)), slopes if start else (1.0, 1.0))
    alive = (x != 0).any(1)
    x, octaves, count = x[alive], octaves[alive], int(alive.sum())
    x = np.rint(x * (2.0**octaves / np.sqrt((x**2).mean(1)))[:, None])
    gone = np.zeros(e.depth + 1)
    for layer in range(start + 1, e.depth + 1):
        std = e.weight_std
        if e.weights == "tied":  # what this matrix does to this x, repeated
            std = 2.0 ** (median[layer] - median[layer - 1]) / n**0.5
        if narrow:
            variance = _rounded_square(std * np.abs(x)).sum(1) / e.batch_size
            h = _rounded_sum(variance, elements, rng)
        else:
            length = np.sqrt((x**2).sum(1) / e.batch_size)[:, None]  # of one input
            h = std * length * rng.standard_normal((len(x), elements))
        x = np.rint(_bent(h, slopes))
        still = (x != 0).any(1)
        gone[layer] = (~still).sum() / count
        x = x[still]
        if not len(x):
            break
    return gone


def _bent(h: Array, slopes: tuple[float, float]) -> Array:
    return np.where(h < 0, slopes[0] * h, slopes[1] * h)


def _rounded_sum(variance: Array, n: int, rng: np.random.Generator) -> Array:
    """n sums of many rounded terms for each variance: differences of two Poisson numbers."""
    normal = np.rint(np.sqrt(variance)[:, None] * rng.standard_normal((len(variance), n)))
    few = variance < _FEW
    rate = np.repeat(variance[few, None] / 2, n, axis=1)
    normal[few] = rng.poisson(rate) - rng.poisson(rate)
    return np.asarray(normal)


def _rounded_square(std: Array) -> Array:
    """E rint(std·z)²."""
    grid, values = _rounded_square_table()
    return np.where(std > grid[-1], std**2 + 1 / 12, np.interp(std, grid, values))


@cache
def _rounded_square_table() -> tuple[Array, Array]:
    grid = np.linspace(0.0, 4.0, 801)
    steps = np.arange(1, 40)
    with np.errstate(divide="ignore"):
        tails = special.ndtr(-(steps - 0.5) / grid[:, None])
    return grid, 2 * (tails * (2 * steps - 1)).sum(1)
