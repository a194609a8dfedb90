"""Weights: how the matrix of a product is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from .activations import Activation
from .initializer import Initializer


@dataclass(frozen=True)
class Weights:
    """How the matrix a of a product is drawn.

    Attributes:
        rule: the initialiser.
        phi: the layer's activation, on which the rule may depend.
        scale: the factor on every weight.
        fan_in: the number of columns of a.
        fan_out: the number of its rows.
        fresh: whether every layer has a matrix of its own.
        rows: fan_out in a script.
    """

    rule: Initializer
    phi: Activation
    scale: float
    fan_in: int
    fan_out: int
    fresh: bool
    rows: str = "n"

    @property
    def std(self) -> float:
        """The root mean square of the entries, before any fit to data."""
        return self.rule.weight_std(self.fan_in, self.fan_out, self.phi) * self.scale

    @property
    def refits(self) -> bool:
        """Whether every layer fits a matrix to its own input."""
        return self.rule.fit is not None and self.fresh

    def draws(self, depth: int) -> int:
        """How many matrices are drawn for ``depth`` layers."""
        return depth if self.fresh else 1

    @property
    def is_square(self) -> bool:
        """Whether a has as many rows as columns."""
        return self.fan_in == self.fan_out
