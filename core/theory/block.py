"""Block: the numbers of a layer norm_after(skip(x) + α·branch(x)) that laws depend on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layer.norm import EPSILON
from ..maths.arrays import Array
from ..question.experiment import Experiment

LN_EPSILON = float(np.log(EPSILON))


@dataclass(frozen=True)
class Block:
    """A layer, for one input and fresh independent weights.

    Attributes:
        activation: the registry name of φ.
        width: n.
        hidden: the number of hidden units of an mlp branch; n of another.
        branch: "product", "preactivation" or "mlp".
        sigmas: weight std times √fan_in of each matrix.
        sigma_b: the biases' standard deviation.
        skip: whether x is added to the branch.
        factor: α; 1 without a skip.
        before, inside, after: the norm there: "none", "rms" or "layer".
    """

    activation: str
    width: int
    hidden: int
    branch: str
    sigmas: tuple[float, ...]
    sigma_b: float
    skip: bool
    factor: float
    before: str
    inside: str
    after: str

    @classmethod
    def of(cls, e: Experiment) -> Block:
        """The layer of an experiment."""
        places = dict.fromkeys(("before", "inside", "after"), "none") | {e.norm_place: e.norm}
        sigmas = tuple(float(product.sigma_w) for product in e.layer.products)
        hidden = e.width * (e.expansion if e.branch == "mlp" else 1)
        skip = e.skip == "identity"
        factor = e.branch_scale if skip else 1.0
        shape = e.activation, e.width, hidden, e.branch, sigmas, e.bias_std
        return cls(*shape, skip, factor, places["before"], places["inside"], places["after"])

    @property
    def ln_factor(self) -> float:
        """ln α; −inf for 0."""
        with np.errstate(divide="ignore"):
            return float(np.log(self.factor))

    @property
    def is_centred(self) -> bool:
        """Whether what enters φ has a mean over units that is known: 0, or that of x."""
        return self.branch == "preactivation" or self.inside == "layer"

    def after_product(self, ln_q: Array, which: int = 0) -> tuple[Array, Array]:
        """ln of the variance σ²q + σ_b² behind a product, and the share of the product in it."""
        ln_y = 2 * np.log(self.sigmas[which]) + ln_q
        if not self.sigma_b:
            return ln_y, np.ones_like(ln_y)
        ln_v = np.logaddexp(ln_y, 2 * np.log(self.sigma_b))
        return ln_v, np.exp(ln_y - ln_v)

    def inner(self, ln_v: Array) -> tuple[Array, Array]:
        """ln of the variance of what enters φ, and ln of the norm's s² inside (0 for none)."""
        if self.inside == "none" or self.branch == "preactivation":
            return ln_v, np.zeros_like(ln_v)
        ln_s2 = np.logaddexp(ln_v, LN_EPSILON)
        return ln_v - ln_s2, ln_s2


@dataclass(frozen=True)
class Signal:
    """The sizes of x in each network, float64 arrays of one shape.

    Attributes:
        ln_square: ln of the mean square p.
        mean: the mean over √p.
        variance: the variance over p; with mean² it adds up to 1.
    """

    ln_square: Array
    mean: Array
    variance: Array

    @classmethod
    def scaled(cls, ln_scale: Array, mean: Array, variance: Array) -> Signal:
        """The signal with this mean and variance in units of exp(ln_scale)."""
        square = np.maximum(mean**2 + variance, 1e-300)
        root = np.sqrt(square)
        return cls(2 * ln_scale + np.log(square), mean / root, variance / square)

    @property
    def ln_variance(self) -> Array:
        """ln of the variance; −inf where all units are alike."""
        with np.errstate(divide="ignore"):
            return self.ln_square + np.log(self.variance)

    def normed(self, norm: str) -> tuple[Signal, Array]:
        """The signal behind a norm, and ln of the norm's s² = variance or mean square, + ε."""
        if norm == "none":
            return self, np.zeros_like(self.ln_square)
        if norm == "rms":
            ln_s2 = np.logaddexp(self.ln_square, LN_EPSILON)
            return Signal(self.ln_square - ln_s2, self.mean, self.variance), ln_s2
        ln_variance = np.maximum(self.ln_variance, -1e4)
        ln_s2 = np.logaddexp(ln_variance, LN_EPSILON)
        flat = np.zeros_like(self.mean)
        return Signal(ln_variance - ln_s2, flat, flat + 1.0), ln_s2
