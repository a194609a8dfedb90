"""NUMBER_FORMATS: the number formats in which a run computes, each with its conventions."""

from __future__ import annotations

import torch

from .multiplication import IN_FLOAT16, NVFP4, Multiplication, mx
from .number_format import NumberFormat

__all__ = ["ALIASES", "FORMAT_FAMILIES", "NUMBER_FORMATS", "NumberFormat"]

_BRAIN, _HALF, _SINGLE = torch.bfloat16, torch.float16, torch.float32
_FP8 = torch.float8_e4m3fn

_IEEE = "IEEE 754-2019"
_OCP = (
    "OCP 8-bit floating point specification (OFP8) 1.0; Micikevicius et al. 2022, arXiv:2209.05433"
)
_BFLOAT16 = "Kalamkar et al. 2019, arXiv:1905.12322"
_FLUSHED = "Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 1, 10.2.3.3 (FTZ)"
_MX = "OCP Microscaling Formats (MX) specification 1.0; Rouhani et al. 2023, arXiv:2310.10537"
_NVFP4 = "NVIDIA 2025, Pretraining Large Language Models with NVFP4, arXiv:2509.25149"
_SUMS = (
    "NVIDIA, PTX ISA, mma.m16n8k16 with .f16 accumulators; Fasi et al. 2021, Numerical behavior of "
    "NVIDIA tensor cores, PeerJ Computer Science 7:e330"
)
_SATURATES = (
    ", in the saturating conversion of OFP8; in the other one, float8_e4m3fn_nan, it becomes NaN"
)
_IS_NAN = (
    ", in the non-saturating conversion of OFP8; in the other one, float8_e4m3fn, it becomes 448"
)
_FLUSHES = "{name}: where a step gives a subnormal number, it becomes 0."
_ADDS = "{name}: the sum so far is rounded to float16 after every 16 terms of a product."
_SHARES = (
    "{name}: both operands of a product are held in {elements}, in blocks of {block} numbers along "
    "the axis that is summed over, each with {scale} as scale. Sums are added in float32, and "
    "layers store bfloat16."
)
_POWER = "a power of two from 2⁻¹²⁷ on"


def _flushed(dtype: torch.dtype, name: str) -> NumberFormat:
    told = _FLUSHES.format(name=name)
    return NumberFormat(name, dtype, dtype, "Inf", _FLUSHED, told, flushes=True)


def _in_blocks(
    name: str, by: Multiplication, elements: str, scale: str, source: str
) -> NumberFormat:
    told = _SHARES.format(name=name, elements=elements, block=by.block, scale=scale)
    return NumberFormat(name, _BRAIN, _BRAIN, "Inf", source, told, multiplication=by)


_PLAIN = (
    NumberFormat("float64", torch.float64, torch.float64, "Inf", f"{_IEEE}, binary64"),
    NumberFormat("float32", _SINGLE, _SINGLE, "Inf", f"{_IEEE}, binary32"),
    NumberFormat("bfloat16", _BRAIN, _BRAIN, "Inf", _BFLOAT16),
    NumberFormat("float16", _HALF, _HALF, "Inf", f"{_IEEE}, binary16"),
    NumberFormat("float8_e5m2", torch.float8_e5m2, _SINGLE, "Inf", _OCP),
    NumberFormat("float8_e4m3fn", _FP8, _SINGLE, "max", _OCP, convention=_SATURATES),
)
_CONVENTIONS = (
    NumberFormat("float8_e4m3fn_nan", _FP8, _SINGLE, "NaN", _OCP, convention=_IS_NAN),
    _flushed(_SINGLE, "float32_flushed"),
    _flushed(_BRAIN, "bfloat16_flushed"),
    _flushed(_HALF, "float16_flushed"),
    NumberFormat(
        *("float16_float16_sums", _HALF, _HALF, "Inf", _SUMS),
        _ADDS.format(name="float16_float16_sums"),
        multiplication=IN_FLOAT16,
    ),
)
_BLOCKS = (
    _in_blocks("mxfp8_e4m3", mx(3, 2.0**-6, 448.0), "e4m3", _POWER, _MX),
    _in_blocks("mxfp8_e5m2", mx(2, 2.0**-14, 57344.0), "e5m2", _POWER, _MX),
    _in_blocks("mxfp4_e2m1", mx(1, 1.0, 6.0), "e2m1", _POWER, _MX),
    _in_blocks("nvfp4", NVFP4, "e2m1", "an e4m3 number times a scale of the tensor", _NVFP4),
)

NUMBER_FORMATS: dict[str, NumberFormat] = {
    entry.name: entry for entry in (*_PLAIN, *_CONVENTIONS, *_BLOCKS)
}

FORMAT_FAMILIES = {
    "plain": tuple(entry.name for entry in _PLAIN),
    "conventions": (
        *("float32", "float32_flushed", "bfloat16", "bfloat16_flushed"),
        *("float16", "float16_flushed", "float16_float16_sums"),
        *("float8_e4m3fn", "float8_e4m3fn_nan"),
    ),
    "block-scaled": ("bfloat16", *(entry.name for entry in _BLOCKS)),
}
"""Family, as a page and a link name it -> the formats that are compared, in the order of a list."""

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
    "mxfp8": "mxfp8_e4m3",
    "mxfp4": "mxfp4_e2m1",
}
"""Names in other libraries, in lower case and without - and _ -> the registry key."""
