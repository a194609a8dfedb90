"""Random numbers for many networks of blocks, and the sizes of their inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ..maths.arrays import Array
from .block import Signal


class Draws:
    """Normal numbers for all networks, evenly spread: each call permutes the same quantiles.

    Args:
        networks: how many.
        seed: of the permutations.
    """

    def __init__(self, networks: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._quantiles = special.ndtri((np.arange(networks) + 0.5) / networks)
        self._quantiles /= self._quantiles.std()

    def normal(self) -> Array:
        """One number per network, shape (networks,)."""
        return self._rng.permutation(self._quantiles)

    def chi_square_mean(self, degrees: float) -> Array:
        """χ²/degrees by Wilson & Hilferty 1931; 0 for no degrees."""
        if degrees < 1:
            return np.zeros_like(self._quantiles)
        part = 2 / (9 * degrees)
        return np.maximum(1 - part + np.sqrt(part) * self.normal(), 0.0) ** 3


@dataclass(frozen=True)
class Start:
    """The law of the input's units, independent of one another, or the same in every network.

    Attributes:
        scale: the factor on every unit.
        mean, variance: of a unit.
        kurtosis: of a unit, whose law is symmetric; None where sums over units do not vary.
    """

    scale: float
    mean: float
    variance: float
    kurtosis: float | None

    def signal(self, n: int, draws: Draws) -> Signal:
        """The sizes of the input in each network."""
        first, second = draws.normal(), draws.normal()
        mean, variance = np.full_like(first, self.mean), np.full_like(first, self.variance)
        if self.kurtosis is not None:
            mean += np.sqrt(self.variance / n) * first
            part = (self.kurtosis - 1) / 2  # as a χ² of fewer or more degrees
            degrees = max(n - 1, 0) / part
            cube = max(2 / (9 * degrees), 0.0) if degrees else 0.0
            variance *= (1 - 1 / n) * np.maximum(1 - cube + np.sqrt(cube) * second, 0.0) ** 3
        return Signal.scaled(np.full_like(first, np.log(self.scale)), mean, variance)
