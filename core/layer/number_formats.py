"""NUMBER_FORMATS: the floating-point formats in which a run computes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..text import significant


@dataclass(frozen=True)
class NumberFormat:
    """A floating-point format.

    Attributes:
        name: registry key; travels in links, never renamed.
        dtype: the torch dtype in which activations and weights are stored.
        product_dtype: the dtype of a @ x + b and of φ: the format itself, or float32 for the
            formats of 8 bits, which have no arithmetic of their own.
        infinity: whether overflow gives Inf; if not, it gives ``max`` (saturation).
        reference: the document that defines the format.
    """

    name: str
    dtype: torch.dtype
    product_dtype: torch.dtype
    infinity: bool
    reference: str

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
        """The smallest positive value."""
        return self.smallest_normal * self.epsilon

    @cached_property
    def epsilon(self) -> float:
        """The gap between 1 and the next larger value."""
        return torch.finfo(self.dtype).eps

    @cached_property
    def overflows_from(self) -> float:
        """Half an ulp beyond ``max``, to a relative epsilon²/8: larger values overflow."""
        return self.max * (1 + self.epsilon / 4)

    @cached_property
    def log2_overflows_from(self) -> float:
        """log2 of half an ulp beyond ``max``."""
        return float(np.log2(self.max) + np.log2((2 - self.epsilon / 2) / (2 - self.epsilon)))

    @cached_property
    def rounds_to_zero_below(self) -> float:
        """Half the smallest subnormal, up to which |x| rounds to zero; itself 0 for float64."""
        return self.smallest_subnormal / 2

    @cached_property
    def log2_rounds_to_zero_below(self) -> float:
        """log2 of half the smallest subnormal; finite for every format."""
        return float(np.log2(self.smallest_subnormal) - 1)

    @property
    def rounds_every_term(self) -> bool:
        """Whether each term of a sum is rounded to the format: no wider dtype adds them."""
        return self.dtype == self.sum_dtype

    @property
    def is_coarse(self) -> bool:
        """Whether runs round so coarsely that they do not resemble exact arithmetic."""
        return self.bits <= 8

    @cached_property
    def bits(self) -> int:
        """The width of one value, in bits."""
        return torch.finfo(self.dtype).bits

    @property
    def beyond_max(self) -> str:
        """The fate of a number beyond ``max``, in words, with the convention where there are two.

        For a format without infinity, OFP8 allows a conversion that saturates and one that gives
        NaN. torch saturates.
        """
        end = significant(self.max)
        if self.infinity:
            return f"A number beyond {end} becomes Inf."
        return (
            f"A number beyond {end} becomes {end}, as torch rounds it; under the standard's other "
            "convention, which does not saturate, it would be NaN."
        )

    def cast(self, x: Tensor) -> Tensor:
        """``x`` rounded to this format, same shape; beyond ``max`` it gives Inf or saturates."""
        return x.to(self.dtype)


_IEEE = "IEEE 754-2019"
_OCP = (
    "OCP 8-bit floating point specification (OFP8) 1.0; Micikevicius et al. 2022, arXiv:2209.05433"
)

_ENTRIES = (
    NumberFormat("float64", torch.float64, torch.float64, True, f"{_IEEE}, binary64"),
    NumberFormat("float32", torch.float32, torch.float32, True, f"{_IEEE}, binary32"),
    NumberFormat(
        "bfloat16", torch.bfloat16, torch.bfloat16, True, "Kalamkar et al. 2019, arXiv:1905.12322"
    ),
    NumberFormat("float16", torch.float16, torch.float16, True, f"{_IEEE}, binary16"),
    NumberFormat("float8_e5m2", torch.float8_e5m2, torch.float32, True, _OCP),
    NumberFormat("float8_e4m3fn", torch.float8_e4m3fn, torch.float32, False, _OCP),
)

NUMBER_FORMATS: dict[str, NumberFormat] = {entry.name: entry for entry in _ENTRIES}

ALIASES = {
    "double": "float64",
    "fp64": "float64",
    "f64": "float64",
    "float": "float32",
    "single": "float32",
    "fp32": "float32",
    "f32": "float32",
    "half": "float16",
    "fp16": "float16",
    "f16": "float16",
    "bf16": "bfloat16",
    "fp8e5m2": "float8_e5m2",
    "e5m2": "float8_e5m2",
    "fp8e4m3": "float8_e4m3fn",
    "e4m3": "float8_e4m3fn",
    "e4m3fn": "float8_e4m3fn",
}
"""Names in other libraries, in lower case and without - and _ -> the registry key."""
