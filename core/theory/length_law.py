"""LengthLaw: how the rms of x is distributed at every layer, over networks and inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array


@dataclass(frozen=True)
class LengthLaw:
    """The law of log2 rms of x at layers 0 … depth, as points with weights.

    Attributes:
        points: per layer, log2 rms, ascending; as many as that layer needs.
        weights: per layer, their probabilities, of the same shape; with ``dead`` they add up to 1.
        dead: shape (depth + 1,): the probability that x is exactly zero, underflow apart.
    """

    points: Sequence[Array]
    weights: Sequence[Array]
    dead: Array

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Quantiles of log2 rms, shape (levels, depth + 1); −inf where x is dead."""
        weights, first = np.concatenate(self.weights), self._first
        layer = np.repeat(np.arange(len(first)), np.diff(first, append=len(weights)))
        below = np.cumsum(weights) - weights / 2
        middle = below + (self.dead + weights[first] / 2 - below[first])[layer]
        last = np.append(first[1:], len(weights)) - 1
        wanted = np.clip(np.asarray(levels)[:, None], middle[first], middle[last])
        # All layers are one rising curve, the next two units further on.
        apart = 2 * np.arange(len(first))
        found = np.interp(wanted + apart, middle + apart[layer], np.concatenate(self.points))
        return np.where(np.asarray(levels)[:, None] <= self.dead, -np.inf, found)

    def mean(self, of: Callable[[Array], Array]) -> Array:
        """Per layer 0 … depth, the expectation of ``of(log2 rms)``; it is 0 where x is dead."""
        values = np.concatenate(self.weights) * of(np.concatenate(self.points))
        return np.asarray(np.add.reduceat(values, self._first))

    @property
    def _first(self) -> NDArray[np.int64]:
        """Where each layer begins when they are laid end to end."""
        return np.cumsum([0, *map(len, self.points[:-1])])

    def shifted(self, per_product: float) -> LengthLaw:
        """The law when every product is ``per_product`` octaves larger."""
        moved = [points + layer * per_product for layer, points in enumerate(self.points)]
        return LengthLaw(moved, self.weights, self.dead)
