"""Layer: a list of operations, and the questions that concern the whole list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Generator, Tensor

from ..maths.arrays import Array, Logarithm, Numbers
from .activations import Activation
from .arithmetic import Arithmetic, Rounded
from .bias import Bias
from .elementwise import IDENTITY, Elementwise
from .number_formats import NumberFormat
from .operation import Code, Cost, Moments, Operation, Parameters, Shape
from .product import Product, Weights

T = TypeVar("T")

_PLAIN = {
    (Product,),
    (Product, Bias),
    (Product, Elementwise),
    (Product, Bias, Elementwise),
}


@dataclass(frozen=True, eq=False)
class Layer:
    """Operations applied one after the other: x → φ(a @ x + b) is Product, Bias, Elementwise.

    Attributes:
        operations: in the order of application, at least one.
    """

    operations: tuple[Operation, ...]

    def __post_init__(self) -> None:
        if not self.operations:
            raise ValueError("operations must be at least one operation; got none")
        if isinstance(self.operations[0], Bias):  # it writes into its input, which is the layer's
            raise ValueError("operations must not begin with a Bias")

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    @property
    def product(self) -> Product:
        """The first product of the layer.

        Raises:
            ValueError: there is none.
        """
        found = next((op for op in self.operations if isinstance(op, Product)), None)
        if found is None:
            raise ValueError("operations must hold a Product; got none")
        return found

    @property
    def elementwise(self) -> Elementwise:
        """The activation; the identity if the layer has none."""
        found = (op for op in self.operations if isinstance(op, Elementwise))
        return next(found, IDENTITY)

    @property
    def is_plain(self) -> bool:
        """Whether it is x → φ(a @ x + b), where b and φ may be missing: a layer with known laws."""
        return tuple(type(op) for op in self.operations) in _PLAIN

    @property
    def is_one_product(self) -> bool:
        """Whether the layer is a @ x and nothing else."""
        return len(self.operations) == 1 and isinstance(self.operations[0], Product)

    @property
    def degree(self) -> int | None:
        """The d with f(s·x) = s^d·f(x) for every s > 0; None if an operation has none."""
        degrees = [op.degree for op in self.operations]
        known = [degree for degree in degrees if degree is not None]
        return int(np.prod(known)) if len(known) == len(degrees) else None

    @property
    def affine(self) -> Layer:
        """The operations before the activation, which compute the pre-activation."""
        before: list[Operation] = []
        for op in self.operations:
            if isinstance(op, Elementwise):
                break
            before.append(op)
        return Layer(tuple(before))

    def draw(
        self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded
    ) -> list[Parameters]:
        """Draw the parameters of the operations, in their order; see `Operation.draw`."""
        return [op.draw(stream, shape, seen, on) for op in self.operations]

    def forward(
        self, parameters: Sequence[Parameters], x: T, on: Arithmetic[T], out: T | None = None
    ) -> T:
        """The layer's output for the input x.

        Args:
            parameters: one for each operation, from `draw` or `in_law`.
            x: the input in the numbers of ``on``: a tensor of shape (n,) or (n, inputs), or
                `ScaledNumbers`.
            on: the arithmetic.
            out: a tensor for the result, written by the last operation; None for a new one.

        Returns:
            The output as the layer stores it: rounded to the format in `Rounded`.
        """
        return self.trace(parameters, x, on, out)[-1]

    def trace(
        self, parameters: Sequence[Parameters], x: T, on: Arithmetic[T], out: T | None = None
    ) -> list[T]:
        """The input of each operation, and the layer's output.

        A Bias writes into its input: that entry is then the sum. Arguments are those of `forward`.
        """
        seen, operations = [x], self.operations
        for place in range(len(operations) - 1):
            seen.append(operations[place].forward(parameters[place], seen[-1], on))
        x = operations[-1].forward(parameters[-1], seen[-1], on, out)
        seen.append(on.stored(x) if out is None else x)
        return seen

    def backward(
        self, parameters: Sequence[Parameters], inputs: Sequence[T], g: T, on: Arithmetic[T]
    ) -> list[T]:
        """The gradient of a loss with respect to the input of each operation, and to the output.

        Args:
            parameters: one for each operation, as `forward` got them.
            inputs: of the operations, as `trace` returned them before the output.
            g: the gradient with respect to the output, as a layer stores it.
            on: the arithmetic.

        Returns:
            One more gradient than there are inputs; the first, that of the layer's input, as a
            layer stores it.
        """
        found = [on.loaded(g)]
        for op, p, x in zip(
            reversed(self.operations), reversed(parameters), reversed(inputs), strict=True
        ):
            found.append(op.backward(p, x, found[-1], on))
        found[-1] = on.stored(found[-1])
        return found[::-1]

    def code(self, shape: Shape, on: Rounded, *, keeps: bool = False) -> Code:
        """The layer as PyTorch lines with the same bits; see `Operation.code`.

        Args:
            shape: the size of the signal.
            on: the arithmetic of the run.
            keeps: whether the steps keep what the way back needs.
        """
        parts = [op.code(shape, on) for op in self.operations]
        draw = [line for part in parts for line in part.draw]
        step = [line for part in parts for line in (part.keep if keeps else []) + part.step]
        back = [line for part in reversed(parts) for line in part.back]
        back = [*on.loaded_code(), *back, *on.stored_code("g")]
        return Code(draw, step + on.stored_code(), back=back)

    def moments(self, m: Moments) -> Moments:
        """The moments of the output at infinite width, given those of the input."""
        for op in self.operations:
            m = op.moments(m)
        return m

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """log E x² of the output, from that of the input; see `Operation.log_square`."""
        for op in self.operations:
            square = op.log_square(square, logs, log_scale)
        return square

    def log_gradient_factor(
        self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log of E δ² at the input over that at the output; see `Operation.log_gradient_factor`.

        Along the transient it is χ of this layer, not the χ₁ of a fixed point.
        """
        found: Numbers = 0.0
        for op in self.operations:
            found = found + op.log_gradient_factor(square, logs, log_scale)
            square = op.log_square(square, logs, log_scale)
        return found

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """Whether an ensemble has to draw real matrices for this layer."""
        return any(op.needs_matrices(shape, backward=backward) for op in self.operations)

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> list[Parameters]:
        """The parameters of an ensemble, one for each operation; see `Operation.in_law`."""
        return [op.in_law(networks, shape, stream, backward=backward) for op in self.operations]

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Memory and work of all layers of one run, without the measurement."""
        return sum((op.cost(shape, number_format) for op in self.operations), Cost())

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Memory and work of the way back through all layers, without the measurement."""
        costs = (op.backward_cost(shape, number_format) for op in self.operations)
        return sum(costs, Cost())

    def ensemble_elements(self, shape: Shape) -> int:
        """How many numbers a network of an ensemble keeps; see `Operation.ensemble_elements`."""
        return sum(op.ensemble_elements(shape) for op in self.operations)

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """The multiply-adds of networks sampled at once; see `Operation.ensemble_cost`."""
        costs = (op.ensemble_cost(shape, networks, backward=backward) for op in self.operations)
        return sum(costs)


