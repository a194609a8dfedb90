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
from . import conversions
from .activations import Activation
from .number_format import NumberFormat

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
    A format that flushes subnormal numbers does so after every step: a product, a bias, φ.

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
        self._flushes = number_format.flushes
        self._writes = self._has_own and not self._flushes  # a step may write where it is stored
        self._see: Callable[[Tensor, Tensor], None] | None = None

    def seen_by(self, see: Callable[[Tensor, Tensor], None]) -> Rounded:
        """The same arithmetic, which calls ``see`` with h and φ(h) of every activation."""
        found = copy(self)
        found._see = see
        return found

    def product(self, a: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
        """a @ x, for ``a`` from `weights` and x of shape (n,) or (n, inputs)."""
        if out is not None and self._adds_in_place and self._writes and not self._by_rows:
            return torch.mv(a, x, out=out) if x.dim() == 1 else torch.mm(a, x, out=out)
        if not self._has_own and x.dtype == self.format.product_dtype:
            x = self.stored(x)  # what enters a product is in the format
        wide = x.to(self.format.sum_dtype)
        h = self.format.multiplication.product(a, wide, by_rows=self._by_rows)
        return self._settled(h.to(self.format.product_dtype), out)

    def _settled(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The result of a step, without subnormal numbers where they are flushed; stored in out."""
        if out is not None:
            return out.copy_(self.stored(x))
        return conversions.flushed(x) if self._flushes else x

    def add(self, x: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """x + b, written into x, which the product before has just made."""
        return self._settled(x.add_(b), out)

    def apply(self, phi: Activation, x: Tensor, out: Tensor | None = None) -> Tensor:
        """φ(x), elementwise."""
        y = self._settled(phi.function(x), out)
        if self._see is not None:
            self._see(x, y)
        return y

    def add_branch(self, x: Tensor, y: Tensor, factor: float, out: Tensor | None = None) -> Tensor:
        """x + factor·y; the product and the sum are each rounded to ``product_dtype``."""
        x, y = self.loaded(x), self.multiplied(y, factor)
        if out is not None and self._writes:
            return torch.add(x, y, out=out)
        return self._settled(x + y, out)

    def multiplied(self, x: Tensor, factor: float) -> Tensor:
        """factor·x in ``product_dtype``."""
        return x if factor == 1 else self._settled(x * factor)

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
        return self._settled(self.loaded((g - along) * inverse))

    def narrowed(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """x in ``product_dtype``."""
        return self._settled(self.loaded(x) if out is None else x, out)

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
        wide = g.to(self.format.sum_dtype)
        sums = self.format.multiplication.transposed(a, wide, by_rows=self._by_rows)
        return self._settled(self.loaded(sums))

    def apply_backward(self, phi: Activation, h: Tensor, g: Tensor) -> Tensor:
        """φ′(h)·g, with the bits of torch's own backward."""
        return self._settled(phi.backward(h, g))

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
    def _widened(self) -> str:
        return ".double()" if self.format.sum_dtype == torch.float64 else ""

    def summed_code(self, name: str) -> list[str]:
        """``summed`` as lines that reassign the variable ``name``."""
        return [f"{name} = {name}{self._widened}"] if self._widened else []

    def weights_code(self, name: str, factor: float) -> list[str]:
        """``weights`` as lines that reassign the variable ``name``."""
        return self._rounded_code(name, factor, self.format.sum_dtype)

    def biases_code(self, name: str, factor: float) -> list[str]:
        """``biases`` as lines that reassign the variable ``name``."""
        return self._rounded_code(name, factor, self.format.product_dtype)

    def _rounded_code(self, name: str, factor: float, wide: torch.dtype) -> list[str]:
        value = f"{name}{self._widened}"
        if factor != 1:
            value += f" * {format_number(factor)}"
        if self._flushes or not self._adds_in_place:
            value = self.format.cast_code(f"({value})" if factor != 1 else value)
            value += ".float()" * (wide != self.format.dtype)
        return [f"{name} = {value}"] if value != name else []

    def settled_code(self, name: str = "x") -> list[str]:
        """The end of a step, as lines that reassign the variable ``name``."""
        return [f"{name} = flushed({name})"] if self._flushes else []

    def product_code(self, a: str, several: bool) -> list[str]:
        """``product`` as lines that reassign ``x``; ``several`` inputs are columns of x."""
        narrow, rounds = self._adds_in_place, self.format.multiplication.terms_per_rounding
        sums = self._product_code(a, "x" if narrow else "x.float()", several)
        if narrow or not self._has_own or rounds:
            return [f"x = {sums}", *self.settled_code()]
        rounded = f"x = ({sums}).to({self.format.dtype})  # add up in float32, round once"
        return [rounded, *self.settled_code()]

    def _product_code(self, a: str, x: str, several: bool) -> str:
        """A product of a matrix as an expression."""
        return self.format.multiplication.code(a, x, by_rows=several and self._by_rows)

    def add_branch_code(self, x: str, factor: float) -> list[str]:
        """``add_branch`` to the variable ``x``, as lines that reassign the variable x."""
        whole = x if self._has_own else f"{x}.float()"
        lines = self.multiplied_code(factor, "x") if self._flushes else []
        y = "x" if lines else self._times("x", factor)
        return [*lines, f"x = {whole} + {y}", *self.settled_code()]

    @staticmethod
    def _times(name: str, factor: float) -> str:
        return name if factor == 1 else f"{format_number(factor)} * {name}"

    def multiplied_code(self, factor: float, name: str = "g") -> list[str]:
        """``multiplied`` as lines that reassign the variable ``name``."""
        if factor == 1:
            return []
        return [f"{name} = {self._times(name, factor)}", *self.settled_code(name)]

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
        lines = [f"x = x.to({self.format.product_dtype})"] if narrow else []
        return lines + self.settled_code()

    def normalize_backward_code(self, by: Normalization) -> list[str]:
        """``normalize_backward`` as lines that reassign ``g``, given ``y`` and ``inverse``."""
        axis = int(by.over_inputs)
        narrow = self.format.sum_dtype != self.format.product_dtype
        lines = [f"g = g.to({self.format.sum_dtype})"] if narrow else []
        lines.append(f"along = y * (y * g).mean({axis}, keepdim=True)")
        if by.centred:
            lines.append(f"g = g - g.mean({axis}, keepdim=True)")
        lines.append("g = (g - along) * inverse")
        lines += [f"g = g.to({self.format.product_dtype})"] if narrow else []
        return lines + self.settled_code("g")

    def apply_code(self, phi: Activation) -> list[str]:
        """``apply`` as lines that reassign ``x``."""
        return [f"x = {phi.code}", *self.settled_code()]

    def stored_code(self, name: str = "x") -> list[str]:
        """``stored`` as lines that reassign the variable ``name``."""
        return [] if self._has_own else [f"{name} = {self.format.cast_code(name)}"]

    def loaded_code(self, name: str = "g") -> list[str]:
        """``loaded`` as lines that reassign the variable ``name``."""
        return [] if self._has_own else [f"{name} = {name}.float()"]

    def transposed_product_code(self, a: str, several: bool) -> list[str]:
        """``transposed_product`` as lines that reassign ``g``; see ``product_code``."""
        rounds = self.format.multiplication.terms_per_rounding
        if self._adds_in_place or not self._has_own:
            sums = self._product_code(f"{a}.T", "g", several)
        else:
            sums = self._product_code(f"{a}.T", "g.float()", several)
            sums = sums if rounds else f"({sums}).to({self.format.dtype})"
        return [f"g = {sums}", *self.settled_code("g")]

    def ordered_code(self, several: bool) -> list[str]:
        """The order in which a layer's result lies in memory, as lines that reassign ``x``."""
        return ["x = x.contiguous()"] if several and self._by_rows else []

    def apply_backward_code(self, phi: Activation) -> list[str]:
        """``apply_backward`` as lines that reassign ``g``, given ``h``."""
        return [f"g = {phi.backward_code}", *self.settled_code("g")]
