"""The two arithmetics of a layer: rounded to a number format, and exact with separate exponents.

Only this module decides how numbers are kept. An operation says which numbers are multiplied, added
or passed through φ. The arithmetic says where results are rounded, or how they stay in the range of
float32.
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
    """The steps that operations take with numbers of type T.

    Each step writes its result into ``out`` where it is given, and returns the result.
    """

    def product(self, a: Any, x: T, out: T | None = None) -> T:
        """a @ x, for the parameters ``a`` of a `Product`."""
        ...

    def add(self, x: T, b: Any, out: T | None = None) -> T:
        """x + b, for the parameters ``b`` of a `Bias`; x may be overwritten."""
        ...

    def apply(self, phi: Activation, x: T, out: T | None = None) -> T:
        """φ(x), elementwise."""
        ...


class Rounded:
    """Arithmetic in a number format, as a run computes it and as a script spells it.

    The terms of a product are added in ``sum_dtype`` and rounded once. Biases are added, and φ is
    computed, in ``product_dtype``. The last operation of a layer stores its result in the format.

    Args:
        number_format: the format of weights and activations.
    """

    def __init__(self, number_format: NumberFormat) -> None:
        self.format = number_format
        self._adds_in_place = number_format.dtype == number_format.sum_dtype
        self._has_own = number_format.dtype == number_format.product_dtype

    def product(self, a: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
        """a @ x, for ``a`` of shape (n, n) in ``sum_dtype`` and x of shape (n,) or (n, inputs)."""
        multiply = torch.mv if x.dim() == 1 else torch.mm
        if out is not None and self._adds_in_place:
            return multiply(a, x, out=out)
        h = multiply(a, x.to(self.format.sum_dtype)).to(self.format.product_dtype)
        return h if out is None else self._stored(h, out)

    def add(self, x: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """x + b, written into x."""
        x = x.add_(b)
        return x if out is None else self._stored(x, out)

    def apply(self, phi: Activation, x: Tensor, out: Tensor | None = None) -> Tensor:
        """φ(x), elementwise."""
        x = phi.function(x)
        return x if out is None else self._stored(x, out)

    def _stored(self, x: Tensor, out: Tensor) -> Tensor:
        return out.copy_(self.format.cast(x))

    def summed(self, values: Tensor) -> Tensor:
        """``values`` in ``sum_dtype``, the dtype in which the terms of a product are added."""
        return values.to(self.format.sum_dtype)

    def weights(self, values: Tensor, factor: float) -> Tensor:
        """``values``·``factor`` rounded to the format, then widened to ``sum_dtype``."""
        return self._rounded(values, factor).to(self.format.sum_dtype)

    def biases(self, values: Tensor, factor: float) -> Tensor:
        """``values``·``factor`` rounded to the format, then in ``product_dtype``."""
        return self._rounded(values, factor).to(self.format.product_dtype)

    def _rounded(self, values: Tensor, factor: float) -> Tensor:
        values = self.summed(values)
        if factor != 1:
            values = values.mul_(factor)
        return self.format.cast(values)

    # The same steps as PyTorch text.

    @property
    def _cast(self) -> str:
        plain = self.format.dtype in (torch.float32, torch.float64)
        return "" if plain else f".to({self.format.dtype})"

    @property
    def _widened(self) -> str:
        return ".double()" if self.format.sum_dtype == torch.float64 else ""

    def summed_code(self, name: str) -> list[str]:
        """``summed`` as lines that reassign the variable ``name``."""
        return [f"{name} = {name}{self._widened}"] if self._widened else []

    def weights_code(self, name: str, factor: float) -> list[str]:
        """``weights`` as lines that reassign the variable ``name``."""
        return self._rounded_code(name, factor, self._cast + ".float()" * bool(self._cast))

    def biases_code(self, name: str, factor: float) -> list[str]:
        """``biases`` as lines that reassign the variable ``name``."""
        back = ".float()" * (bool(self._cast) and not self._has_own)
        return self._rounded_code(name, factor, self._cast + back)

    def _rounded_code(self, name: str, factor: float, cast: str) -> list[str]:
        times = f" * {format_number(factor)}" if factor != 1 else ""
        value = f"{name}{self._widened}{times}"
        value = f"({value})" if times and cast else value
        return [f"{name} = {value}{cast}"] if value + cast != name else []

    def product_code(self) -> list[str]:
        """``product`` as lines that reassign ``x``."""
        if self._adds_in_place:
            return ["x = a @ x"]
        if not self._has_own:
            return ["x = a @ x.float()"]
        return [f"x = (a @ x.float()).to({self.format.dtype})  # add up in float32, round once"]

    def add_code(self) -> list[str]:
        """``add`` as lines that reassign ``x``."""
        return ["x = x + b"]

    def apply_code(self, phi: Activation) -> list[str]:
        """``apply`` as lines that reassign ``x``."""
        return [f"x = {phi.code}"]

    def stored_code(self) -> list[str]:
        """The cast of a layer's result to the format, as lines that reassign ``x``."""
        return [] if self._has_own else [f"x = x.to({self.format.dtype})"]


