"""LSUV: a drawn matrix divided by the std of what it makes of the data, until the variance is 1."""

from __future__ import annotations

import torch
from torch import Tensor

TOLERANCE = 0.1
"""How far from 1 the variance of the output may stay: Tol_var of the paper."""

MOST_DIVISIONS = 10
"""After so many divisions it is left as it is: T_max of the paper."""

CODE = f"""\
for _ in range({MOST_DIVISIONS}):
    h = (a @ x.to(a.dtype)).double()
    peak = h.abs().max()
    std = (h / peak).std(correction=0) * peak
    if not 0 < std < float("inf") or abs(std**2 - 1) < {TOLERANCE}:
        break
    a = a / std"""
"""``unit_variance`` as PyTorch lines on ``a`` and ``x``, to the last bit."""


def unit_variance(a: Tensor, x: Tensor) -> Tensor:
    """``a`` divided by the std of ``a @ x`` until |variance − 1| < TOLERANCE.

    The variance is over all units and inputs, around their mean. A matrix that is good enough is
    not touched; nor is one whose output has no variance to divide by: a single number, a dead or a
    broken signal.

    Args:
        a: the matrix as it was drawn, float32 or float64, shape (fan_out, fan_in).
        x: the data that the layer gets, any floating dtype, shape (fan_in,) or (fan_in, inputs).

    Returns:
        The matrix, of the same shape and dtype.

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
