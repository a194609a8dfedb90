"""NumberFormat: a floating-point format, with the conventions by which a run computes in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..text import significant
from . import conversions
from .multiplication import WIDE, Function, Multiplication

Beyond = Literal["Inf", "NaN", "max"]


@dataclass(frozen=True)
class NumberFormat:
    """A floating-point format.

    Attributes:
        name: registry key; travels in links, never renamed.
        dtype: the torch dtype in which activations and weights are stored.
        product_dtype: the dtype of a @ x + b and of φ: the format itself, or float32 for the
            formats of 8 bits, which have no arithmetic of their own.
        beyond: what a number beyond ``max`` becomes: Inf, NaN, or ``max`` itself (saturation).
        reference: the document that defines the format and its conventions.
        description: what sets the format apart, in a sentence that names it; empty if nothing does.
        flushes: whether a subnormal number becomes zero, wherever a step of a layer gives one.
        multiplication: in which numbers a @ x is multiplied, and in which its terms are added.
        convention: what ends the sentence ``beyond_max`` where two conventions are in use.
    """

    name: str
    dtype: torch.dtype
    product_dtype: torch.dtype
    beyond: Beyond
    reference: str
    description: str = ""
    flushes: bool = False
    multiplication: Multiplication = WIDE
    convention: str = ""

    @property
    def infinity(self) -> bool:
        """Whether a number beyond ``max`` becomes Inf."""
        return self.beyond == "Inf"

    @property
    def saturates(self) -> bool:
        """Whether a number beyond ``max`` becomes ``max``, so that nothing overflows."""
        return self.beyond == "max"

    @cached_property
    def sum_dtype(self) -> torch.dtype:
        """The dtype in which the terms of a product are added before the sum is rounded once.

        Formats of 16 bits are added in float32, as by the matrix units of GPUs. torch's own product
        on a CPU would do so too, but the bfloat16 instructions of some processors flush subnormal
        numbers to zero, and the same network would die earlier there.
        """
        return torch.promote_types(self.product_dtype, torch.float32)

    @cached_property
    def max(self) -> float:
        """The largest finite value."""
        return torch.finfo(self.dtype).max

    @cached_property
    def smallest_normal(self) -> float:
        """The smallest positive value with full precision."""
        return torch.finfo(self.dtype).smallest_normal

    @cached_property
    def smallest_subnormal(self) -> float:
        """The smallest positive value: a normal one where subnormal numbers are flushed."""
        return self.smallest_normal * (1.0 if self.flushes else self.epsilon)

    @property
    def stored_in(self) -> str:
        """The name of the format whose range x has: that of its dtype where blocks share scales."""
        return str(self.dtype).removeprefix("torch.") if self.shared_rounding else self.name

    @cached_property
    def smallest_operand(self) -> float:
        """The smallest positive value that enters a product as anything but zero."""
        return max(self.smallest_subnormal, self.multiplication.least)

    @cached_property
    def epsilon(self) -> float:
        """The gap between 1 and the next larger value."""
        return torch.finfo(self.dtype).eps

    @cached_property
    def _significand(self) -> float:
        """That of ``max``, from 1 to 2."""
        return 2 * float(np.frexp(self.max)[0])

    @cached_property
    def overflows_from(self) -> float:
        """Half an ulp beyond ``max``, to a relative epsilon²/8: larger values overflow."""
        is_full = self._significand == 2 - self.epsilon  # float8_e4m3fn has NaN beyond 1.75·2⁸
        return self.max * (1 + self.epsilon / 2 / (2 if is_full else self._significand))

    @cached_property
    def log2_overflows_from(self) -> float:
        """log2 of half an ulp beyond ``max``."""
        half = self._significand + self.epsilon / 2
        return float(np.log2(self.max) + np.log2(half / self._significand))

    @cached_property
    def rounds_to_zero_below(self) -> float:
        """The size up to which |x| rounds to zero: half the smallest subnormal; 0 for float64.

        Where subnormal numbers are flushed, those that round to one go too.
        """
        if self.flushes:
            return self.smallest_normal * (1 - self.epsilon / 2)
        return self.smallest_subnormal / 2

    @cached_property
    def log2_rounds_to_zero_below(self) -> float:
        """log2 of ``rounds_to_zero_below``; finite for every format."""
        if self.flushes:
            return float(np.log2(self.rounds_to_zero_below))
        return float(np.log2(self.smallest_subnormal) - 1)

    @property
    def terms_per_rounding(self) -> int | None:
        """How many terms of a sum are added before it is rounded; None if the whole sum is."""
        if self.flushes:  # what the terms lose there is far below the numbers that are flushed
            return None
        return 1 if self.dtype == self.sum_dtype else self.multiplication.terms_per_rounding

    @property
    def rounds_every_term(self) -> bool:
        """Whether each term of a sum is rounded to the format: no wider dtype adds them."""
        return self.terms_per_rounding == 1

    @property
    def is_coarse(self) -> bool:
        """Whether runs round so coarsely that they do not resemble exact arithmetic."""
        return self.bits <= 8 or self.multiplication.block is not None

    @property
    def shared_rounding(self) -> str:
        """The rounding that changes the size at every layer, in words; empty but for blocks."""
        block = self.multiplication.block
        return f"the rounding in blocks of {block} numbers" if block else ""

    @cached_property
    def bits(self) -> int:
        """The width of one value, in bits."""
        return torch.finfo(self.dtype).bits

    @property
    def beyond_max(self) -> str:
        """The fate of a number beyond ``max``, in words, with the convention where there are two.

        For a format that saturates, OFP8 allows a conversion that saturates and one that gives
        NaN: each of them is a format of its own.
        """
        end = significant(self.max)
        becomes = end if self.saturates else self.beyond
        return f"A number that rounds beyond {end} becomes {becomes}{self.convention}."

    def cast(self, x: Tensor) -> Tensor:
        """``x`` rounded to this format, same shape; ``beyond`` says what is beyond ``max``."""
        if self.beyond == "NaN":
            x = conversions.nan_beyond(x, self.overflows_from)
        x = x.to(self.dtype)
        return conversions.flushed(x) if self.flushes else x

    def cast_code(self, value: str) -> str:
        """``cast`` of an expression, as an expression."""
        if self.beyond == "NaN":
            value = f"nan_beyond({value}, {self.overflows_from})"
        if self.dtype != torch.float32:  # in which numbers are drawn
            value = f"{value}.to({self.dtype})"
        return f"flushed({value})" if self.flushes else value

    @property
    def functions(self) -> tuple[Function, ...]:
        """Those that a script needs beside torch."""
        nan = (conversions.nan_beyond,) if self.beyond == "NaN" else ()
        zero = (conversions.flushed,) if self.flushes else ()
        return nan + zero + self.multiplication.functions
