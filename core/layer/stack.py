"""Layer: a list of operations, and everything that is asked of the whole list."""

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


@dataclass(frozen=True)
class Layer:
    """Operations, applied one after the other: x → φ(a @ x + b) is Product, Bias, Elementwise."""

    operations: tuple[Operation, ...]

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def product(self) -> Product:
        """The first product."""
        return next(op for op in self.operations if isinstance(op, Product))

    @property
    def elementwise(self) -> Elementwise:
        """The activation; that which changes nothing where there is none."""
        found = (op for op in self.operations if isinstance(op, Elementwise))
        return next(found, IDENTITY)

    @property
    def is_one_product(self) -> bool:
        """Whether it is a @ x and nothing else."""
        return len(self.operations) == 1 and isinstance(self.operations[0], Product)

    @property
    def degree(self) -> int | None:
        """d, if f(s·x) = s^d·f(x) for every s > 0; None if there is no such d."""
        degrees = [op.degree for op in self.operations]
        known = [degree for degree in degrees if degree is not None]
        return int(np.prod(known)) if len(known) == len(degrees) else None

    @property
    def affine(self) -> Layer:
        """The operations before the activation: they make the pre-activation."""
        before: list[Operation] = []
        for op in self.operations:
            if isinstance(op, Elementwise):
                break
            before.append(op)
        return Layer(tuple(before))

    def draw(
        self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded
    ) -> list[Parameters]:
        """The parameters of its operations, in their order; see Operation.draw."""
        return [op.draw(stream, shape, seen, on) for op in self.operations]

    def forward(
        self, parameters: Sequence[Parameters], x: T, on: Arithmetic[T], out: T | None = None
    ) -> T:
        """What the layer makes of x; the last operation writes into ``out`` if it is given."""
        operations = self.operations
        for place in range(len(operations) - 1):
            x = operations[place].forward(parameters[place], x, on)
        return operations[-1].forward(parameters[-1], x, on, out)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The same as PyTorch, bit for bit."""
        parts = [op.code(shape, on) for op in self.operations]
        draw = [line for part in parts for line in part.draw]
        step = [line for part in parts for line in part.step]
        return Code(draw, step + on.stored_code())

    def moments(self, m: Moments) -> Moments:
        """What the layer makes of moments at infinite width."""
        for op in self.operations:
            m = op.moments(m)
        return m

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """What it makes of the logarithm of E x²; see Operation.log_square."""
        for op in self.operations:
            square = op.log_square(square, logs, log_scale)
        return square

    def needs_matrices(self, shape: Shape) -> bool:
        """Whether an ensemble of networks takes real matrices."""
        return any(op.needs_matrices(shape) for op in self.operations)

    def in_law(self, networks: int, shape: Shape, stream: Generator) -> list[Parameters]:
        """What stands for the parameters of so many networks, layer after layer."""
        return [op.in_law(networks, shape, stream) for op in self.operations]

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """What all layers of a run need, measuring apart."""
        return sum((op.cost(shape, number_format) for op in self.operations), Cost())

    def ensemble_cost(self, shape: Shape) -> Cost:
        """What one network of an ensemble needs, measuring apart."""
        return sum((op.ensemble_cost(shape) for op in self.operations), Cost())


def layer_of(weights: Weights, bias_std: float) -> Layer:
    """x → φ(a @ x + b), with the bias and φ only where they change anything."""
    operations: list[Operation] = [Product.of(weights)]
    if bias_std:
        operations.append(Bias(bias_std, weights.fresh))
    if weights.phi.name != "linear":
        operations.append(Elementwise(weights.phi))
    return Layer(tuple(operations))


def between_pre_activations(phi: Activation, sigma_w: Numbers, sigma_b: Numbers) -> Layer:
    """From one pre-activation to the next, where nothing but σ_w and σ_b is known of the layer."""
    return Layer((Elementwise(phi), Product(sigma_w), Bias(sigma_b)))


def shifts(layer: Layer, depth: int) -> Array:
    """By which power of the scale factor each layer grows: k for k products.

    Args:
        layer: the operations of every layer.
        depth: L.

    Returns:
        float64 of shape (depth + 1,).

    Raises:
        ValueError: scales do not separate from the signal: an operation has no degree.
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
