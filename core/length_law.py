"""LengthLaw: how the rms of x is distributed at every layer, over networks and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
        rows = [
            _quantiles(points, weights, dead, levels)
            for points, weights, dead in zip(self.points, self.weights, self.dead, strict=True)
        ]
        return np.array(rows).T

    def shifted(self, per_product: float) -> LengthLaw:
        """The law when every product is ``per_product`` octaves larger."""
        moved = [points + layer * per_product for layer, points in enumerate(self.points)]
        return LengthLaw(moved, self.weights, self.dead)


def _quantiles(points: Array, weights: Array, dead: float, levels: Sequence[float]) -> Array:
    middle = dead + np.cumsum(weights) - weights / 2
    found = np.interp(levels, middle, points)
    return np.where(np.asarray(levels) <= dead, -np.inf, found)
