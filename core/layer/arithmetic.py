"""The interface of an arithmetic, and the arithmetic of a run, rounded to a number format.

An operation says which numbers are multiplied, added or passed through φ. The arithmetic decides
how numbers are kept: `Rounded` says where they are rounded, `Scaled` how they stay in range.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from ..text import format_number
from .activations import Activation
from .number_formats import NumberFormat

T = TypeVar("T")


class Normalization(NamedTuple):
    """What a norm divides by.

    Attributes:
        over_inputs: whether statistics are those of one unit over the inputs; else those of one
            input over the units.
        centred: whether the mean is subtracted.
        epsilon: added to the mean square.
    """

    over_inputs: bool
    centred: bool
    epsilon: float


class Arithmetic(Protocol[T]):
    """The steps that operations take with numbers of type T.

    ``out`` is room for the result as the layer stores it; the last operation of a layer gets it. An
    arithmetic of tensors writes there; an arithmetic without such rooms ignores it.
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

    def add_branch(self, x: T, y: T, factor: float, out: T | None = None) -> T:
        """x + factor·y."""
        ...

    def normalize(self, x: T, by: Normalization) -> tuple[T, Any]:
        """x less its mean, if that is subtracted, over √(mean square + ε); and what undoes it.

        Both are taken for each input over units, or for each unit over inputs.
        """
        ...

    def normalize_backward(self, x: T, inverse: Any, g: T, by: Normalization) -> T:
        """The gradient at the input of `normalize`, from its result x and from that at it, g."""
        ...

    def narrowed(self, x: T, out: T | None = None) -> T:
        """A result of `normalize` as the steps of a layer take it."""
        ...

    def multiplied(self, x: T, factor: float) -> T:
        """factor·x."""
        ...

    def taken(self, x: T) -> T:
        """A stored signal as a layer's first step takes it."""
        ...

    def stored(self, x: T) -> T:
        """x as a layer stores its result."""
        ...

    def loaded(self, g: T) -> T:
        """A stored signal or gradient as φ and the way back take it."""
        ...

    def transposed_product(self, a: Any, g: T) -> T:
        """aᵀ @ g, for the parameters ``a`` of a `Product`."""
        ...

    def apply_backward(self, phi: Activation, h: T, g: T) -> T:
        """φ′(h)·g, elementwise."""
        ...


