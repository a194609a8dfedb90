"""Layer: a list of operations, and the questions that concern the whole list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from torch import Generator, Tensor

from ..maths.arrays import Array, Logarithm, Numbers
from .activations import Activation
from .arithmetic import Arithmetic, Rounded
from .bias import Bias
from .elementwise import IDENTITY, Elementwise
from .norm import Norm
from .number_formats import NumberFormat
from .operation import Code, Cost, LogMoments, Moments, Operation, Parameters, Shape, Tape
from .product import Product
from .skip import Skip

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
    def leaves(self) -> Iterator[Operation]:
        """The operations, those of branches instead of the skips around them."""
        for op in self.operations:
            if isinstance(op, Skip):
                yield from op.branch.leaves
            else:
                yield op

    @property
    def products(self) -> list[Product]:
        """The matrix products, in the order of application."""
        return [op for op in self.leaves if isinstance(op, Product)]

    @property
    def product(self) -> Product:
        """The first product of the layer.

        Raises:
            ValueError: there is none.
        """
        found = self.products
        if not found:
            raise ValueError("operations must hold a Product; got none")
        return found[0]

    @property
    def elementwise(self) -> Elementwise:
        """The activation; the identity if the layer has none."""
        found = (op for op in self.leaves if isinstance(op, Elementwise))
        return next(found, IDENTITY)

    @property
    def norm(self) -> Norm | None:
        """The norm; None if the layer has none."""
        return next((op for op in self.leaves if isinstance(op, Norm)), None)

    @property
    def skip(self) -> Skip | None:
        """The skip; None if the layer has none."""
        return next((op for op in self.operations if isinstance(op, Skip)), None)

    @property
    def adds_up(self) -> bool:
        """Whether it adds a branch whose size does not depend on that of x, for a norm is in it."""
        return self.skip is not None and any(isinstance(op, Norm) for op in self.skip.branch)

    @property
    def ends_in_a_sum(self) -> bool:
        """Whether what a branch adds is the difference of the layer's output and its input."""
        return isinstance(self.operations[-1], Skip)

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
    def scale_power(self) -> int | None:
        """The power of the scale factor that one layer multiplies by; None if there is no one."""
        powers = [op.scale_power for op in self.operations]
        known = [power for power in powers if power is not None]
        return sum(known) if len(known) == len(powers) else None

    @cached_property
    def _fits(self) -> int:
        return _fits(self)

    def _steps(self, shape: Shape) -> Iterator[tuple[Operation, Shape]]:
        """Each operation with the shape of its input."""
        for op in self.operations:
            yield op, shape
            shape = op.after(shape)

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
        """Draw the parameters of the operations, in their order; see `Operation.draw`.

        What is fitted to data sees what the operations before it make of ``seen``.
        """
        ahead = self._fits
        if not ahead:
            return [op.draw(stream, here, seen, on) for op, here in self._steps(shape)]
        drawn: list[Parameters] = []
        for op, here in self._steps(shape):
            p = op.draw(stream, here, seen, on)
            drawn.append(p)
            ahead -= _fits([op])
            if ahead > 0 and seen is not None:
                seen = op.forward(p, seen, on)
        return drawn

    def forward(
        self,
        parameters: Sequence[Parameters],
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """The layer's output for the input x.

        Args:
            parameters: one for each operation, from `draw` or `in_law`.
            x: the input in the numbers of ``on``: a tensor of shape (n,) or (n, inputs), or
                `ScaledNumbers`. A tape keeps it: it must then not be overwritten.
            on: the arithmetic.
            out: a tensor for the result, written by the last operation; None for a new one.
            tape: gets what `backward` needs; None if nothing goes back.

        Returns:
            The output as the layer stores it: rounded to the format in `Rounded`.
        """
        x = self.steps(parameters, on.taken(x), on, out, tape)
        return on.stored(x) if out is None else x

    def steps(
        self,
        parameters: Sequence[Parameters],
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """`forward` without the rounding at its end, as a branch of another layer needs it."""
        operations = self.operations
        for place in range(len(operations) - 1):
            x = operations[place].forward(parameters[place], x, on, None, tape)
        return operations[-1].forward(parameters[-1], x, on, out, tape)

    def backward(
        self, parameters: Sequence[Parameters], tape: Tape[T], g: T, on: Arithmetic[T]
    ) -> T:
        """The gradient of a loss with respect to the layer's input.

        Args:
            parameters: one for each operation, as `forward` got them.
            tape: what `forward` kept; it gets the products' inputs and gradients.
            g: the gradient with respect to the output, as a layer stores it.
            on: the arithmetic.

        Returns:
            The gradient as a layer stores it.
        """
        return on.stored(self.steps_back(parameters, tape, on.loaded(g), on))

    def steps_back(
        self, parameters: Sequence[Parameters], tape: Tape[T], g: T, on: Arithmetic[T]
    ) -> T:
        """`backward` without the rounding at its ends."""
        for op, p in zip(reversed(self.operations), reversed(parameters), strict=True):
            g = op.backward(p, tape, g, on)
        return g

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The layer as PyTorch lines with the same bits; see `Operation.code`."""
        inner = self.code_of_steps(shape, on)
        stored = on.stored_code() + on.ordered_code(shape.inputs > 1)
        back = [*on.loaded_code(), *inner.back, *on.stored_code("g")]
        draw = inner.draw
        if any(line.startswith("x = ") for line in draw):
            draw = ["start = x", *draw, "x = start"]
        return Code(draw, inner.step + stored, inner.traced + stored, back)

    def code_of_steps(self, shape: Shape, on: Rounded) -> Code:
        """`code` without the rounding at its ends, as a branch of another layer needs it."""
        found = Code([], [], [], [])
        ahead = self._fits
        for op, here in self._steps(shape):
            part = op.code(here, on)
            # A format without arithmetic of its own rounds what enters a product, and widens what
            # enters φ.
            into: list[str] = []
            if found.step and isinstance(op, Product):
                into = on.stored_code()
            elif not found.step and isinstance(op, Elementwise):
                into = on.loaded_code("x")
            ahead -= _fits([op])
            found.draw.extend(part.draw + (into + part.step) * (ahead > 0))
            found.step.extend(into + part.step)
            found.traced.extend(into + part.traced)
            found.back[:0] = part.back
        return found

    def moments(self, m: Moments) -> Moments:
        """The moments of the output at infinite width, given those of the input."""
        for op in self.operations:
            m = op.moments(m)
        return m

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """The moments of the output, from those of the input; see `Operation.log_moments`."""
        for op in self.operations:
            m = op.log_moments(m, logs, log_scale)
        return m

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """log E x² of the output of a plain layer, from that of the input."""
        return self.log_moments(LogMoments(square), logs, log_scale).square

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log of E δ² at the input over that at the output; see `Operation.log_gradient_factor`.

        Along the transient it is χ of this layer, not the χ₁ of a fixed point.
        """
        found: Numbers = 0.0
        for op in self.operations:
            found = found + op.log_gradient_factor(m, logs, log_scale)
            m = op.log_moments(m, logs, log_scale)
        return found

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """Whether an ensemble has to draw real matrices for this layer."""
        return any(op.needs_matrices(here, backward=backward) for op, here in self._steps(shape))

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> list[Parameters]:
        """The parameters of an ensemble, one for each operation; see `Operation.in_law`."""
        return [
            op.in_law(networks, here, stream, backward=backward) for op, here in self._steps(shape)
        ]

    def kept_elements(self, shape: Shape) -> int:
        """How many numbers the way back needs of one layer; those of a norm count twice."""
        found = 0
        for op, here in self._steps(shape):
            # A norm keeps the wider numbers in which it adds up.
            found += here.elements * (2 if isinstance(op, Norm) else 1)
            if isinstance(op, Skip):
                found += op.branch.kept_elements(here)
        return found

    def widest(self, shape: Shape) -> int:
        """The most numbers that an operation takes or makes."""
        found = shape.elements
        for op, here in self._steps(shape):
            inside = op.branch.widest(here) if isinstance(op, Skip) else 0
            found = max(found, op.after(here).elements, inside)
        return found

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Memory and work of all layers of one run, without the measurement."""
        return sum((op.cost(here, number_format) for op, here in self._steps(shape)), Cost())

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Memory and work of the way back through all layers, without the measurement."""
        costs = (op.backward_cost(here, number_format) for op, here in self._steps(shape))
        return sum(costs, Cost())

    def ensemble_elements(self, shape: Shape) -> int:
        """How many numbers a network of an ensemble keeps; see `Operation.ensemble_elements`."""
        return sum(op.ensemble_elements(here) for op, here in self._steps(shape))

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """The multiply-adds of networks sampled at once; see `Operation.ensemble_cost`."""
        costs = (
            op.ensemble_cost(here, networks, backward=backward) for op, here in self._steps(shape)
        )
        return sum(costs)


def _fits(operations: Iterable[Operation]) -> int:
    """How many matrices and biases are fitted to data, in branches too."""
    found = 0
    for op in operations:
        if isinstance(op, Skip):
            found += _fits(op.branch)
        elif isinstance(op, Product):
            found += op.drawn.rule.fit is not None
        elif isinstance(op, Bias):
            found += op.fitted
    return found


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
            if op.degree is None or op.scale_power is None:
                raise ValueError(f"{type(op).__name__} has no degree: scales do not separate")
            power = power * op.degree + op.scale_power
        powers.append(power)
    return np.array(powers, np.float64)
