"""What is added up over the elements of each layer: the one place that touches them all.

Each layer is scaled by an exact power of two before its moments are taken in float64, so that
nothing overflows or vanishes on the way. Sizes are counted by bit pattern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..layer.number_formats import NumberFormat
from ..maths.arrays import Array
from .histogram import Histogram, bit_counts, trimmed

_TALLIED = (
    "exponent",
    "mean",
    "square",
    "square_deviation",
    "max_abs",
    "zero",
    "negative",
    "nan",
    "nonfinite",
    "subnormal",
    "saturated",
)


@dataclass(frozen=True)
class Tally:
    """What is added up over the elements of each layer, before any statistic is formed.

    ``mean``, ``square`` (Σx²) and ``square_deviation`` (Σ(x − mean)²) are of x·2^(−exponent).
    Every array is float64 of shape (layers,); counts are exact.

    Attributes:
        count: elements per layer.
        sums: the arrays, by the names in ``_TALLIED``.
        histogram: of log2|x|.
    """

    count: int
    sums: Mapping[str, Array]
    histogram: Histogram

    def fraction(self, name: str) -> Array:
        """A count as a fraction of the elements."""
        return self.sums[name] / self.count

    def magnitude(self, square: Array) -> Array:
        """√square, back at the true scale; ±inf only where float64 itself overflows.

        Python's power, not torch's square root, which is not the nearest float64 on every CPU.
        """
        roots = np.array([value**0.5 for value in square.tolist()])
        return np.ldexp(roots, self.sums["exponent"].astype(int))

    def log2_magnitude(self, square: Array) -> Array:
        """log2 √square at the true scale; −inf only for an exact zero."""
        return np.log2(square) / 2 + self.sums["exponent"]

    @property
    def mean_square(self) -> Array:
        """Σx²/N, scaled; infinite where an element is and none is NaN."""
        infinite = np.isinf(self.sums["max_abs"])
        return np.where(infinite, np.inf, self.sums["square"] / self.count)

    @property
    def variance(self) -> Array:
        """Σ(x − mean)²/(N − 1), scaled; of one element it is 0/0 = NaN."""
        return self.sums["square_deviation"] / (self.count - 1 or np.nan)


def _sum(x: Tensor) -> Tensor:
    """Σ over all but the first axis, shape (layers,).

    Inputs first, units second: each sum then has more than one output or few terms, for which
    torch splits none between threads. The result is the same on any number of them.
    """
    while x.dim() > 1:
        x = x.sum(-1)
    return x


def _power_of_two(exponent: Tensor) -> Tensor:
    """2^e exactly, for int64 e in [-1022, 1023]."""
    return ((exponent + 1023) << 52).view(torch.float64)


def tally(x: Tensor, number_format: NumberFormat) -> Tally:
    """Add up what the statistics need, over many layers at once.

    The device is asked for nothing before the end.

    Args:
        x: activations, shape (layers, width) or (layers, width, batch), on any device.
        number_format: the format that they are stored in.

    Returns:
        The tally, on the host.
    """
    wide = x.to(torch.float64, copy=True, memory_format=torch.contiguous_format)
    flat = wide.view(len(x), -1)
    count = flat.shape[1]
    magnitude = flat.abs()
    max_abs = magnitude.amax(1)
    sizes = bit_counts(magnitude, number_format)
    saturated = (
        (magnitude == number_format.max).sum(1)
        if not number_format.infinity
        else torch.zeros_like(sizes.zero)
    )

    signs = flat.sign()  # 0 for zero and for NaN
    balance = signs.sum(1)
    signed = signs.abs_().sum(1)

    # The biased exponent of the maximum; that of Inf and NaN ends at the upper clamp.
    exponent = ((max_abs.view(torch.int64) >> 52) - 1022).clamp_(-1000, 1000)
    flat *= _power_of_two(-exponent).unsqueeze(1)
    mean = _sum(wide) / count
    flat -= mean.unsqueeze(1)
    square_deviation = _sum(wide.square_())
    measured = (
        exponent,
        mean,
        square_deviation + count * mean.square(),
        square_deviation,
        max_abs,
        sizes.zero,
        (signed - balance) / 2,
        count - sizes.zero - signed,
        sizes.nonfinite,
        sizes.subnormal,
        saturated,
    )
    table = torch.stack([column.double() for column in measured]).cpu().numpy()
    histogram = trimmed(sizes.counts.cpu().numpy(), sizes.first_key)
    return Tally(count, dict(zip(_TALLIED, table, strict=True)), histogram)


def joined(tallies: Sequence[Tally]) -> Tally:
    """The tallies of successive chunks as one."""
    if len(tallies) == 1:
        return tallies[0]
    sums = {name: np.concatenate([part.sums[name] for part in tallies]) for name in _TALLIED}
    return Tally(tallies[0].count, sums, Histogram.joined([part.histogram for part in tallies]))
