"""Product: the matrix product a @ x."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from . import product_cost
from .arithmetic import Arithmetic, Rounded
from .in_law import Fresh, Matrices, Tied
from .number_formats import NumberFormat
from .operation import Code, Cost, LogMoments, Moments, Parameters, Shape, Tape
from .weights import Weights

T = TypeVar("T")


@dataclass(frozen=True)
class Product:
    """x → a @ x, where the entries of a have the variance σ_w²/fan_in.

    Attributes:
        sigma_w: σ_w, the std of the entries times √fan_in; an array of them in a map over networks.
        weights: how a is drawn; None in a map, which knows σ_w alone.
        name: the variable of a in a script.
    """

    sigma_w: Numbers
    weights: Weights | None = None
    name: str = "a"
    scale_power = 1

    @classmethod
    def of(cls, weights: Weights, name: str = "a") -> Product:
        """The product whose matrix is drawn as ``weights`` says."""
        return cls(weights.std * weights.fan_in**0.5, weights, name)

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

    def after(self, shape: Shape) -> Shape:
        """fan_out units instead of fan_in."""
        if self.weights is None or self.weights.is_square:
            return shape
        return replace(shape, width=self.weights.fan_out, symbol=self.weights.rows)

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Tensor:
        """Draw a, of shape (fan_out, fan_in), in the dtype in which terms of a product are added.

        a is drawn in float32 for every format, so that all formats see the same network. A fit to
        data uses ``seen`` as the format has rounded it. It comes before the scale factor and takes
        no account of the bias. Arguments and errors are those of `Operation.draw`.
        """
        w = self.drawn
        a = w.rule.sample(w.fan_in, w.fan_out, w.phi, generator=stream)
        if w.rule.fit is not None:
            if seen is None:
                raise ValueError(f"the initialiser {w.rule.name} is fitted to data: x is missing")
            a = w.rule.fit(on.summed(a), seen)
        return on.weights(a, w.scale)

    def forward(
        self,
        p: Parameters,
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """a @ x in the arithmetic ``on``."""
        if tape is not None:
            tape.keep(x)
        return on.product(p, x, out)

    def backward(self, p: Parameters, tape: Tape[T], g: T, on: Arithmetic[T]) -> T:
        """aᵀ @ g."""
        tape.products.append((tape.take(), g))
        return on.transposed_product(p, g)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The draw of a, and the products a @ x and aᵀ @ g."""
        w, a = self.drawn, self.name
        rows, columns = w.rows, shape.symbol
        wide = w.fan_out < w.fan_in
        draw = w.rule.lines(a, rows, columns, w.phi.gain, wide=wide)
        if w.rule.fit is not None:
            draw += on.summed_code(a) + w.rule.fit_code.format(a=a).splitlines()
        draw += on.weights_code(a, w.scale)
        back = [f"{a} = tape.pop()", *on.transposed_product_code(a, shape.inputs > 1)]
        step = on.product_code(a, shape.inputs > 1)
        return Code(draw, step, [f"tape.append({a})", *step], back)

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

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """σ_w² E x²; the squared scale factor if a is fitted to x. The mean over weights is 0."""
        mean = None if m.mean is None else np.zeros_like(m.mean)
        return LogMoments(self._log_square(m.square, logs, log_scale), mean, m.shared)

    def _log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers) -> Numbers:
        if self.weights is not None and self.weights.refits:
            dead = np.where(np.isneginf(square), square, 0.0)  # −∞ for a signal that is 0
            return 2 * (log_scale + logs.of(self.weights.scale)) + dead
        return 2 * (log_scale + logs.of(self.sigma_w)) + square

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log of the variance of a's entries times fan_out: σ_w² where a is square.

        A matrix that is fitted to x undoes x's size. Of a signal that is 0 it is −∞.
        """
        if self.weights is None:
            return self._log_square(np.zeros_like(m.square), logs, log_scale)
        aspect = logs.of(self.weights.fan_out / self.weights.fan_in)
        if self.weights.refits:
            factor = self._log_square(m.square, logs, log_scale) - m.square + aspect
            return np.where(np.isneginf(m.square), m.square, factor)
        return self._log_square(np.zeros_like(m.square), logs, log_scale) + aspect

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """Whether a @ x has no law that is cheaper to sample than a itself.

        A Gaussian matrix at every step is cheaper up to n/2 vectors: conditioning costs about
        2.5·n·vectors² multiply-adds, real products n²·vectors and the draw. A Haar orthogonal
        matrix needs n directions for its inputs, and as many more on the way back; a Gaussian one
        needs one more there than its inputs. A matrix that is not square has a law only where it is
        fresh, on the way back only where it is Gaussian.
        """
        w, vectors = self.drawn, shape.depth * shape.inputs
        if not w.fresh:
            known = self.law == "gaussian" and w.is_square
            return not (known and vectors <= shape.width // 2)
        if backward and self.law == "gaussian":
            return shape.inputs >= shape.width
        directions = shape.inputs * (1 + backward)
        fits = self.law == "orthogonal" and directions <= max(w.fan_in, w.fan_out)
        return not (self.law == "gaussian" or (fits and (w.is_square or not backward)))

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> Fresh | Tied | Matrices:
        """The object that computes a @ x for ``networks`` networks, by its law or by matrices."""
        w = self.drawn
        if self.needs_matrices(shape, backward=backward):
            return Matrices(networks, w, stream, backward=backward)
        if not w.fresh:
            vectors = shape.depth * shape.inputs
            return Tied(networks, vectors, w.fan_in, w.std, stream, backward=backward)
        orthogonal = self.law == "orthogonal"
        std = w.std * max(w.fan_in, w.fan_out) ** 0.5 if orthogonal else w.std
        return Fresh(w.fan_out, std, orthogonal, stream, backward=backward)

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """The matrices alive at once, in bytes; all products and draws, as work."""
        return product_cost.cost(self.drawn, shape, number_format)

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """A product with aᵀ for every layer, and the draws again of the matrices not kept.

        With several inputs, the gradient of a is a product too.
        """
        return product_cost.backward_cost(self.drawn, shape, number_format)

    def ensemble_elements(self, shape: Shape) -> int:
        """A real matrix; or the directions that a tied matrix has met, and their images."""
        w = self.drawn
        if self.needs_matrices(shape):
            return w.fan_in * w.fan_out
        return 0 if w.fresh else 2 * shape.depth * shape.elements

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """The products and draws of real matrices, or the sampling that replaces them."""
        real = self.needs_matrices(shape, backward=backward)
        w = self.drawn
        there = product_cost.sampled(w, shape, networks, real=real)
        return there + (product_cost.sampled_back(w, shape, networks, real=real) if backward else 0)