class Reach(NamedTuple):
    """The largest value of each network whose overflow would make x non-finite.

    Attributes:
        largest: float64 of shape (networks,), without its power of two.
        power: float64 of shape (networks,): the true values are largest·2^power.
    """

    largest: Tensor
    power: Tensor


class ScaledNumbers(NamedTuple):
    """The signals of several networks, as numbers near 1 times a power of two for each network.

    Attributes:
        numbers: float32 or float64 of shape (networks, n, inputs).
        power: float64 of shape (networks,): the true values are numbers·2^power.
        reach_before: the reach of the pre-activations, if φ has been applied to them; else None.
    """

    numbers: Tensor
    power: Tensor
    reach_before: Reach | None = None

    @classmethod
    def of(cls, numbers: Tensor) -> ScaledNumbers:
        """``numbers`` of shape (networks, n, inputs) times 2^0."""
        return cls(numbers, torch.zeros(len(numbers), dtype=torch.float64))

    @property
    def reach(self) -> Reach:
        """The largest pre-activation that could overflow; without a φ, the largest number."""
        if self.reach_before is not None:
            return self.reach_before
        return Reach(_largest(self.numbers, below=True, above=True), self.power)

    def near_one(self) -> ScaledNumbers:
        """The same values, with the largest |number| of each network in [½, 1); zeros stay."""
        x = self.numbers
        power = torch.frexp(_largest(x, below=True, above=True)).exponent
        factor = torch.ldexp(torch.ones(len(x), dtype=x.dtype), -power)
        return ScaledNumbers(x * factor.view(-1, 1, 1), self.power + power, self.reach_before)


def powers(exponents: Tensor) -> Tensor:
    """2^exponents for a tensor of shape (networks,), as factors of shape (networks, 1, 1)."""
    return torch.exp2(exponents).float().view(-1, 1, 1)


def _largest(h: Tensor, *, below: bool, above: bool) -> Tensor:
    """Per network, the largest |h| on the named sides of zero; 0 if there is none."""
    flat = h.flatten(1)
    if above and below:
        return torch.maximum(flat.amax(1), -flat.amin(1)).double()
    if above or below:
        return (flat.amax(1) if above else -flat.amin(1)).double().clamp_min(0)
    return torch.zeros(len(h), dtype=torch.float64)


class Scaled:
    """Arithmetic on `ScaledNumbers`: nothing overflows or vanishes at any depth.

    ``out`` is ignored.
    """

    def product(self, a: Any, x: ScaledNumbers, out: ScaledNumbers | None = None) -> ScaledNumbers:
        """a @ x, for the matrix of a single network or for the products of many.

        Args:
            a: the matrix, shape (n, n), or an object from `in_law` with the method ``times``.
            x: the signals of that network, or of these networks.
            out: ignored.
        """
        if not isinstance(a, Tensor):
            product: ScaledNumbers = a.times(x)
            return product
        _, n, inputs = x.numbers.shape
        one = torch.mv(a, x.numbers.view(n)) if inputs == 1 else torch.mm(a, x.numbers[0])
        return ScaledNumbers(one.view(1, -1, inputs), x.power)

    def add(self, x: ScaledNumbers, b: Any, out: ScaledNumbers | None = None) -> ScaledNumbers:
        """x + b, for the `Biases` b of the same networks."""
        bias: ScaledNumbers = b.drawn()
        common = torch.maximum(x.power, bias.power)
        numbers = x.numbers * powers(x.power - common) + bias.numbers * powers(bias.power - common)
        return ScaledNumbers(numbers, common)

    def apply(
        self, phi: Activation, x: ScaledNumbers, out: ScaledNumbers | None = None
    ) -> ScaledNumbers:
        """φ(x); where x's power is beyond ±40, φ is replaced by the power law it follows there."""
        return _scaled(phi)(x)


class _ScaledActivation:
    """φ(h·2^e) without forming h·2^e: beyond 2^±40, φ is replaced by its power law there."""

    def __init__(self, phi: Activation) -> None:
        self.phi = phi
        self.below, self.above = infinite_sides(phi)
        self.low, self.high = far_powers(phi)

    def __call__(self, x: ScaledNumbers) -> ScaledNumbers:
        h, exponent = x.numbers, x.power
        reach = Reach(_largest(h, below=self.below, above=self.above), exponent)
        if self.phi.positively_homogeneous:
            return ScaledNumbers(self.phi(h), exponent, reach)
        near = exponent.clamp(-FAR, FAR)
        above, below = (exponent - FAR).clamp_min(0), (exponent + FAR).clamp_max(0)
        shift = (self.high * above if self.high else 0) + (self.low * below if self.low else 0)
        power = torch.zeros_like(exponent) + shift
        return ScaledNumbers(self.phi(h * powers(near)), power, reach)


@lru_cache(maxsize=64)
def _scaled(phi: Activation) -> _ScaledActivation:
    return _ScaledActivation(phi)
