"""LSUV: a drawn matrix is divided by the std of its output on the data until the variance is 1."""

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