def layer_of(weights: Weights, bias_std: float) -> Layer:
    """The layer x → φ(a @ x + b), without b if its std is 0 and without φ if it is linear.

    Args:
        weights: how a is drawn, and φ.
        bias_std: σ_b.
    """
    operations: list[Operation] = [Product.of(weights)]
    if bias_std:
        operations.append(Bias(bias_std, weights.fresh))
    if weights.phi.name != "linear":
        operations.append(Elementwise(weights.phi))
    return Layer(tuple(operations))


def between_pre_activations(phi: Activation, sigma_w: Numbers, sigma_b: Numbers) -> Layer:
    """The map from one pre-activation to the next, for moments alone: no weights can be drawn.

    Args:
        phi: the activation.
        sigma_w: weight_std·√fan_in, ≥ 0.
        sigma_b: the biases' standard deviation, ≥ 0. Both sigmas broadcast.
    """
    return Layer((Elementwise(phi), Product(sigma_w), Bias(sigma_b)))


def shifts(layer: Layer, depth: int) -> Array:
    """The power of the scale factor that multiplies the signal at each layer: k after k products.

    Args:
        layer: the operations, the same in every layer.
        depth: L, the number of layers.

    Returns:
        float64 of shape (depth + 1,).

    Raises:
        ValueError: an operation has no degree, so that scales do not separate from the signal.
    """
    powers = [0]
    for _ in range(depth):
        power = powers[-1]
        for op in layer:
            if op.degree is None:
                raise ValueError(f"{type(op).__name__} has no degree: scales do not separate")
            power = power * op.degree + op.scale_power
        powers.append(power)
    return np.array(powers, np.float64)
