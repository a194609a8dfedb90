"""Product: the matrix product a @ x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from .activations import Activation
from .arithmetic import Arithmetic, Rounded
from .in_law import Fresh, Matrices, Tied
from .initializers import Initializer
from .number_formats import NumberFormat
from .operation import Code, Cost, Moments, Parameters, Shape

T = TypeVar("T")

_PER_DRAW = 16.0  # what one random number costs, in multiply-adds, on a CPU
_FITTING_PRODUCTS = 3.0  # one to divide by, one to check; and a division of every weight


@dataclass(frozen=True)
class Weights:
    """How the matrix of a product is drawn.

    Attributes:
        rule: the initialiser.
        phi: the activation that the rule may ask for.
        scale: multiplies every weight.
        width: n; a is n × n.
        fresh: whether every layer has a matrix of its own.
    """

    rule: Initializer
    phi: Activation
    scale: float
    width: int
    fresh: bool

    @property
    def std(self) -> float:
        """The root mean square of the entries, before a fit to data."""
        return self.rule.weight_std(self.width, self.width, self.phi) * self.scale

    @property
    def refits(self) -> bool:
        """Whether every layer fits its matrix to what it gets."""
        return self.rule.fit is not None and self.fresh

    def draws(self, depth: int) -> int:
        """How many matrices so many layers take."""
        return depth if self.fresh else 1


@dataclass(frozen=True)
class Product:
    """x → a @ x with entries of variance σ_w²/n.

    Attributes:
        sigma_w: the entries' std times √n.
        weights: how they are drawn; None where the product is known by σ_w alone, as in a map.
    """

    sigma_w: Numbers
    weights: Weights | None = None
    scale_power = 1

    @classmethod
    def of(cls, weights: Weights) -> Product:
        """The product with such weights."""
        return cls(weights.std * weights.width**0.5, weights)

    @property
    def drawn(self) -> Weights:
        """How the entries are drawn.

        Raises:
            ValueError: nothing but σ_w is known.
        """
        if self.weights is None:
            raise ValueError("the product is known by sigma_w alone: there is nothing to draw")
        return self.weights

    @property
    def degree(self) -> int | None:
        """1; None where a is fitted to x itself."""
        return None if self.weights is not None and self.weights.refits else 1

    @property
    def law(self) -> str:
        """What theory may assume of the entries: see Initializer.law."""
        return self.drawn.rule.law

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Tensor:
        """a, of shape (n, n), in the dtype that products add up in.

        It is drawn in float32 whatever the format, so that every format sees the same network. A
        matrix that is fitted to data is fitted to what that format makes of them, before the scale
        factor and without the bias.
        """
        w = self.drawn
        a = w.rule.sample(w.width, w.width, w.phi, generator=stream)
        if w.rule.fit is not None:
            if seen is None:
                raise ValueError(f"the initialiser {w.rule.name} is fitted to data: x is missing")
            a = w.rule.fit(on.summed(a), seen)
        return on.weights(a, w.scale)

    def forward(self, p: Parameters, x: T, on: Arithmetic[T], out: T | None = None) -> T:
        """a @ x."""
        return on.product(p, x, out)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The draw and the product."""
        w = self.drawn
        draw = w.rule.code.format(gain=w.phi.gain).splitlines()
        if w.rule.fit is not None:
            draw += on.summed_code("a") + w.rule.fit_code.splitlines()
        return Code([*draw, *on.weights_code("a", w.scale)], on.product_code())

    def moments(self, m: Moments) -> Moments:
        """Second moments are multiplied by σ_w², and the mean over random weights is 0.

        Where a is fitted to x, E x² becomes the squared scale.
        """
        if self.weights is not None and self.weights.refits:
            return Moments(square=self.weights.scale**2 + np.zeros_like(m.square))
        variance = self.sigma_w**2
        return Moments(
            square=None if m.square is None else variance * m.square,
            mean=None if m.mean is None else np.zeros_like(m.mean),
            cross=None if m.cross is None else variance * m.cross,
        )

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """The logarithm of σ_w² E x²; of the squared scale where a is fitted to x itself."""
        if self.weights is not None and self.weights.refits:
            return 2 * (log_scale + logs.of(self.weights.scale)) + 0 * square
        return 2 * (log_scale + logs.of(self.sigma_w)) + square

    def needs_matrices(self, shape: Shape) -> bool:
        """Whether nothing simpler than the matrices themselves has the law of a @ x."""
        vectors = shape.depth * shape.inputs
        if not self.drawn.fresh:
            return not (self.law == "gaussian" and vectors <= shape.width // 2)
        fits = self.law == "gaussian" or (self.law == "orthogonal" and shape.inputs <= shape.width)
        return not fits

    def in_law(self, networks: int, shape: Shape, stream: Generator) -> Fresh | Tied | Matrices:
        """What gives a @ x for so many networks."""
        w = self.drawn
        if self.needs_matrices(shape):
            return Matrices(networks, w.rule, w.phi, w.width, w.scale, w.fresh, stream)
        if not w.fresh:
            return Tied(networks, shape.depth * shape.inputs, w.width, w.std, stream)
        orthogonal = self.law == "orthogonal"
        return Fresh(self.sigma_w if orthogonal else w.std, orthogonal, stream)

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """The products, and the matrices: those alive at once, and the drawing of all."""
        w, n = self.drawn, float(shape.width)
        item = number_format.bits // 8
        kept = n * n * 4 * w.rule.peak_matrices
        if item != 4:
            kept += n * n * (item + max(4, item))
        draw = _PER_DRAW * n * n + w.rule.multiply_adds(shape.width)
        if w.rule.fit is not None:
            draw += _FITTING_PRODUCTS * n * n * shape.inputs
        products = n * n * shape.inputs * shape.depth
        return Cost(int(kept), products + w.draws(shape.depth) * draw)

    def ensemble_cost(self, shape: Shape) -> Cost:
        """The products, or what stands for them."""
        w, n, inputs = self.drawn, float(shape.width), shape.inputs
        if self.needs_matrices(shape):
            draw = _PER_DRAW * n**2 + w.rule.multiply_adds(shape.width)
            if w.rule.fit is not None:
                draw += _FITTING_PRODUCTS * n**2 * inputs
            work = shape.depth * n**2 * inputs + w.draws(shape.depth) * draw
            return Cost(4 * shape.width**2, work)
        per_layer = n * inputs**2 + 30.0 * inputs**3
        if w.fresh:
            return Cost(0, shape.depth * per_layer)
        per_layer += 2.5 * n * shape.depth * inputs**2
        return Cost(8 * shape.width * shape.depth * inputs, shape.depth * per_layer)
