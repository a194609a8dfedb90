"""LSUV: a drawn matrix is divided by the std of its output on the data until the variance is 1.

The rule with a fitted bias also subtracts the mean of that output.
"""

from __future__ import annotations

import torch
from torch import Tensor

TOLERANCE = 0.1
"""The largest |variance − 1| of the output that is accepted: Tol_var of the paper."""

MOST_DIVISIONS = 10
"""The largest number of divisions: T_max of the paper."""

CODE = f"""\
for _ in range({MOST_DIVISIONS}):
    h = ({{a}} @ x.to({{a}}.dtype)).double()
    peak = h.abs().max()
    std = (h / peak).std(correction=0) * peak
    if not 0 < std < float("inf") or abs(std**2 - 1) < {TOLERANCE}:
        break
    {{a}} = {{a}} / std"""
"""``unit_variance`` as PyTorch lines on ``x`` and the matrix ``{a}``, with the same bits."""


BIAS_CODE = """\
h = x.double() + {b}.double()
peak = h.abs().max()
mean = (h / peak).mean() * peak
if mean.isfinite():
    {b} = ({b}.double() - mean).to({b}.dtype)"""
"""``zero_mean`` as PyTorch lines on the output ``x`` of the product and ``{b}``, bit for bit."""


def unit_variance(a: Tensor, x: Tensor) -> Tensor:
    """``a`` divided by the std of ``a @ x`` until |variance − 1| < TOLERANCE.

    The variance is taken over all units and inputs, around their mean. A matrix whose output has
    variance 1 within the tolerance is not changed. Neither is one whose output has a variance that
    is zero or not finite: the output of one unit for one input, of a signal that is all zero, or of
    one with Inf or NaN.

    Args:
        a: the drawn matrix, float32 or float64 of shape (fan_out, fan_in).
        x: the layer's input, any floating dtype, shape (fan_in,) or (fan_in, inputs).

    Returns:
        The fitted matrix, of the shape and dtype of ``a``.

    Reference: Mishkin & Matas 2016, All you need is a good init, arXiv:1511.06422, algorithm 1.
    """
    for _ in range(MOST_DIVISIONS):
        h = (a @ x.to(a.dtype)).double()
        peak = h.abs().max()
        std = (h / peak).std(correction=0) * peak  # no square overflows
        if not 0 < std < torch.inf or abs(std**2 - 1) < TOLERANCE:
            break
        a = a / std
    return a


def zero_mean(b: Tensor, h: Tensor) -> Tensor:
    """``b`` less the mean of ``h + b``, taken over all units and inputs.

    The bias of every unit changes by the same number. It stays where that mean is not finite, and
    where the sum is all zero.

    Args:
        b: the biases, shape (fan_out,) or (fan_out, 1).
        h: the output of the product, any floating dtype, shape (fan_out,) or (fan_out, inputs).

    Returns:
        The fitted biases, of the shape and dtype of ``b``.
    """
    total = h.double() + b.double()
    peak = total.abs().max()
    mean = (total / peak).mean() * peak  # no sum overflows
    return (b.double() - mean).to(b.dtype) if mean.isfinite() else b
