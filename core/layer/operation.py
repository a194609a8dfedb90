"""The interface of an operation, one step of a layer, and the values that operations exchange.

Each operation is one class that knows everything about its step: how its parameters are drawn, how
it transforms a signal, its PyTorch text, how it transforms moments at infinite width, how an
ensemble samples it in law, and its cost. `Layer` is a list of operations. Every question about a
layer is answered by a walk along that list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from .arithmetic import Arithmetic, Rounded
from .number_formats import NumberFormat

Parameters: TypeAlias = Any
"""A tensor, or for an ensemble an object with its law; None if the operation has no parameters."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shape:
    """The size of a signal and of the network that it passes through.

    Attributes:
        width: n, the number of units of every layer.
        inputs: the number of inputs, which are the columns of x.
        depth: L, the number of layers.
    """

    width: int
    inputs: int
    depth: int


@dataclass(frozen=True)
class Moments:
    """Moments of one unit at infinite width, scalars or arrays that broadcast.

    A moment is None where the caller does not need it; it is then not computed.

    Attributes:
        square: E x².
        mean: E x.
        cross: E x x′ for two inputs x and x′ with the same E x².
        gradient: E (∂ℓ/∂x)² of a loss ℓ; the way forward leaves it as it is.
    """

    square: Numbers = None
    mean: Numbers = None
    cross: Numbers = None
    gradient: Numbers = None


@dataclass(frozen=True)
class Code:
    """An operation as lines of PyTorch.

    Attributes:
        draw: lines that assign its parameters, given ``n`` and ``generator``.
        step: lines that reassign ``x``.
        keep: lines before ``step`` that append to the list ``kept`` what ``back`` needs.
        back: lines that take it from the end of ``kept`` and reassign the gradient ``g``.
    """

    draw: list[str] = field(default_factory=list)
    step: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)


MICROSECOND = 4000.0
"""The unit of work, multiply-adds, in a microsecond of one core: what costs time counts as so many.

All constants of cost are measured times. ``python -m tests.bench.estimates`` holds them against
real work.
"""


@dataclass(frozen=True)
class Cost:
    """The memory of a computation, estimated from above, and its work.

    Attributes:
        bytes: peak memory.
        multiply_adds: processor time in units of MICROSECOND/10⁶ seconds, within a factor of about
            two. A call of a function counts, however few numbers it is for.
    """

    bytes: int = 0
    multiply_adds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.bytes + other.bytes, self.multiply_adds + other.multiply_adds)


class Operation(Protocol):
    """One step f of a layer, as a frozen dataclass of its settings."""

    @property
    def degree(self) -> int | None:
        """The d with f(s·x) = s^d·f(x) for every s > 0; None if there is none."""
        ...

    @property
    def scale_power(self) -> int:
        """The power of the experiment's scale factor by which the result is multiplied."""
        ...

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Parameters:
        """Draw the parameters of one layer.

        Args:
            stream: the source of random numbers.
            shape: the size of the signal.
            seen: the layer's input, shape (n,) or (n, inputs); needed only for parameters that are
                fitted to data.
            on: the arithmetic of the run, which rounds the parameters.

        Returns:
            The parameters, on the stream's device; None for an operation that has none.

        Raises:
            ValueError: the parameters are fitted to data, and ``seen`` is None.
        """
        ...

    def forward(self, p: Parameters, x: T, on: Arithmetic[T], out: T | None = None) -> T:
        """f(x).

        Args:
            p: parameters from `draw`; for an ensemble, from `in_law`.
            x: the signal in the numbers of ``on``: a tensor of shape (n,) or (n, inputs), or
                `ScaledNumbers`. It may be overwritten.
            on: the arithmetic.
            out: a tensor for the result; None for a new one.
        """
        ...

    def backward(self, p: Parameters, x: T, g: T, on: Arithmetic[T]) -> T:
        """The gradient of a loss with respect to x, given that with respect to f(x).

        Args:
            p: the parameters that `forward` got.
            x: the input that `forward` got.
            g: the gradient with respect to f(x), shaped like f(x).
            on: the arithmetic.
        """
        ...

    def code(self, shape: Shape, on: Rounded) -> Code:
        """`draw`, `forward` and `backward` as PyTorch lines with the same bits.

        Args:
            shape: the size of the signal.
            on: the arithmetic of the run.
        """
        ...

    def moments(self, m: Moments) -> Moments:
        """The moments of f(x) at infinite width, given those of x."""
        ...

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """log E f(x)² from log E x², for sizes beyond the range of float64.

        Args:
            square: log E x², a scalar or an array.
            logs: the base of all logarithms.
            log_scale: the logarithm of a further factor on every weight.
        """
        ...

    def log_gradient_factor(
        self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log of E (∂ℓ/∂x)² over E (∂ℓ/∂f(x))² at infinite width, for any loss ℓ.

        Args:
            square: log E x², a scalar or an array.
            logs: the base of all logarithms.
            log_scale: the logarithm of a further factor on every weight.
        """
        ...

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """Whether an ensemble has to draw this operation's real matrices."""
        ...

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> Parameters:
        """The parameters of an ensemble, or an object that samples f(x) from the same law.

        Args:
            networks: how many networks.
            shape: the size of the signal.
            stream: the source of random numbers.
            backward: whether `backward` will be asked too, once for each layer from the last one.

        Returns:
            The first argument of `forward` in the arithmetic `Scaled`, for one layer after another.
        """
        ...

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Memory and work in all layers of one run, draws included.

        Args:
            shape: the size of the signal.
            number_format: the format of weights and activations.
        """
        ...

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Memory and work of `backward` in all layers of one run, beside `cost`.

        Args:
            shape: the size of the signal.
            number_format: the format of weights and gradients.
        """
        ...

    def ensemble_elements(self, shape: Shape) -> int:
        """How many numbers one network of an ensemble keeps beside its signal.

        It decides how many networks share a random stream, so it never changes.
        """
        ...

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """The multiply-adds of all layers of networks that an ensemble samples at once.

        ``backward`` says that a gradient goes back through them too.
        """
        ...
