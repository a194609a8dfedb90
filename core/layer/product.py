"""Product: the matrix product a @ x."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from .activations import Activation
from .arithmetic import Arithmetic, Rounded
from .in_law import Fresh, Matrices, Tied
from .initializers import Initializer
from .number_formats import NumberFormat
from .operation import MICROSECOND, Code, Cost, Moments, Parameters, Shape

T = TypeVar("T")

# Microseconds: of a draw's calls; of one element of a matrix in a product with one vector and with
# several, more for each of these, and more where the matrix does not fit into a cache.
_DRAW, _DRAW_IN_NUMPY = 10.0, 0.0
_ELEMENT, _BESIDE_OTHERS, _PER_INPUT, _BEYOND_CACHE = 9e-5, 1.5e-3, 2e-5, 2.5e-4
_BESIDE_OTHERS_IN_NUMPY = 2.5e-4
_CACHED = 2**22  # elements of float32
# Of a layer and of an element, going back by the law: (orthogonal, several inputs).
_SAMPLED_BACK = {
    (False, False): (140.0, 0.006),
    (False, True): (270.0, 0.03),
    (True, False): (250.0, 0.04),
    (True, True): (330.0, 0.035),
}
_FITTING_PRODUCTS = 3.0  # LSUV: one product for the std, one to check it, and the division of a


@dataclass(frozen=True)
class Weights:
    """How the matrix a of a product is drawn.

    Attributes:
        rule: the initialiser.
        phi: the layer's activation, on which the rule may depend.
        scale: the factor on every weight.
        width: n; a has the shape (n, n).
        fresh: whether every layer has a matrix of its own.
    """

    rule: Initializer
    phi: Activation
    scale: float
    width: int
    fresh: bool

    @property
    def std(self) -> float:
        """The root mean square of the entries, before any fit to data."""
        return self.rule.weight_std(self.width, self.width, self.phi) * self.scale

    @property
    def refits(self) -> bool:
        """Whether every layer fits a matrix to its own input."""
        return self.rule.fit is not None and self.fresh

    def draws(self, depth: int) -> int:
        """How many matrices are drawn for ``depth`` layers."""
        return depth if self.fresh else 1


@dataclass(frozen=True)
class Product:
    """x → a @ x, where a is n × n with entries of variance σ_w²/n.

    Attributes:
        sigma_w: σ_w, the std of the entries times √n; an array of them in a map over networks.
        weights: how a is drawn; None in a map, which knows σ_w alone.
    """

    sigma_w: Numbers
    weights: Weights | None = None
    scale_power = 1

    @classmethod
    def of(cls, weights: Weights) -> Product:
        """The product whose matrix is drawn as ``weights`` says."""
        return cls(weights.std * weights.width**0.5, weights)

    @property
    def drawn(self) -> Weights:
        """How a is drawn.

        Raises:
            ValueError: the product is known by σ_w alone.
        """
        if self.weights is None:
            raise ValueError("the product is known by sigma_w alone: there is nothing to draw")
        return self.weights

    @property
    def degree(self) -> int | None:
        """1; None if a is fitted to x, for the fit undoes a factor on x."""
        return None if self.weights is not None and self.weights.refits else 1

    @property
    def law(self) -> str:
        """The law of the entries, as theory may assume it; see `Initializer.law`."""
        return self.drawn.rule.law

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Tensor:
        """Draw a, of shape (n, n), in the dtype in which the terms of a product are added.

        a is drawn in float32 for every format, so that all formats see the same network. A fit to
        data uses ``seen`` as the format has rounded it. It comes before the scale factor and takes
        no account of the bias. Arguments and errors are those of `Operation.draw`.
        """
        w = self.drawn
        a = w.rule.sample(w.width, w.width, w.phi, generator=stream)
        if w.rule.fit is not None:
            if seen is None:
                raise ValueError(f"the initialiser {w.rule.name} is fitted to data: x is missing")
            a = w.rule.fit(on.summed(a), seen)
        return on.weights(a, w.scale)

    def forward(self, p: Parameters, x: T, on: Arithmetic[T], out: T | None = None) -> T:
        """a @ x in the arithmetic ``on``."""
        return on.product(p, x, out)

    def backward(self, p: Parameters, x: T, g: T, on: Arithmetic[T]) -> T:
        """aᵀ @ g."""
        return on.transposed_product(p, g)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The draw of a, and the products a @ x and aᵀ @ g."""
        w = self.drawn
        draw = w.rule.code.format(gain=w.phi.gain).splitlines()
        if w.rule.fit is not None:
            draw += on.summed_code("a") + w.rule.fit_code.splitlines()
        draw += on.weights_code("a", w.scale)
        back = ["a = kept.pop()", *on.transposed_product_code()]
        return Code(draw, on.product_code(), ["kept.append(a)"], back)

    def moments(self, m: Moments) -> Moments:
        """Second and cross moments are multiplied by σ_w²; the mean over weights is 0.

        If a is fitted to x, the second moment becomes the squared scale factor for every x, and the
        correlation of two inputs stays.
        """
        variance = self.sigma_w**2
        if self.weights is not None and self.weights.refits:
            variance = self._refitted(m.square)
        return replace(
            m,
            square=None if m.square is None else variance * m.square,
            mean=None if m.mean is None else np.zeros_like(m.mean),
            cross=None if m.cross is None else variance * m.cross,
        )

    def _refitted(self, square: Numbers) -> Numbers:
        """The factor that takes E x² to the squared scale factor; 0 for a signal that is 0."""
        if square is None:
            raise ValueError("square must be a number where the matrix is fitted to x; got None")
        alive = np.asarray(square) > 0
        factor = self.drawn.scale**2 / np.where(alive, square, 1.0)
        return np.where(alive, factor, 0.0)

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """log(σ_w² E x²); the logarithm of the squared scale factor if a is fitted to x."""
        if self.weights is not None and self.weights.refits:
            dead = np.where(np.isneginf(square), square, 0.0)  # −∞ for a signal that is 0
            return 2 * (log_scale + logs.of(self.weights.scale)) + dead
        return 2 * (log_scale + logs.of(self.sigma_w)) + square

    def log_gradient_factor(
        self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log σ_w²: aᵀ has the entries of a. A matrix that is fitted to x undoes x's size.

        Of a signal that is 0 it is −∞.
        """
        if self.weights is not None and self.weights.refits:
            factor = self.log_square(square, logs, log_scale) - square
            return np.where(np.isneginf(square), square, factor)
        return self.log_square(np.zeros_like(square), logs, log_scale)

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """Whether a @ x has no law that is cheaper to sample than a itself.

        A Gaussian matrix at every step is cheaper up to n/2 vectors: conditioning costs about
        2.5·n·vectors² multiply-adds, real products n²·vectors and the draw. A Haar orthogonal
        matrix needs n directions for its inputs, and as many more on the way back; a Gaussian one
        needs one more there than its inputs.
        """
        vectors = shape.depth * shape.inputs
        if not self.drawn.fresh:
            return not (self.law == "gaussian" and vectors <= shape.width // 2)
        if backward and self.law == "gaussian":
            return shape.inputs >= shape.width
        directions = shape.inputs * (1 + backward)
        fits = self.law == "gaussian" or (self.law == "orthogonal" and directions <= shape.width)
        return not fits

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> Fresh | Tied | Matrices:
        """The object that computes a @ x for ``networks`` networks, by its law or by matrices."""
        w = self.drawn
        if self.needs_matrices(shape, backward=backward):
            return Matrices(
                networks, w.rule, w.phi, w.width, w.scale, w.fresh, stream, backward=backward
            )
        if not w.fresh:
            vectors = shape.depth * shape.inputs
            return Tied(networks, vectors, w.width, w.std, stream, backward=backward)
        orthogonal = self.law == "orthogonal"
        std = self.sigma_w if orthogonal else w.std
        return Fresh(std, orthogonal, stream, backward=backward)

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """The matrices alive at once, in bytes; all products and draws, as work."""
        w, n = self.drawn, float(shape.width)
        item = number_format.bits // 8
        kept = n * n * 4 * w.rule.peak_matrices
        if item != 4:
            kept += n * n * (item + max(4, item))
        wide = number_format.sum_dtype.itemsize / 4  # float64 takes twice the time
        products = shape.depth * wide * self._product_cost(shape, cached=_CACHED / wide)
        return Cost(int(kept), products + w.draws(shape.depth) * self._draw_cost(shape))

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """A product with aᵀ for every layer, and the draws again of the matrices not kept.

        With several inputs, the gradient of a is a product too.
        """
        several = 1 + (shape.inputs > 1)
        products = shape.depth * several * self._product_cost(shape)
        again = self.drawn.draws(shape.depth) if self.drawn.fresh else 0
        return Cost(0, products + again * self._draw_cost(shape))

    def _product_cost(
        self, shape: Shape, several: float = _BESIDE_OTHERS, cached: float = _CACHED
    ) -> float:
        """The multiply-adds of one real product in float32, besides the call."""
        elements = float(shape.width) ** 2
        each = _ELEMENT if shape.inputs == 1 else several + _PER_INPUT * shape.inputs
        beyond = _BEYOND_CACHE if elements > cached else 0.0
        return elements * (each + beyond) * MICROSECOND

    def _draw_cost(self, shape: Shape, calls: float = _DRAW) -> float:
        """The multiply-adds of drawing one matrix, and of fitting it."""
        w = self.drawn
        cost = calls * MICROSECOND + w.rule.multiply_adds(shape.width)
        if w.rule.fit is not None:
            cost += _FITTING_PRODUCTS * self._product_cost(shape)
        return cost

    def ensemble_elements(self, shape: Shape) -> int:
        """A real matrix; or the directions that a tied matrix has met, and their images."""
        if self.needs_matrices(shape):
            return shape.width**2
        return 0 if self.drawn.fresh else 2 * shape.depth * shape.width * shape.inputs

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """The products and draws of real matrices, or the sampling that replaces them."""
        there = self._sampled_cost(shape, networks, backward=backward)
        return there + (self._sampled_back_cost(shape, networks) if backward else 0.0)

    def _drawn_and_multiplied(self, shape: Shape, draws: int) -> float:
        """The multiply-adds of one network of real matrices, besides the calls."""
        products = shape.depth * self._product_cost(shape, _BESIDE_OTHERS_IN_NUMPY)
        return products + draws * self._draw_cost(shape, _DRAW_IN_NUMPY)

    def _sampled_cost(self, shape: Shape, networks: int, *, backward: bool) -> float:
        w, n, inputs, depth = self.drawn, float(shape.width), shape.inputs, shape.depth
        if self.needs_matrices(shape, backward=backward):
            one = self._drawn_and_multiplied(shape, w.draws(depth))
            return 9 * MICROSECOND * depth + networks * one
        if not w.fresh:  # each vector meets, on average, half of the directions before it
            vectors = depth * inputs
            met = networks * n * (0.0136 + 2e-4 * vectors)
            return (76 + met) * vectors * MICROSECOND
        if inputs == 1:
            return 0.0
        frame = 0.0058 * n * inputs**2 if self.law == "orthogonal" else 0.0
        each = 3 + 9e-4 * inputs**3 + 2e-4 * n * inputs**2 + frame  # the Gram matrix and its root
        return networks * each * depth * MICROSECOND

    def _sampled_back_cost(self, shape: Shape, networks: int) -> float:
        w, inputs, depth = self.drawn, shape.inputs, shape.depth
        elements = float(networks) * shape.width * inputs
        if self.needs_matrices(shape, backward=True):
            again = w.draws(depth) if w.fresh else 0
            one = self._drawn_and_multiplied(shape, again)
            return 20 * MICROSECOND * depth + networks * one
        if not w.fresh:  # each vector meets all directions of the signal, and half of its own kind
            each = 1.3e-3 * depth * inputs
            return (180 * inputs + each * elements) * depth * MICROSECOND
        orthogonal, several = self.law == "orthogonal", inputs > 1
        calls, each = _SAMPLED_BACK[orthogonal, several]
        each += 1.2e-3 * inputs if several else 0.0  # the inputs' Gram matrices
        return (calls + each * elements) * depth * MICROSECOND
