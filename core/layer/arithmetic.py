"""The two arithmetics of a layer: rounded to a number format, and exact with exponents apart.

They are the only places that know how numbers are kept. An operation says what is multiplied,
added and bent; the arithmetic says where that is rounded, or how it stays within float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from ..text import format_number
from .activations import Activation
from .number_formats import NumberFormat
from .tails import FAR, far_powers, infinite_sides

T = TypeVar("T")


class Arithmetic(Protocol[T]):
    """What numbers an operation works on, and how."""

    def product(self, a: Any, x: T, out: T | None = None) -> T:
        """a @ x."""
        ...

    def add(self, x: T, b: Any, out: T | None = None) -> T:
        """x + b; x itself may be changed."""
        ...

    def apply(self, phi: Activation, x: T, out: T | None = None) -> T:
        """φ(x)."""
        ...


class Rounded:
    """Arithmetic in a number format: what a run computes in, and how a script says it.

    The terms of a product are added up in ``sum_dtype`` and rounded once, biases and φ are
    computed in ``product_dtype``, and the last operation of a layer is stored in the format.
    """

    def __init__(self, number_format: NumberFormat) -> None:
        self.format = number_format
        self._adds_in_place = number_format.dtype == number_format.sum_dtype
        self._has_own = number_format.dtype == number_format.product_dtype

    def product(self, a: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
        """a @ x for x of shape (n,) or (n, inputs)."""
        multiply = torch.mv if x.dim() == 1 else torch.mm
        if out is not None and self._adds_in_place:
            return multiply(a, x, out=out)
        h = multiply(a, x.to(self.format.sum_dtype)).to(self.format.product_dtype)
        return h if out is None else self._stored(h, out)

    def add(self, x: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """x + b, in x itself."""
        x = x.add_(b)
        return x if out is None else self._stored(x, out)

    def apply(self, phi: Activation, x: Tensor, out: Tensor | None = None) -> Tensor:
        """φ(x)."""
        x = phi.function(x)
        return x if out is None else self._stored(x, out)

    def _stored(self, x: Tensor, out: Tensor) -> Tensor:
        return out.copy_(self.format.cast(x))

    def summed(self, values: Tensor) -> Tensor:
        """Values in the dtype that products add up in."""
        return values.to(self.format.sum_dtype)

    def weights(self, values: Tensor, factor: float) -> Tensor:
        """Weights times a factor, rounded to the format, in the dtype that products add up in."""
        return self._rounded(values, factor).to(self.format.sum_dtype)

    def biases(self, values: Tensor, factor: float) -> Tensor:
        """Biases times a factor, rounded to the format, in the dtype that they are added in."""
        return self._rounded(values, factor).to(self.format.product_dtype)

    def _rounded(self, values: Tensor, factor: float) -> Tensor:
        values = self.summed(values)
        if factor != 1:
            values = values.mul_(factor)
        return self.format.cast(values)

    # The same as text, line by line.

    @property
    def _cast(self) -> str:
        plain = self.format.dtype in (torch.float32, torch.float64)
        return "" if plain else f".to({self.format.dtype})"

    @property
    def _widened(self) -> str:
        return ".double()" if self.format.sum_dtype == torch.float64 else ""

    def summed_code(self, name: str) -> list[str]:
        """``summed``."""
        return [f"{name} = {name}{self._widened}"] if self._widened else []

    def weights_code(self, name: str, factor: float) -> list[str]:
        """``weights``."""
        return self._rounded_code(name, factor, self._cast + ".float()" * bool(self._cast))

    def biases_code(self, name: str, factor: float) -> list[str]:
        """``biases``."""
        back = ".float()" * (bool(self._cast) and not self._has_own)
        return self._rounded_code(name, factor, self._cast + back)

    def _rounded_code(self, name: str, factor: float, cast: str) -> list[str]:
        times = f" * {format_number(factor)}" if factor != 1 else ""
        value = f"{name}{self._widened}{times}"
        value = f"({value})" if times and cast else value
        return [f"{name} = {value}{cast}"] if value + cast != name else []

    def product_code(self) -> list[str]:
        """``product``."""
        if self._adds_in_place:
            return ["x = a @ x"]
        if not self._has_own:
            return ["x = a @ x.float()"]
        return [f"x = (a @ x.float()).to({self.format.dtype})  # add up in float32, round once"]

    def add_code(self) -> list[str]:
        """``add``."""
        return ["x = x + b"]

    def apply_code(self, phi: Activation) -> list[str]:
        """``apply``."""
        return [f"x = {phi.code}"]

    def stored_code(self) -> list[str]:
        """How the result of a layer is stored."""
        return [] if self._has_own else [f"x = x.to({self.format.dtype})"]


class Reach(NamedTuple):
    """How far from overflow some networks are.

    Attributes:
        largest: shape (networks,): the largest value on the way whose overflow would make the
            result non-finite.
        power: shape (networks,): the power of two that is apart from it.
    """

    largest: Tensor
    power: Tensor


class Apart(NamedTuple):
    """Numbers near 1, with a power of two apart for each network.

    Attributes:
        numbers: shape (networks, n, inputs).
        power: float64 of shape (networks,): the true values are numbers·2^power.
        way: the Reach on the way here, where it is not that of the numbers themselves.
    """

    numbers: Tensor
    power: Tensor
    way: Reach | None = None

    @classmethod
    def of(cls, numbers: Tensor) -> Apart:
        """Numbers as they are."""
        return cls(numbers, torch.zeros(len(numbers), dtype=torch.float64))

    @property
    def reach(self) -> Reach:
        """How far from overflow the numbers, or what led to them, are."""
        if self.way is not None:
            return self.way
        return Reach(_largest(self.numbers, below=True, above=True), self.power)

    def near_one(self) -> Apart:
        """The same with the largest magnitude between ½ and 1; zeros stay."""
        x = self.numbers
        power = torch.frexp(_largest(x, below=True, above=True)).exponent
        factor = torch.ldexp(torch.ones(len(x), dtype=x.dtype), -power)
        return Apart(x * factor.view(-1, 1, 1), self.power + power, self.way)


def powers(exponents: Tensor) -> Tensor:
    """Powers of two, to multiply networks by."""
    return torch.exp2(exponents).float().view(-1, 1, 1)


def _largest(h: Tensor, *, below: bool, above: bool) -> Tensor:
    """Per network the largest |h| on the sides that count; 0 if there is none."""
    flat = h.flatten(1)
    if above and below:
        return torch.maximum(flat.amax(1), -flat.amin(1)).double()
    if above or below:
        return (flat.amax(1) if above else -flat.amin(1)).double().clamp_min(0)
    return torch.zeros(len(h), dtype=torch.float64)


class Scaled:
    """Arithmetic without a number format's ends: nothing overflows, however deep the network."""

    def product(self, a: Any, x: Apart, out: Apart | None = None) -> Apart:
        """a @ x, for the matrix of a single network, or for what stands for those of many."""
        if not isinstance(a, Tensor):
            product: Apart = a.times(x)
            return product
        _, n, inputs = x.numbers.shape
        one = torch.mv(a, x.numbers.view(n)) if inputs == 1 else torch.mm(a, x.numbers[0])
        return Apart(one.view(1, -1, inputs), x.power)

    def add(self, x: Apart, b: Any, out: Apart | None = None) -> Apart:
        """x + b, for biases as ``Biases`` has them."""
        bias: Apart = b.drawn()
        common = torch.maximum(x.power, bias.power)
        numbers = x.numbers * powers(x.power - common) + bias.numbers * powers(bias.power - common)
        return Apart(numbers, common)

    def apply(self, phi: Activation, x: Apart, out: Apart | None = None) -> Apart:
        """φ(x); beyond 2^±40 φ is the power of its argument that it follows there."""
        return _scaled(phi)(x)


class _ScaledActivation:
    """φ(h·2^e) without forming h·2^e: far out φ is replaced by the power law it follows there."""

    def __init__(self, phi: Activation) -> None:
        self.phi = phi
        self.below, self.above = infinite_sides(phi)
        self.low, self.high = far_powers(phi)

    def __call__(self, x: Apart) -> Apart:
        h, exponent = x.numbers, x.power
        reach = Reach(_largest(h, below=self.below, above=self.above), exponent)
        if self.phi.positively_homogeneous:
            return Apart(self.phi(h), exponent, reach)
        near = exponent.clamp(-FAR, FAR)
        above, below = (exponent - FAR).clamp_min(0), (exponent + FAR).clamp_max(0)
        moved = (self.high * above if self.high else 0) + (self.low * below if self.low else 0)
        return Apart(self.phi(h * powers(near)), torch.zeros_like(exponent) + moved, reach)


@lru_cache(maxsize=64)
def _scaled(phi: Activation) -> _ScaledActivation:
    return _ScaledActivation(phi)
