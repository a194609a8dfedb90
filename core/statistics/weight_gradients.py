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


def _largest(x: Tensor) -> Tensor:
    """The largest magnitude of each row, float64 (rows,)."""
    flat = x.flatten(1)
    return torch.maximum(flat.amax(1), -flat.amin(1))


def _exponents(largest: Tensor) -> Tensor:
    """The exponent e of each of these magnitudes, which are in [2^(e−1), 2^e)."""
    exponent = torch.frexp(torch.where(largest.isfinite(), largest, 1.0)).exponent
    return exponent.double().clamp_(-1000, 1000)


def _near_one(x: Tensor, exponents: Tensor) -> Tensor:
    """x·2^−exponents, row by row."""
    return x * torch.exp2(-exponents).view(-1, *[1] * (x.dim() - 1))


def _log2_rms(x: Tensor, largest: Tensor) -> Tensor:
    """log2 of the root mean square of each row of x, float64 of shape (rows,)."""
    e = _exponents(largest)
    return _near_one(x, e).flatten(1).square_().mean(1).log2() / 2 + e


def outer(g: Tensor, x: Tensor, number_format: NumberFormat) -> Array:
    """The three numbers of g xᵀ, for one input and many layers at once.

    Args:
        g: gradients with respect to a @ x, shape (layers, n).
        x: inputs of the products, shape (layers, n).
        number_format: the format of the gradient.

    Returns:
        float64 of shape (3, layers), in the order of NAMES.
    """
    g, x = g.double().abs(), x.double().abs()
    most_g, most_x = g.amax(1), x.amax(1)
    log2_rms = _log2_rms(g, most_g) + _log2_rms(x, most_x)
    broken_g = broken_x = torch.zeros_like(most_g)
    if not (most_g + most_x).isfinite().all():
        undefined = (g.isinf().any(1) & (x == 0).any(1)) | (x.isinf().any(1) & (g == 0).any(1))
        log2_rms = torch.where(undefined, torch.nan, log2_rms)  # Inf times 0
        broken_g, broken_x = ((~values.isfinite()).sum(1).double() for values in (g, x))
    zero, nonfinite = _shares(g, x, broken_g, broken_x, number_format)
    made: Array = torch.stack([log2_rms, zero, nonfinite]).cpu().numpy()
    return made


def _shares(
    g: Tensor, x: Tensor, broken_g: Tensor, broken_x: Tensor, number_format: NumberFormat
) -> tuple[Tensor, Tensor]:
    """The fractions of products of two magnitudes that are zero, and that are not finite.

    ``broken_g`` and ``broken_x`` are how many of the magnitudes are Inf or NaN, in each row.
    """
    n = x.shape[1]
    zero_g, zero_x = ((n - values.count_nonzero(1)).double() for values in (g, x))
    zero = zero_g * (n - broken_x) + (n - broken_g - zero_g) * zero_x
    broken = broken_g * n + (n - broken_g) * broken_x
    whole = bool(((broken_g == 0) & (broken_x == 0)).all())
    (least_g, most_g), (least_x, most_x) = _extremes(g, whole), _extremes(x, whole)
    least, most = least_g + least_x, most_g + most_x
    lost = least <= number_format.log2_rounds_to_zero_below
    lost |= (most >= number_format.log2_overflows_from) & number_format.infinity
    for row in lost.nonzero().flatten().tolist():  # the rows where a product leaves the range
        zero[row], broken[row] = _counted(g[row], x[row], number_format)
    return zero / n**2, broken / n**2


def _extremes(values: Tensor, whole: bool) -> tuple[Tensor, Tensor]:
    """log2 of the least and of the largest magnitude of each row, but for 0, Inf and NaN.

    ``whole`` says that none is Inf or NaN.
    """
    least, most = values.amin(1), values.amax(1)
    if not whole or not least.all():
        usual = (values > 0) & (values < torch.inf)
        least = torch.where(usual, values, torch.inf).amin(1)
        most = torch.where(usual, values, 0.0).amax(1)
    return least.log2(), most.log2()


def _counted(g: Tensor, x: Tensor, number_format: NumberFormat) -> tuple[int, int]:
    """How many products of two magnitudes are zero, and how many are not finite, by sorting."""
    fine_g, fine_x = g[g.isfinite()], x[x.isfinite()]
    sizes, own = fine_x.log2().sort().values, fine_g.log2()
    edge, end = number_format.log2_rounds_to_zero_below, number_format.log2_overflows_from
    zero = torch.where(
        fine_g == 0, len(sizes), torch.searchsorted(sizes, edge - own, right=True)
    ).sum()
    broken = len(g) * len(x) - len(fine_g) * len(fine_x)
    if number_format.infinity:
        over = len(sizes) - torch.searchsorted(sizes, end - own)
        broken += int(torch.where(fine_g == 0, 0, over).sum())
    return int(zero), broken


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
        self._power = 0.0

    def add(self, g: Tensor, x: Tensor) -> None:
        """Add the products of some layers.

        Args:
            g: gradients with respect to a @ x, shape (layers, n) or (layers, n, inputs).
            x: inputs of the products, of the same shape.
        """
        g, x = g.double(), x.double()
        of_g, of_x = _exponents(_largest(g)), _exponents(_largest(x))
        power = float((of_g + of_x).max())
        if self._near is not None:
            power = max(power, self._power)
            self._near *= 2.0 ** max(self._power - power, -1000)
        near_x, near_g = _near_one(x, of_x), _near_one(g, of_g)
        near_g = _near_one(near_g, (power - of_g - of_x).clamp_max(1000))
        made = torch.tensordot(near_g, near_x, dims=([0, *range(2, g.dim())],) * 2)
        self._near = made if self._near is None else self._near + made
        self._power = power

    def measured(self) -> dict[str, float]:
        """The three numbers of the sum, by the names in NAMES; of nothing, those of a zero."""
        if self._near is None:
            return dict(zip(NAMES, (-np.inf, 1.0, 0.0), strict=True))
        near = self._near.view(1, -1)
        largest = _largest(near)
        log2_rms = float(_log2_rms(near, largest)[0]) + self._power
        size = near.to(self._format.sum_dtype).abs()
        lost = (size <= self._scaled(self._format.log2_rounds_to_zero_below)).sum()
        end = self._scaled(self._format.log2_overflows_from) if self._format.infinity else np.inf
        broken = 0.0
        if not bool(largest < end):
            broken = float((~(near.abs() < end)).sum())
        shares = (float(count) / near.numel() for count in (lost, broken))
        return dict(zip(NAMES, (log2_rms, *shares), strict=True))

    def _scaled(self, log2: float) -> float:
        """2^log2 in units of the sum's power of two."""
        return float(2.0 ** min(max(log2 - self._power, -1000.0), 1000.0))
