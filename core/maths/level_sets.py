"""Level sets: the intervals of the real line on which a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .arrays import Array, Numbers

Condition = Callable[[Tensor], Tensor]

_DENSE = np.linspace(-64, 64, 8193)  # resolves a function of scale 1
_DENSER = np.linspace(-64, 64, 32769)
_OCTAVES = 2.0 ** np.arange(-60, 64.01, 0.25)


@dataclass(frozen=True)
class Intervals:
    """Disjoint closed intervals, ascending.

    Attributes:
        low: the least float64 number of each, −inf where it has none, shape (intervals,).
        high: the largest one, inf where it has none, same shape.
        is_whole: whether none was missed, as far as a finer search tells.
    """

    low: Array
    high: Array
    is_whole: bool = True

    def holds(self, x: float) -> bool:
        """Whether a number lies in one of them."""
        return bool(((self.low <= x) & (x <= self.high)).any())

    def probability(self, mean: Numbers, std: Numbers) -> Array:
        """P(x in one of them) for x ~ N(mean, std²), float64 of the common shape; std ≥ 0.

        NaN where an interval was missed.
        """
        mean, std = np.broadcast_arrays(np.asarray(mean, np.float64), np.asarray(std, np.float64))
        total = np.zeros(mean.shape) if self.is_whole else np.full(mean.shape, np.nan)
        for low, high in zip(self.low, self.high, strict=True):
            total += _between(low, high, mean, std)
        return np.minimum(total, 1.0)


def _between(low: float, high: float, mean: Array, std: Array) -> Array:
    """P(low ≤ x ≤ high), from the tail in which it is small."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = ((end - mean) / std if np.isfinite(end) else end + 0 * mean for end in (low, high))
    a, b = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
    inside = (low <= mean) & (mean <= high)
    below_b, below_a = (torch.special.ndtr(torch.from_numpy(end)).numpy() for end in (b, a))
    return np.where(std > 0, below_b - below_a, inside)


def intervals_where(condition: Condition, near: Iterable[float] = ()) -> Intervals:
    """The intervals on which a condition holds.

    It is asked at places 1/64 apart up to ±64 and four to an octave up to 2^±64, and where two of
    them differ the place of the change is found to the last bit. An interval between two places at
    which it does not hold is missed; the search between places 1/256 apart then finds more.

    Args:
        condition: elementwise on float64 tensors of shape (numbers,), to booleans.
        near: more places, such as those at which the condition may change.
    """
    x = np.unique([*-_OCTAVES, 0.0, *_OCTAVES, *_DENSE, *near])
    holds = _asked(condition, x)
    changes = np.flatnonzero(holds[1:] != holds[:-1])
    below, above = _neighbours(condition, x[changes], x[changes + 1], holds[changes])
    starts = ~holds[changes]
    low = [-np.inf] * int(holds[0]) + above[starts].tolist()
    high = below[~starts].tolist() + [np.inf] * int(holds[-1])
    finer = _asked(condition, np.union1d(x, _DENSER))
    is_whole = np.count_nonzero(finer[1:] != finer[:-1]) == len(changes)
    return Intervals(np.array(low), np.array(high), is_whole)


def _asked(condition: Condition, x: Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = condition(torch.from_numpy(x)).numpy()
    return found


def _neighbours(
    condition: Condition, low: Array, high: Array, at_low: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Neighbouring float64 numbers between which the condition changes, by halving the keys."""
    first, last = _key(low), _key(high)
    while (last - first > 1).any():
        middle = first + (last - first) // 2
        same = _asked(condition, _number(middle)) == at_low
        first, last = np.where(same, middle, first), np.where(same, last, middle)
    return _number(first), _number(last)


def _key(x: Array) -> NDArray[np.int64]:
    """The place of each float64 number among all, ascending; those of −0 and 0 are one."""
    bits = x.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _number(key: NDArray[np.int64]) -> Array:
    found: Array = np.where(key < 0, np.int64(-(2**63)) - key, key).view(np.float64)
    return found