class Rounded:
    """Arithmetic in a number format, as a run computes it and as a script spells it.

    The terms of a product are added in ``sum_dtype`` and rounded once. Biases are added, and φ is
    computed, in ``product_dtype``. The last operation of a layer stores its result in the format.

    Args:
        number_format: the format of weights and activations.
        by_rows: whether a product of several inputs is (xᵀ @ aᵀ)ᵀ instead of a @ x: a fourth of
            the time for few inputs. It adds up in another order. Layers φ(a @ x + b) do without,
            for links of old show the numbers that they had.
    """

    def __init__(self, number_format: NumberFormat, *, by_rows: bool = False) -> None:
        self.format, self._by_rows = number_format, by_rows
        self._adds_in_place = number_format.dtype == number_format.sum_dtype
        self._has_own = number_format.dtype == number_format.product_dtype
        self._see: Callable[[Tensor, Tensor], None] | None = None

    def seen_by(self, see: Callable[[Tensor, Tensor], None]) -> Rounded:
        """The same arithmetic, which calls ``see`` with h and φ(h) of every activation."""
        found = copy(self)
        found._see = see
        return found

    def product(self, a: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
        """a @ x, for ``a`` of shape (n, n) in ``sum_dtype`` and x of shape (n,) or (n, inputs)."""
        multiply = torch.mv if x.dim() == 1 else self._multiply
        if out is not None and self._adds_in_place and not self._by_rows:
            return torch.mv(a, x, out=out) if x.dim() == 1 else torch.mm(a, x, out=out)
        if not self._has_own and x.dtype == self.format.product_dtype:
            x = self.stored(x)  # what enters a product is in the format
        h = multiply(a, x.to(self.format.sum_dtype)).to(self.format.product_dtype)
        return h if out is None else self._write(h, out)

    def _multiply(self, a: Tensor, x: Tensor) -> Tensor:
        """a @ x for several inputs."""
        return torch.mm(x.t(), a.t()).t() if self._by_rows else torch.mm(a, x)

    def add(self, x: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """x + b, written into x, which the product before has just made."""
        x = x.add_(b)
        return x if out is None else self._write(x, out)

    def apply(self, phi: Activation, x: Tensor, out: Tensor | None = None) -> Tensor:
        """φ(x), elementwise."""
        y = phi.function(x)
        if out is not None:
            y = self._write(y, out)
        if self._see is not None:
            self._see(x, y)
        return y

    def add_branch(self, x: Tensor, y: Tensor, factor: float, out: Tensor | None = None) -> Tensor:
        """x + factor·y; the product and the sum are each rounded to ``product_dtype``."""
        x, y = self.loaded(x), self.multiplied(y, factor)
        if out is not None and self._has_own:
            return torch.add(x, y, out=out)
        total = x + y
        return total if out is None else self._write(total, out)

    def multiplied(self, x: Tensor, factor: float) -> Tensor:
        """factor·x in ``product_dtype``."""
        return x if factor == 1 else x * factor

    def normalize(self, x: Tensor, by: Normalization) -> tuple[Tensor, Tensor]:
        """x normalised in ``sum_dtype``, and the reciprocals of the standard deviations."""
        x = self.summed(x)
        axis = 1 if by.over_inputs else 0
        if by.centred:
            x = x - x.mean(axis, keepdim=True)
        inverse = (x.square().mean(axis, keepdim=True) + by.epsilon).rsqrt()
        return x * inverse, inverse

    def normalize_backward(
        self, x: Tensor, inverse: Tensor, g: Tensor, by: Normalization
    ) -> Tensor:
        """inverse·(g − mean g − x·mean(x·g)) in ``sum_dtype``, then in ``product_dtype``."""
        g = self.summed(g)
        axis = 1 if by.over_inputs else 0
        along = x * (x * g).mean(axis, keepdim=True)
        if by.centred:
            g = g - g.mean(axis, keepdim=True)
        return self.loaded((g - along) * inverse)

    def narrowed(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """x in ``product_dtype``."""
        return self.loaded(x) if out is None else self._write(x, out)

    def taken(self, x: Tensor) -> Tensor:
        """x itself."""
        return x

    def stored(self, x: Tensor) -> Tensor:
        """x rounded to the format."""
        return self.format.cast(x)

    def loaded(self, g: Tensor) -> Tensor:
        """g in ``product_dtype``."""
        wide = self.format.product_dtype
        return g if g.dtype == wide else g.to(wide)

    def transposed_product(self, a: Tensor, g: Tensor) -> Tensor:
        """aᵀ @ g; its terms are added in ``sum_dtype`` and rounded once to ``product_dtype``."""
        multiply = torch.mv if g.dim() == 1 else self._multiply
        if self._adds_in_place:
            return multiply(a.t(), g)
        return self.loaded(multiply(a.t(), g.to(self.format.sum_dtype)))

    def apply_backward(self, phi: Activation, h: Tensor, g: Tensor) -> Tensor:
        """φ′(h)·g, with the bits of torch's own backward."""
        return phi.backward(h, g)

    def _write(self, x: Tensor, out: Tensor) -> Tensor:
        return out.copy_(self.stored(x))

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

    def product_code(self, a: str, several: bool) -> list[str]:
        """``product`` as lines that reassign ``x``; ``several`` inputs are columns of x."""
        if self._adds_in_place:
            return [f"x = {self._product_code(a, 'x', several)}"]
        sums = self._product_code(a, "x.float()", several)
        if not self._has_own:
            return [f"x = {sums}"]
        return [f"x = ({sums}).to({self.format.dtype})  # add up in float32, round once"]

    def _product_code(self, a: str, x: str, several: bool) -> str:
        """A product of a matrix as an expression."""
        if not (several and self._by_rows):
            return f"{a} @ {x}"
        transposed = a.removesuffix(".T") if a.endswith(".T") else f"{a}.T"
        return f"({x}.T @ {transposed}).T"

    def add_branch_code(self, x: str, factor: float) -> list[str]:
        """``add_branch`` to the variable ``x``, as lines that reassign the variable x."""
        whole = x if self._has_own else f"{x}.float()"
        return [f"x = {whole} + {self._times('x', factor)}"]

    @staticmethod
    def _times(name: str, factor: float) -> str:
        return name if factor == 1 else f"{format_number(factor)} * {name}"

    def multiplied_code(self, factor: float) -> list[str]:
        """``multiplied`` as lines that reassign ``g``."""
        return [] if factor == 1 else [f"g = {self._times('g', factor)}"]

    def normalize_code(self, by: Normalization) -> list[str]:
        """``normalize`` as lines that reassign ``x`` and assign ``inverse``."""
        axis = int(by.over_inputs)
        lines = [] if self._adds_in_place else [f"x = x.to({self.format.sum_dtype})"]
        if by.centred:
            lines.append(f"x = x - x.mean({axis}, keepdim=True)")
        epsilon = format_number(by.epsilon)
        lines.append(f"inverse = (x.square().mean({axis}, keepdim=True) + {epsilon}).rsqrt()")
        return [*lines, "x = x * inverse"]

    def narrowed_code(self) -> list[str]:
        """Rounding from ``sum_dtype`` to ``product_dtype``, as lines that reassign ``x``."""
        narrow = self.format.sum_dtype != self.format.product_dtype
        return [f"x = x.to({self.format.product_dtype})"] if narrow else []

    def normalize_backward_code(self, by: Normalization) -> list[str]:
        """``normalize_backward`` as lines that reassign ``g``, given ``y`` and ``inverse``."""
        axis = int(by.over_inputs)
        narrow = self.format.sum_dtype != self.format.product_dtype
        lines = [f"g = g.to({self.format.sum_dtype})"] if narrow else []
        lines.append(f"along = y * (y * g).mean({axis}, keepdim=True)")
        if by.centred:
            lines.append(f"g = g - g.mean({axis}, keepdim=True)")
        lines.append("g = (g - along) * inverse")
        return lines + ([f"g = g.to({self.format.product_dtype})"] if narrow else [])

    def apply_code(self, phi: Activation) -> list[str]:
        """``apply`` as lines that reassign ``x``."""
        return [f"x = {phi.code}"]

    def stored_code(self, name: str = "x") -> list[str]:
        """``stored`` as lines that reassign the variable ``name``."""
        return [] if self._has_own else [f"{name} = {name}.to({self.format.dtype})"]

    def loaded_code(self, name: str = "g") -> list[str]:
        """``loaded`` as lines that reassign the variable ``name``."""
        return [] if self._has_own else [f"{name} = {name}.float()"]

    def transposed_product_code(self, a: str, several: bool) -> list[str]:
        """``transposed_product`` as lines that reassign ``g``; see ``product_code``."""
        if self._adds_in_place or not self._has_own:
            return [f"g = {self._product_code(f'{a}.T', 'g', several)}"]
        sums = self._product_code(f"{a}.T", "g.float()", several)
        return [f"g = ({sums}).to({self.format.dtype})"]

    def ordered_code(self, several: bool) -> list[str]:
        """The order in which a layer's result lies in memory, as lines that reassign ``x``."""
        return ["x = x.contiguous()"] if several and self._by_rows else []

    def apply_backward_code(self, phi: Activation) -> list[str]:
        """``apply_backward`` as lines that reassign ``g``, given ``h``."""
        return [f"g = {phi.backward_code}"]
