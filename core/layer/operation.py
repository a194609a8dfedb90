"""What a layer is made of: an operation, and what travels through a list of them.

An operation is one place that knows everything about one step of a layer: how its parameters are
drawn, what it does to numbers, how that reads in PyTorch, what it does to moments at infinite
width, how it is sampled without its parameters, and what it costs. ``Layer`` is a list of
operations; whatever asks a question of a layer walks that list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from .arithmetic import Arithmetic, Rounded
from .number_formats import NumberFormat

Parameters: TypeAlias = Any
"""What an operation draws: a tensor, or what stands for those of many networks; else None."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shape:
    """How large a signal is on its way through the layers.

    Attributes:
        width: n, units of a layer.
        inputs: how many go through at once, as the columns of x.
        depth: L, how many layers there are.
    """

    width: int
    inputs: int
    depth: int


@dataclass(frozen=True)
class Moments:
    """Moments of one unit at infinite width; None for one that is not asked for.

    Attributes:
        square: E x².
        mean: E x.
        cross: E x x′, of two inputs with the same E x².
    """

    square: Numbers = None
    mean: Numbers = None
    cross: Numbers = None


@dataclass(frozen=True)
class Code:
    """An operation as lines of PyTorch.

    Attributes:
        draw: what makes its parameters, from ``n`` and ``generator``.
        step: what it does to ``x``.
    """

    draw: list[str] = field(default_factory=list)
    step: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cost:
    """What work needs: peak bytes, and multiply-adds, those of drawing numbers among them."""

    bytes: int = 0
    multiply_adds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.bytes + other.bytes, self.multiply_adds + other.multiply_adds)


class Operation(Protocol):
    """One step of a layer; a frozen dataclass of what defines it."""

    @property
    def degree(self) -> int | None:
        """d, if f(s·x) = s^d·f(x) for every s > 0; None if there is no such d."""
        ...

    @property
    def scale_power(self) -> int:
        """By which power of the experiment's scale factor the result is multiplied."""
        ...

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Parameters:
        """The parameters of one layer, on the stream's device.

        Args:
            stream: where the random numbers come from.
            shape: of the signal.
            seen: what the layer gets; needed only where the parameters are fitted to data.
            on: the arithmetic that they are rounded for.

        Raises:
            ValueError: they are fitted to data, and ``seen`` is None.
        """
        ...

    def forward(self, p: Parameters, x: T, on: Arithmetic[T], out: T | None = None) -> T:
        """What the operation makes of x; written into ``out`` if it is given."""
        ...

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The same as PyTorch, bit for bit."""
        ...

    def moments(self, m: Moments) -> Moments:
        """The moments of its result at infinite width."""
        ...

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """What it does to E x² where float64 could not hold it, in logarithms.

        Args:
            square: the logarithm of E x².
            logs: to which base.
            log_scale: of a factor that multiplies every weight besides.
        """
        ...

    def needs_matrices(self, shape: Shape) -> bool:
        """Whether sampling it in law takes the real parameters."""
        ...

    def in_law(self, networks: int, shape: Shape, stream: Generator) -> Parameters:
        """What stands for the parameters of so many networks, layer after layer."""
        ...

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """What it needs in one run of all layers, drawing included."""
        ...

    def ensemble_cost(self, shape: Shape) -> Cost:
        """What it needs for one network of an ensemble."""
        ...
