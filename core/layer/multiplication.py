"""Multiplication: in which numbers a @ x is multiplied, and in which its terms are added.

A number format names its multiplication. `WIDE` adds the terms of a product in one wide dtype. The
others lose more: the operands are held in blocks with a common scale, or the sum so far is rounded.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from . import conversions

Function = Callable[..., Any]
_BLOCKS = (
    conversions.power_of_two,
    conversions.nearest,
    conversions.blocks_of,
    conversions.joined,
)


class Multiplication:
    """a @ x of operands in a wide dtype, in which the terms are added.

    Attributes:
        functions: those that a script needs for it, each with those that it calls.
        terms_per_rounding: how many terms are added before the sum so far is rounded to the format;
            None if only the whole sum is.
        block: how many numbers share a scale; None if each stands for itself.
        least: the smallest positive number of an operand, where it has an end of its own; else 0.
        matrices: how many matrices it keeps of one.
        per_matrix: microseconds that it takes for an element of a matrix, once.
        per_element: microseconds that it adds to a product, for an element of the matrix.
        per_column: microseconds that it adds to a product, for a column of the matrix.
        per_product: microseconds that it adds to a product.
    """

    functions: tuple[Function, ...] = ()
    terms_per_rounding: int | None = None
    block: int | None = None
    least = 0.0
    matrices = 1
    per_matrix = per_element = per_column = per_product = 0.0

    def product(self, a: Tensor, x: Tensor, *, by_rows: bool) -> Tensor:
        """a @ x.

        Args:
            a: the matrix, in a wide dtype.
            x: of shape (n,) or (n, inputs), in the same dtype.
            by_rows: whether a product of several inputs is (xᵀ @ aᵀ)ᵀ.
        """
        return _product(a, x, by_rows=by_rows)

    def transposed(self, a: Tensor, g: Tensor, *, by_rows: bool) -> Tensor:
        """aᵀ @ g; see `product`."""
        return _product(a.t(), g, by_rows=by_rows)

    def code(self, a: str, x: str, *, by_rows: bool) -> str:
        """`product` as an expression; `transposed` if ``a`` ends with .T."""
        if not by_rows:
            return f"{a} @ {x}"
        return f"({x}.T @ {_transposed(a)}).T"


def _product(a: Tensor, x: Tensor, *, by_rows: bool) -> Tensor:
    if x.dim() == 1:
        return torch.mv(a, x)
    return torch.mm(x.t(), a.t()).t() if by_rows else torch.mm(a, x)


def _transposed(a: str) -> str:
    return a.removesuffix(".T") if a.endswith(".T") else f"{a}.T"


class InFloat16(Multiplication):
    """The sum so far is rounded to float16 after every 16 terms.

    The matrix instructions of GPUs with an accumulator of 16 bits take 16 terms at a time: their
    products are exact, and are added to the accumulator in wider numbers.

    Source: NVIDIA, PTX ISA, mma.m16n8k16 with .f16 accumulators; Fasi et al. 2021, Numerical
    behavior of NVIDIA tensor cores, PeerJ Computer Science 7:e330.
    """

    functions = (conversions.product_in_float16,)
    terms_per_rounding = 16
    per_element, per_column = 5e-4, 0.6

    def product(self, a: Tensor, x: Tensor, *, by_rows: bool) -> Tensor:
        """a @ x in float16."""
        return conversions.product_in_float16(a, x)

    def transposed(self, a: Tensor, g: Tensor, *, by_rows: bool) -> Tensor:
        """aᵀ @ g in float16."""
        return conversions.product_in_float16(a.t(), g)

    def code(self, a: str, x: str, *, by_rows: bool) -> str:
        """`product` as an expression."""
        return f"product_in_float16({a}, {x})"


class BlockScaled(Multiplication):
    """Both operands are held in blocks with a common scale, along the axis that is summed over.

    So the blocks of a matrix lie along its rows on the way there, and along its columns on the way
    back. The terms are added in float32.

    Args:
        block: how many numbers share a scale.
        convert: x, axis -> x as the format holds it, in float32.
        call: ``convert`` as an expression of {x} and {axis}.
        function: what ``call`` calls.
        least: the smallest positive number that a block can hold.
    """

    matrices = 3
    per_matrix, per_product = 6e-3, 60.0

    def __init__(
        self,
        block: int,
        convert: Callable[[Tensor, int], Tensor],
        call: str,
        function: Function,
        least: float,
    ) -> None:
        self.block, self._convert, self._call, self.least = block, convert, call, least
        self.functions = (*_BLOCKS, function)
        self._known: MutableMapping[Tensor, dict[int, Tensor]] = WeakTensorKeyDictionary()

    def _along(self, a: Tensor, axis: int) -> Tensor:
        """A matrix in blocks along an axis: converted once, however many products take it."""
        known = self._known.setdefault(a, {})
        if axis not in known:
            known[axis] = self._convert(a, axis)
        return known[axis]

    def product(self, a: Tensor, x: Tensor, *, by_rows: bool) -> Tensor:
        """a @ x."""
        return _product(self._along(a, 1), self._convert(x, 0), by_rows=by_rows)

    def transposed(self, a: Tensor, g: Tensor, *, by_rows: bool) -> Tensor:
        """aᵀ @ g."""
        return _product(self._along(a, 0).t(), self._convert(g, 0), by_rows=by_rows)

    def code(self, a: str, x: str, *, by_rows: bool) -> str:
        """`product` as an expression."""
        name = a.removesuffix(".T")
        matrix = self._call.format(x=name, axis=int(a == name)) + a[len(name) :]
        return super().code(matrix, self._call.format(x=x, axis=0), by_rows=by_rows)


def mx(bits: int, least: float, most: float) -> BlockScaled:
    """An MX format of these elements; see `conversions.nearest`."""
    convert = partial(conversions.in_mx, bits=bits, least=least, most=most)
    call = f"in_mx({{x}}, {{axis}}, {bits}, {least}, {most})"
    return BlockScaled(32, convert, call, conversions.in_mx, 2.0**-127 * least / 2**bits)


WIDE = Multiplication()
IN_FLOAT16 = InFloat16()
NVFP4 = BlockScaled(
    *(16, conversions.in_nvfp4, "in_nvfp4({x}, {axis})", conversions.in_nvfp4),
    least=2.0**-126 * 2.0**-9 / 2,
)
