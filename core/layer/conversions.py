"""Conversions between number formats that torch itself lacks, as functions of torch alone.

A script gets their source. So each one stands without its module, and takes and gives plain values.
"""

from __future__ import annotations

import torch
from torch import Tensor


def flushed(x: Tensor) -> Tensor:
    """x with zeros, of the same sign, in place of its subnormal numbers."""
    return x * (x.abs() >= torch.finfo(x.dtype).smallest_normal)


def nan_beyond(x: Tensor, most: float) -> Tensor:
    """x with NaN in place of the numbers whose magnitude is larger than ``most``."""
    return torch.where(x.abs() > most, torch.nan, x)


def power_of_two(x: Tensor) -> Tensor:
    """The largest power of two up to x, for float32 x ≥ 0: its exponent bits; 0 for subnormals."""
    return (x.view(torch.int32) & 0x7F800000).view(torch.float32)


def nearest(x: Tensor, bits: int, least: float, most: float) -> Tensor:
    """x rounded to the nearest float of a narrow format, halves to even; beyond ``most`` to it.

    Args:
        x: float32.
        bits: the bits after the point of the significand.
        least: the smallest normal number.
        most: the largest number.
    """
    step = power_of_two(x.abs()).clamp_min(least) / 2**bits
    return ((x / step).round() * step).clamp(-most, most)


def blocks_of(x: Tensor, size: int, axis: int) -> Tensor:
    """x in blocks of ``size`` along an axis, which goes last; zeros fill up the last block."""
    x = torch.nn.functional.pad(x.movedim(axis, -1), (0, -x.shape[axis] % size))
    return x.reshape(*x.shape[:-1], -1, size)


def joined(blocks: Tensor, count: int, axis: int) -> Tensor:
    """The first ``count`` elements of ``blocks_of``, their axis where it was."""
    return blocks.flatten(-2)[..., :count].movedim(-1, axis).contiguous()


def in_mx(x: Tensor, axis: int, bits: int, least: float, most: float) -> Tensor:
    """x as an MX format holds it: blocks of 32 along ``axis``, each with a power of two as scale.

    The scale is 2^(⌊log2 of the block's largest magnitude⌋ − ⌊log2 most⌋), but at least 2⁻¹²⁷. A
    block with Inf or NaN becomes NaN.

    Args:
        x: float32.
        axis: the axis over which a product sums.
        bits, least, most: the format of an element; see `nearest`.

    Source: OCP Microscaling Formats (MX) Specification 1.0, sections 5 and 6.3.
    """
    blocks = blocks_of(x, 32, axis)
    largest = power_of_two(blocks.abs().amax(-1, keepdim=True))
    scale = (largest / power_of_two(torch.tensor(most))).clamp_min(2.0**-127)
    return joined(nearest(blocks / scale, bits, least, most) * scale, x.shape[axis], axis)


def in_nvfp4(x: Tensor, axis: int) -> Tensor:
    """x as NVFP4 holds it: blocks of 16 along ``axis`` with scales of float8_e4m3fn, and e2m1.

    The scale of a block is its largest magnitude over 6, rounded to float8_e4m3fn in units of a
    float32 scale of the whole tensor: the tensor's largest magnitude over 6·448. A block whose
    scale rounds to zero becomes zero. A tensor with Inf or NaN becomes NaN.

    Args:
        x: float32.
        axis: the axis over which a product sums.

    Source: NVIDIA 2025, Pretraining Large Language Models with NVFP4, arXiv:2509.25149, appendix B.
    """
    blocks = blocks_of(x, 16, axis)
    largest = blocks.abs().amax(-1, keepdim=True)
    unit = (largest.amax() / (6 * 448)).clamp_min(2.0**-126)
    scale = nearest(largest / 6 / unit, 3, 2.0**-6, 448.0) * unit
    elements = torch.where(scale == 0, 0.0, nearest(blocks / scale, 1, 1.0, 6.0))
    return joined(elements * scale, x.shape[axis], axis)


def product_in_float16(a: Tensor, x: Tensor) -> Tensor:
    """a @ x of float16 numbers in float32, added up in float16, 16 terms at a time.

    The terms of a block are added in float32. Their sum is added to the sum so far, from the first
    block to the last, and the result is rounded to float16.
    """
    total = torch.zeros((), dtype=torch.float16, device=x.device)
    for k in range(0, a.shape[1], 16):
        total = (total + a[:, k : k + 16] @ x[k : k + 16]).half()
    return total
