"""The interface of an operation, one step of a layer, and the values that operations exchange.

Each operation is one class that knows everything about its step: how its parameters are drawn, how
it transforms a signal, its PyTorch text, how it transforms moments at infinite width, how an
ensemble samples it in law, and its cost. `Layer` is a list of operations. Every question about a
layer is answered by a walk along that list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from .arithmetic import Arithmetic, Rounded
from .number_formats import NumberFormat

Parameters: TypeAlias = Any
"""A tensor, or for an ensemble an object with its law; None if the operation has no parameters."""

T = TypeVar("T")


class Tape(Generic[T]):
    """What the way back needs of the way there, last in, first out.

    Attributes:
        products: (a's input, the gradient at a's output) for each product met on the way back, in
            the order of the way back.
    """

    def __init__(self) -> None:
        self.products: list[tuple[T, T]] = []
        self._kept: list[Any] = []

    def keep(self, *values: Any) -> None:
        """Keep values for the way back."""
        self._kept.extend(values)

    def take(self) -> Any:
        """The last value that is left."""
        return self._kept.pop()


@dataclass(frozen=True)
class Shape:
    """The size of a signal and of the network that it passes through.

    Attributes:
        width: n, the number of units.
        inputs: the number of inputs, which are the columns of x.
        depth: L, the number of layers.
        symbol: the width in a script.
    """

    width: int
    inputs: int
    depth: int
    symbol: str = "n"

    @property
    def elements(self) -> int:
        """The numbers of the signal."""
        return self.width * self.inputs


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
class LogMoments:
    """Moments of one unit at infinite width in logarithms, for sizes beyond the range of float64.

    A ratio is None where the caller does not need it; it is then not computed.

    Attributes:
        square: log E x², a scalar or an array.
        mean: E x / √(E x²), from −1 to 1.
        shared: E x x′ / E x² for two inputs x and x′, from −1 to 1.
    """

    square: Numbers
    mean: Numbers = None
    shared: Numbers = None


@dataclass(frozen=True)
class Code:
    """An operation as lines of PyTorch.

    Attributes:
        draw: lines that assign its parameters, given ``generator`` and the sizes.
        step: lines that reassign ``x``.
        traced: the same, which also append to the list ``tape`` what ``back`` needs.
        back: lines that take it from the end of ``tape`` and reassign the gradient ``g``.
    """

    draw: list[str]
    step: list[str]
    traced: list[str]
    back: list[str]


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
    def scale_power(self) -> int | None:
        """The power of the experiment's scale factor by which the result is multiplied, if one."""
        ...

    def after(self, shape: Shape) -> Shape:
        """The shape of f(x), from that of x."""
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

    def forward(
        self,
        p: Parameters,
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """f(x).

        Args:
            p: parameters from `draw`; for an ensemble, from `in_law`.
            x: the signal in the numbers of ``on``: a tensor of shape (n,) or (n, inputs), or
                `ScaledNumbers`. It may be overwritten.
            on: the arithmetic.
            out: a tensor for the result; None for a new one.
            tape: gets what `backward` needs; None if nothing goes back.
        """
        ...

    def backward(self, p: Parameters, tape: Tape[T], g: T, on: Arithmetic[T]) -> T:
        """The gradient of a loss with respect to x, given that with respect to f(x).

        Args:
            p: the parameters that `forward` got.
            tape: what `forward` kept; it is taken off.
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

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """`moments` for sizes beyond the range of float64.

        Args:
            m: the moments of x.
            logs: the base of all logarithms.
            log_scale: the logarithm of a further factor on every weight.
        """
        ...

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log of E (∂ℓ/∂x)² over E (∂ℓ/∂f(x))² at infinite width, for any loss ℓ.

        Args:
            m: the moments of x.
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


class Parameterless:
    """What operations without parameters have in common: they keep the shape of a signal."""

    scale_power: int | None = 0

    def after(self, shape: Shape) -> Shape:
        """The shape of x."""
        return shape

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Parameters:
        """There is nothing to draw."""

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """False: there is no matrix."""
        return False

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> Parameters:
        """There is nothing to draw."""

    def ensemble_elements(self, shape: Shape) -> int:
        """None to speak of."""
        return 0
