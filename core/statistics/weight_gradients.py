"""The gradient of a weight matrix, measured without forming its elements where one input allows.

For one input the gradient is the outer product g xᵀ: its root mean square is that of g times that
of x, and the elements that round to zero or overflow are counted by sorting the logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..layer.number_formats import NumberFormat
from ..maths.arrays import Array

NAMES = ("log2_rms", "zero", "nonfinite")


@dataclass(frozen=True)
class WeightGradients:
    """The gradients of the weights, per product; index k is that of layer k, index 0 is NaN.

    Where one matrix is used at every step, the values are the share of each step, and the gradient
    of the matrix is their sum.

    Attributes:
        log2_rms: log2 of the root mean square of the exact products, never falsely infinite.
        zero: the fraction of elements that are zero in the number format.
        nonfinite: the fraction of elements that are Inf or NaN in the number format.
        whole: the same three numbers of the sum over all steps; None for fresh weights.
    """

    log2_rms: Array
    zero: Array
    nonfinite: Array
    whole: dict[str, float] | None = None


def _exponents(x: Tensor) -> Tensor:
    """The exponent e of the largest magnitude of each row in [2^(e−1), 2^e), int32 (rows,)."""
    largest = x.abs().flatten(1).amax(1)
    return torch.frexp(torch.where(largest.isfinite(), largest, 1.0)).exponent


def _log2_rms(x: Tensor) -> Tensor:
    """log2 of the root mean square of each row of x, float64 of shape (rows, …)."""
    e = _exponents(x)
    near = torch.ldexp(x, -e.view(-1, *[1] * (x.dim() - 1)))
    return near.square().flatten(1).mean(1).log2() / 2 + e


def outer(g: Tensor, x: Tensor, number_format: NumberFormat) -> Array:
    """The three numbers of g xᵀ, for one input and many layers at once.

    Args:
        g: gradients with respect to a @ x, shape (layers, n).
        x: inputs of the products, shape (layers, n).
        number_format: the format of the gradient.

    Returns:
        float64 of shape (3, layers), in the order of NAMES.
    """
    g, x = g.double(), x.double()
    log2_rms = _log2_rms(g) + _log2_rms(x)
    undefined = (g.isinf().any(1) & (x == 0).any(1)) | (x.isinf().any(1) & (g == 0).any(1))
    log2_rms = torch.where(undefined, torch.nan, log2_rms)  # Inf times 0
    sizes_g, sizes_x = g.abs().log2(), x.abs().log2()
    broken_g, broken_x = ~g.isfinite(), ~x.isfinite()
    whole = torch.where(broken_x, torch.inf, sizes_x).sort(1).values
    finite_g = torch.where(broken_g, torch.nan, sizes_g)
    edge = number_format.log2_rounds_to_zero_below
    # Up to which log2|x| an element is zero, and from which on it overflows.
    zeros = torch.searchsorted(whole, (edge - finite_g).nan_to_num(-torch.inf), right=True)
    zero_x = (x == 0).sum(1, keepdim=True)
    finite_x = (~broken_x).sum(1, keepdim=True)
    zeros = torch.where(broken_g, 0, torch.where(g == 0, finite_x, zeros.clamp(zero_x, finite_x)))
    broken = torch.where(broken_g, x.shape[1], x.shape[1] - finite_x)
    if number_format.infinity:
        over = torch.searchsorted(whole, number_format.log2_overflows_from - finite_g)
        broken = torch.where(broken_g | (g == 0), broken, x.shape[1] - over)
    count = float(g.shape[1] * x.shape[1])
    table = torch.stack([log2_rms, zeros.sum(1).double() / count, broken.sum(1).double() / count])
    made: Array = table.cpu().numpy()
    return made


def product(g: Tensor, x: Tensor, number_format: NumberFormat) -> Array:
    """The three numbers of g xᵀ, summed over the inputs of a batch.

    Args:
        g: the gradient with respect to a @ x, shape (n, inputs).
        x: the input of the product, shape (n, inputs).
        number_format: the format of the gradient.

    Returns:
        float64 of shape (3,), in the order of NAMES.
    """
    total = Sum(number_format)
    total.add(g.unsqueeze(0), x.unsqueeze(0))
    return np.array([*total.measured().values()])


class Sum:
    """The sum of g xᵀ over many layers, kept near 1 beside a power of two.

    Args:
        number_format: the format of the gradient.
    """

    def __init__(self, number_format: NumberFormat) -> None:
        self._format = number_format
        self._near: Tensor | None = None
        self._power = 0

    def add(self, g: Tensor, x: Tensor) -> None:
        """Add the products of some layers.

        Args:
            g: gradients with respect to a @ x, shape (layers, n) or (layers, n, inputs).
            x: inputs of the products, of the same shape.
        """
        g, x = g.double(), x.double()
        of_g, of_x = _exponents(g), _exponents(x)
        power = int((of_g + of_x).max())
        if self._near is not None:
            power = max(power, self._power)
            self._near *= 2.0 ** max(self._power - power, -1000)
        row = (-1, *[1] * (g.dim() - 1))
        near_x = torch.ldexp(x, -of_x.view(row))
        near_g = torch.ldexp(g, -of_g.view(row)) * torch.exp2((of_g + of_x - power).double()).view(
            row
        )
        made = torch.tensordot(near_g, near_x, dims=([0, *range(2, g.dim())],) * 2)
        self._near = made if self._near is None else self._near + made
        self._power = power

    def measured(self) -> dict[str, float]:
        """The three numbers of the sum, by the names in NAMES; of nothing, those of a zero."""
        if self._near is None:
            return dict(zip(NAMES, (-np.inf, 1.0, 0.0), strict=True))
        log2_rms = float(_log2_rms(self._near.flatten().unsqueeze(0))[0]) + self._power
        stored = self._format.cast(torch.ldexp(self._near, torch.tensor(self._power))).double()
        zero = float((stored == 0).double().mean())
        nonfinite = float((~stored.isfinite()).double().mean())
        return dict(zip(NAMES, (log2_rms, zero, nonfinite), strict=True))
