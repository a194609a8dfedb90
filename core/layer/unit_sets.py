"""The sets of pre-activations h on which a unit is saturated, near zero, or exactly zero."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..maths.level_sets import Intervals, intervals_where
from .activations import Activation

FLAT = 0.06
"""The |φ′(h)| below which a unit counts as saturated: of tanh, |tanh h| > 0.97 to two digits.

Reference: Karpathy 2022, Neural networks: zero to hero, makemore part 3.
"""
NEAR_ZERO = 0.05
"""The |x| up to which an element counts as near zero."""
_BESIDE = 1 / 64  # of an end, the distance at which φ is looked at outside of an interval
_TOO_SMALL = 1e-10  # |φ| there, where φ goes on to 0 and is not 0: e^h at −745, Φ(h) at −8


@lru_cache(maxsize=64)
def flat_set(phi: Activation) -> Intervals:
    """The h with |φ′(h)| < FLAT."""
    return intervals_where(lambda h: phi.derivative(h).abs() < FLAT, phi.kinks)


@lru_cache(maxsize=64)
def near_zero_set(phi: Activation) -> Intervals:
    """The h with |φ(h)| ≤ NEAR_ZERO."""
    return intervals_where(lambda h: phi(h).abs() <= NEAR_ZERO, phi.kinks)


@lru_cache(maxsize=64)
def zero_set(phi: Activation) -> Intervals:
    """The h with φ(h) = 0, without those at which φ(h) is only too small for float64."""
    found = intervals_where(lambda h: phi(h) == 0, phi.kinks)
    ends = np.stack([found.low, found.high])
    beside = ends + np.array([[-_BESIDE], [_BESIDE]]) * np.maximum(np.abs(ends), 1.0)
    sizes = phi(torch.from_numpy(np.where(np.isfinite(ends), beside, 1.0))).abs().numpy()
    kept = ((sizes > _TOO_SMALL) | np.isinf(ends)).all(0)
    return Intervals(found.low[kept], found.high[kept])
