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

_NOWHERE = -1e6  # log2 of the size of a matrix of zeros: below that of every other


@dataclass(frozen=True)
class WeightGradients:
    """The gradients of one matrix of each layer; index k is that of layer k, index 0 is NaN.

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


class Factor:
    """One factor of the products g xᵀ of many layers: g or x, with what both numbers need.

    Args:
        values: shape (layers, n) or (layers, n, inputs), of any dtype.

    Attributes:
        sizes: the magnitudes, float64, shaped like the values.
        least, most: the least and the largest magnitude of each layer, shape (layers,).
        exponents: e of each largest magnitude, which is in [2^(e−1), 2^e), shape (layers,).
        near: the values times 2^−e, layer by layer.
    """

    def __init__(self, values: Tensor) -> None:
        wide = values.double()
        self.sizes = wide.abs()
        self.least, self.most = self.sizes.flatten(1).aminmax(dim=1)
        self.exponents = _exponents(self.most)
        self.near = _shifted(wide, -self.exponents)

    @property
    def log2_rms(self) -> Tensor:
        """log2 of the root mean square of each layer, shape (layers,)."""
        return self.near.flatten(1).square().mean(1).log2() / 2 + self.exponents

    @property
    def zeros(self) -> Tensor:
        """How many elements are zero, shape (layers,)."""
        return (self.sizes == 0).flatten(1).sum(1).double()

    @property
    def broken(self) -> Tensor:
        """How many elements are Inf or NaN, shape (layers,)."""
        return (~self.sizes.isfinite()).flatten(1).sum(1).double()

    def extremes(self, *, whole: bool) -> tuple[Tensor, Tensor]:
        """log2 of the least and of the largest magnitude of each layer, but for 0, Inf and NaN.

        Args:
            whole: whether every element is finite and not zero.
        """
        if whole:
            return self.least.log2(), self.most.log2()
        usual = (self.sizes > 0) & (self.sizes < torch.inf)
        least = torch.where(usual, self.sizes, torch.inf).amin(1)
        return least.log2(), torch.where(usual, self.sizes, 0.0).amax(1).log2()


def _exponents(largest: Tensor) -> Tensor:
    """The exponent e of each of these magnitudes, which are in [2^(e−1), 2^e)."""
    exponent = torch.frexp(torch.where(largest.isfinite(), largest, 1.0)).exponent
    return exponent.double().clamp_(-1000, 1000)


def _shifted(x: Tensor, exponents: Tensor) -> Tensor:
    """x·2^e, layer by layer."""
    return x * torch.exp2(exponents).view(-1, *[1] * (x.dim() - 1))


def outer(g: Factor, x: Factor, number_format: NumberFormat) -> Array:
    """The three numbers of g xᵀ, for one input and many layers at once.

    Args:
        g: gradients with respect to a @ x, of shape (layers, fan_out).
        x: inputs of the products, of shape (layers, fan_in).
        number_format: the format of the gradient.

    Returns:
        float64 of shape (3, layers), in the order of NAMES.
    """
    log2_rms = g.log2_rms + x.log2_rms
    if not (g.most + x.most).isfinite().all():
        undefined = _meets_zero(g, x) | _meets_zero(x, g)
        log2_rms = torch.where(undefined, torch.nan, log2_rms)
    zero, nonfinite = _shares(g, x, number_format)
    made: Array = torch.stack([log2_rms, zero, nonfinite]).cpu().numpy()
    return made


def _meets_zero(one: Factor, other: Factor) -> Tensor:
    """Whether an Inf of one factor is multiplied by a zero of the other."""
    return one.sizes.isinf().any(1) & (other.sizes == 0).any(1)


def _shares(g: Factor, x: Factor, number_format: NumberFormat) -> tuple[Tensor, Tensor]:
    """The fractions of the products that are zero, and that are not finite."""
    rows_of, columns = g.sizes.shape[1], x.sizes.shape[1]
    sizes = torch.minimum(g.least, x.least), torch.maximum(g.most, x.most)
    whole = bool(((sizes[0] > 0) & sizes[1].isfinite()).all())
    zero = broken = torch.zeros_like(g.most)
    if not whole:
        (zero_g, broken_g), (zero_x, broken_x) = (g.zeros, g.broken), (x.zeros, x.broken)
        zero = zero_g * (columns - broken_x) + (rows_of - broken_g - zero_g) * zero_x
        broken = broken_g * columns + (rows_of - broken_g) * broken_x
    (least_g, most_g), (least_x, most_x) = g.extremes(whole=whole), x.extremes(whole=whole)
    lost = least_g + least_x <= number_format.log2_rounds_to_zero_below
    if not number_format.saturates:
        lost |= most_g + most_x >= number_format.log2_overflows_from
    rows = lost.nonzero().flatten().tolist()  # where a product leaves the range
    if rows:
        zero, broken = zero.clone(), broken.clone()
    for row in rows:
        zero[row], broken[row] = _counted(g.sizes[row], x.sizes[row], number_format)
    return zero / (rows_of * columns), broken / (rows_of * columns)


def _counted(g: Tensor, x: Tensor, number_format: NumberFormat) -> tuple[int, int]:
    """How many products of two magnitudes are zero, and how many are not finite, by sorting."""
    fine_g, fine_x = g[g.isfinite()], x[x.isfinite()]
    sizes, own = fine_x.log2().sort().values, fine_g.log2()
    edge, end = number_format.log2_rounds_to_zero_below, number_format.log2_overflows_from
    zero = torch.where(
        fine_g == 0, len(sizes), torch.searchsorted(sizes, edge - own, right=True)
    ).sum()
    broken = len(g) * len(x) - len(fine_g) * len(fine_x)
    if not number_format.saturates:
        over = len(sizes) - torch.searchsorted(sizes, end - own)
        broken += int(torch.where(fine_g == 0, 0, over).sum())
    return int(zero), broken


def product(g: Factor, x: Factor, number_format: NumberFormat, into: Sum | None = None) -> Array:
    """The three numbers of g xᵀ of one layer, summed over the inputs of a batch.

    Args:
        g: the gradient with respect to a @ x, of shape (1, fan_out, inputs).
        x: the input of the product, of shape (1, fan_in, inputs).
        number_format: the format of the gradient.
        into: a sum over layers that the matrix is added to.

    Returns:
        float64 of shape (3, 1), in the order of NAMES.
    """
    total = Sum(number_format)
    total.add(g, x)
    found = np.array([*total.measured().values()])[:, None]
    if into is not None:
        into.take(total)
    return found


class Sum:
    """The sum of g xᵀ over many layers, kept near 1 beside a power of two.

    Args:
        number_format: the format of the gradient.
    """

    def __init__(self, number_format: NumberFormat) -> None:
        self._format = number_format
        self._near: Tensor | None = None
        self._power = _NOWHERE

    def add(self, g: Factor, x: Factor) -> None:
        """Add the products of some layers.

        Args:
            g: gradients with respect to a @ x, of shape (layers, fan_out), for several inputs
                (layers, fan_out, inputs).
            x: inputs of the products, likewise with fan_in.
        """
        is_zero = (g.most == 0) | (x.most == 0)
        own = torch.where(is_zero, _NOWHERE, g.exponents + x.exponents)
        power = float(own.max())
        near = _shifted(g.near, (own - power).clamp_min(-1000))
        made = torch.tensordot(near, x.near, dims=([0, *range(2, near.dim())],) * 2)
        self._join(made, power)

    def take(self, other: Sum) -> None:
        """Add another sum, which is of no use afterwards."""
        if other._near is not None:
            self._join(other._near, other._power)

    def _join(self, near: Tensor, power: float) -> None:
        """Add near·2^power; ``near`` may be overwritten."""
        common = max(self._power, power)
        near *= 2.0 ** max(power - common, -1000)
        if self._near is not None:
            self._near *= 2.0 ** max(self._power - common, -1000)
            near += self._near
        self._near, self._power = near, common

    def measured(self) -> dict[str, float]:
        """The three numbers of the sum, by the names in NAMES; of nothing, those of a zero."""
        if self._near is None:
            return dict(zip(NAMES, (-np.inf, 1.0, 0.0), strict=True))
        sizes = self._near.abs().flatten()
        least, most = sizes.aminmax()
        exponent = _exponents(most)
        sizes *= torch.exp2(-exponent)
        power = self._power + float(exponent)
        log2_rms = float((sizes.dot(sizes) / len(sizes)).log2()) / 2 + power
        # The sum is rounded to ``sum_dtype`` first: just above the edge it comes to lie on it.
        edge = 2.0 ** _held(self._format.log2_rounds_to_zero_below - power)
        edge *= 1 + torch.finfo(self._format.sum_dtype).eps / 2
        end = 2.0 ** _held(self._format.log2_overflows_from - power)
        end = np.inf if self._format.saturates else end
        lost = broken = 0
        if not bool(most * torch.exp2(-exponent) < end):
            broken = len(sizes) - int((sizes < end).sum())
        if broken < len(sizes) and not bool(least * torch.exp2(-exponent) > edge):
            lost = int((sizes <= edge).sum())
        shares = (count / len(sizes) for count in (lost, broken))
        return dict(zip(NAMES, (log2_rms, *shares), strict=True))


def _held(log2: float) -> float:
    """An exponent that a double has; what is beyond it is as far away as the end."""
    return min(max(log2, -1000.0), 1000.0)
