"""LengthLaw: the distribution of the rms of x at every layer, over networks and inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array


@dataclass(frozen=True)
class LengthLaw:
    """The law of log2 rms of x at layers 0 … depth, as points with probabilities.

    Attributes:
        points: for each layer, values of log2 rms, ascending, as many as that layer needs.
        weights: for each layer, their probabilities, same shape. Their sum is 1 − dead.
        dead: float64 of shape (depth + 1,): the probability that x is all zero without underflow.
    """

    points: Sequence[Array]
    weights: Sequence[Array]
    dead: Array

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Quantiles of log2 rms.

        Args:
            levels: between 0 and 1.

        Returns:
            float64 of shape (levels, depth + 1); −inf where x is all zero.
        """
        weights, first = np.concatenate(self.weights), self._first
        layer = np.repeat(np.arange(len(first)), np.diff(first, append=len(weights)))
        below = np.cumsum(weights) - weights / 2
        middle = below + (self.dead + weights[first] / 2 - below[first])[layer]
        last = np.append(first[1:], len(weights)) - 1
        wanted = np.clip(np.asarray(levels)[:, None], middle[first], middle[last])
        # One np.interp serves all layers: layer k's levels are raised by 2k, so that the curves
        # joined end to end rise throughout.
        apart = 2 * np.arange(len(first))
        found = np.interp(wanted + apart, middle + apart[layer], np.concatenate(self.points))
        return np.where(np.asarray(levels)[:, None] <= self.dead, -np.inf, found)

    def mean(self, of: Callable[[Array], Array]) -> Array:
        """The expectation of a function of log2 rms at every layer.

        Args:
            of: the function, elementwise on float64; it counts as 0 where x is all zero.

        Returns:
            float64 of shape (depth + 1,).
        """
        values = np.concatenate(self.weights) * of(np.concatenate(self.points))
        return np.asarray(np.add.reduceat(values, self._first))

    @property
    def _first(self) -> NDArray[np.int64]:
        """The index of each layer's first point when all layers are joined end to end."""
        return np.cumsum([0, *map(len, self.points[:-1])])

    @property
    def from_the_end(self) -> LengthLaw:
        """The law of a gradient that goes back by factors of the same law.

        Its layer k is layer depth − k of this one. A signal that is all zero at any layer lets no
        gradient through: φ′(0) is 0.
        """
        dead = np.full(len(self.dead), self.dead[-1])
        dead[-1] = 0.0
        there = 1 - self.dead[::-1]  # 0 where no network is alive any more
        alive = np.divide(1 - dead, there, out=np.zeros_like(there), where=there > 0)
        weights = [mass * part for mass, part in zip(self.weights[::-1], alive, strict=True)]
        return LengthLaw(self.points[::-1], weights, dead)

    @property
    def of_the_living(self) -> LengthLaw:
        """The law given that x is not all zero; any law where it always is."""
        if not self.dead.any():
            return self
        weights = [w / w.sum() if w.any() else np.full(len(w), 1 / len(w)) for w in self.weights]
        return LengthLaw(self.points, weights, np.zeros(len(self.dead)))

    @property
    def medians(self) -> Array:
        """The median of log2 rms at every layer, given that x is not all zero, (depth + 1,)."""
        return np.asarray(self.of_the_living.quantiles((0.5,))[0])

    def stays_below(self, octaves: float) -> bool:
        """Whether no point of any layer reaches so many octaves."""
        return max(float(points[-1]) for points in self.points) < octaves

    def shifted(self, per_product: float) -> LengthLaw:
        """The law with every product multiplied by 2^per_product."""
        moved = [points + layer * per_product for layer, points in enumerate(self.points)]
        return LengthLaw(moved, self.weights, self.dead)

    def raised(self, octaves: float) -> LengthLaw:
        """The law with every layer multiplied by 2^octaves."""
        return LengthLaw([points + octaves for points in self.points], self.weights, self.dead)
