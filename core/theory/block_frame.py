"""A gradient by three numbers: along the centred x, along the vector of ones, and across both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array
from .block import LN_EPSILON, Signal
from .block_draws import Draws


@dataclass(frozen=True)
class Gradient:
    """A gradient in each network, float64 arrays of one shape, in units of exp(ln_scale).

    Attributes:
        ln_scale: ln of the unit.
        along: the component along x − mean x.
        ones: the component along (1, …, 1).
        rest: the square of all other components together.
    """

    ln_scale: Array
    along: Array
    ones: Array
    rest: Array

    @classmethod
    def start(cls, n: int, draws: Draws) -> Gradient:
        """N(0, 1) in every unit."""
        rest = draws.chi_square_mean(n - 2) * max(n - 2, 0)
        return cls(np.zeros_like(rest), draws.normal(), draws.normal(), rest).unit

    @property
    def square(self) -> Array:
        """The square of the length, in squares of the unit."""
        return np.asarray(self.along**2 + self.ones**2 + self.rest)

    @property
    def unit(self) -> Gradient:
        """The same with length 1 in its unit."""
        length = np.sqrt(np.maximum(self.square, 1e-300))
        scale = self.ln_scale + np.log(length)
        return Gradient(scale, self.along / length, self.ones / length, self.rest / length**2)

    @classmethod
    def around(
        cls, x: Signal, ln_scale: Array, onto_x: Array, square: Array, n: int, draws: Draws
    ) -> Gradient:
        """aᵀe for a Gaussian a: from its part along a's input x, and normal across x.

        Args:
            x: the input of a.
            ln_scale: ln of the unit.
            onto_x: the component along x.
            square: |e|² in units of a's std times √n.
            n: the width.
            draws: the random numbers.
        """
        root = np.sqrt(x.variance)
        across = np.sqrt(square / n) * draws.normal()
        rest = square * draws.chi_square_mean(n - 2) * max(n - 2, 0) / n
        first, second = root * onto_x - x.mean * across, x.mean * onto_x + root * across
        return cls(ln_scale, first, second, rest)

    def through_norm(self, norm: str, x: Signal) -> Gradient:
        """The gradient with respect to x, from that with respect to norm(x)."""
        if norm == "none":
            return self
        _, ln_s2 = x.normed(norm)
        left, scale = np.exp(LN_EPSILON - ln_s2), self.ln_scale - ln_s2 / 2
        if norm == "layer":
            return Gradient(scale, self.along * left, np.zeros_like(left), self.rest)
        root = np.sqrt(x.variance)
        onto = (root * self.along + x.mean * self.ones) * left
        across = root * self.ones - x.mean * self.along
        first, second = root * onto - x.mean * across, x.mean * onto + root * across
        return Gradient(scale, first, second, self.rest)


@dataclass(frozen=True)
class Frame:
    """How the gradient lies about the centred x and the branch, which add up to the output.

    Attributes:
        cosine, sine: of the angle between the centred x and the centred sum; 0 and 1 without a
            skip.
        chance: the component of the gradient's rest along the centred x, over its sine.
    """

    cosine: Array
    sine: Array
    chance: Array
