"""LayerSums: sums and counts over the elements of each layer, from which statistics are formed.

Each layer is scaled by an exact power of two before its moments are summed in float64, so that no
sum overflows or vanishes. Magnitudes are counted by bit pattern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..layer.number_formats import NumberFormat
from ..layer.unit_sets import NEAR_ZERO
from ..maths.arrays import Array
from .histogram import Histogram, bit_counts, trimmed

_NAMES = (
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
    "deviation_across_inputs",
    "cosine_of_inputs",
    "near_zero",
)


@dataclass(frozen=True)
class LayerSums:
    """Sums and counts over the elements of each layer.

    ``mean``, ``square`` (Σx²), ``square_deviation`` (Σ(x − mean)²) and ``deviation_across_inputs``
    (Σ(x − mean over the inputs)²) are those of x·2^(−exponent).

    Attributes:
        count: the number of elements per layer.
        batch_size: the number of inputs; what compares them is NaN for one.
        values: name in ``_NAMES`` -> float64 of shape (layers,); counts are exact.
        histogram: the histogram of log2|x| per layer.
    """

    count: int
    batch_size: int
    values: Mapping[str, Array]
    histogram: Histogram

    def fraction(self, name: str) -> Array:
        """The count ``name`` as a fraction of the elements, shape (layers,)."""
        return self.values[name] / self.count

    def beside(self, more: Mapping[str, Array]) -> LayerSums:
        """The same sums with more values, each float64 of shape (layers,)."""
        return replace(self, values={**self.values, **more})

    def known(self, name: str) -> Array:
        """The values of that name, shape (layers,); NaN where there are none."""
        return self.values.get(name, np.full_like(self.values["mean"], np.nan))

    def magnitude(self, square: Array) -> Array:
        """√square at the true scale, shape (layers,); inf only where float64 overflows.

        The root is Python's, because torch's is not the nearest float64 on every CPU.

        Args:
            square: a scaled mean of squares, shape (layers,).
        """
        roots = np.array([value**0.5 for value in square.tolist()])
        return np.ldexp(roots, self.values["exponent"].astype(int))

    def log2_magnitude(self, square: Array) -> Array:
        """log2 √square at the true scale, which never overflows; −inf only for an exact zero."""
        return np.log2(square) / 2 + self.values["exponent"]

    @property
    def mean_square(self) -> Array:
        """Σx²/N, scaled; inf for a layer with an Inf and no NaN."""
        infinite = np.isinf(self.values["max_abs"])
        return np.where(infinite, np.inf, self.values["square"] / self.count)

    @property
    def variance(self) -> Array:
        """Σ(x − mean)²/(N − 1), scaled; NaN for one element."""
        return self.values["square_deviation"] / (self.count - 1 or np.nan)

    @property
    def variance_across_inputs(self) -> Array:
        """Of each unit over the inputs, unbiased, and its mean over units; scaled; NaN for one."""
        freedom = self.count - self.count // self.batch_size
        return self.values["deviation_across_inputs"] / (freedom or np.nan)


def _sum(x: Tensor) -> Tensor:
    """Σ over all axes but the first, shape (layers,).

    Inputs are added first and units second. Each of these sums has more than one output or few
    terms, and torch does not split such a sum between threads. So the result does not depend on
    the number of threads.
    """
    while x.dim() > 1:
        x = x.sum(-1)
    return x


def _power_of_two(exponent: Tensor) -> Tensor:
    """2^e exactly, for int64 e in [−1022, 1023]."""
    return ((exponent + 1023) << 52).view(torch.float64)


def _cosine_of_inputs(x: Tensor) -> Tensor:
    """The mean cosine of the angle between two inputs that are not zero, shape (layers,).

    Args:
        x: scaled activations, shape (layers, width, batch).
    """
    lengths = x.square().sum(1, keepdim=True).sqrt_()
    alive = (lengths > 0).sum((1, 2))
    together = (x * torch.where(lengths > 0, 1 / lengths, 0.0)).sum(2).square().sum(1)
    pairs = (alive * (alive - 1)).double()
    return torch.where(pairs > 0, (together - alive) / pairs, torch.nan)


def _deviation_across_inputs(x: Tensor) -> Tensor:
    """Σ(x − mean over the inputs)², shape (layers,); overwrites x, (layers, width, batch)."""
    x -= x.mean(2, keepdim=True)
    return _sum(x.square_())


def _negative_and_nan(x: Tensor, zero: Tensor) -> tuple[Tensor, Tensor]:
    """How many elements are below zero, and how many are NaN; ``zero``: how many are zero."""
    signs = x.sign()  # 0 for zero and for NaN
    balance = signs.sum(1)
    signed = signs.abs_().sum(1)
    return (signed - balance) / 2, x.shape[1] - zero - signed


def _at_the_largest_value(magnitude: Tensor, number_format: NumberFormat) -> Tensor:
    """How many elements are at the largest value of a format that saturates."""
    if not number_format.saturates:
        return torch.zeros(len(magnitude), dtype=torch.int64, device=magnitude.device)
    return (magnitude == number_format.max).sum(1)


def _moments(x: Tensor) -> tuple[Tensor, ...]:
    """The mean, Σx², Σ(x − mean)², the deviation across inputs and their cosine, each (layers,).

    Args:
        x: scaled activations, shape (layers, width) or (layers, width, batch); overwritten.
    """
    count = x[0].numel()
    mean = _sum(x) / count
    several = x.dim() == 3
    across = cosine = torch.full_like(mean, torch.nan)
    if several:
        cosine = _cosine_of_inputs(x)
    x -= mean.view(-1, *[1] * (x.dim() - 1))
    square_deviation = _sum(x.square() if several else x.square_())
    if several:
        across = _deviation_across_inputs(x)
    return mean, square_deviation + count * mean.square(), square_deviation, across, cosine


def add_up(x: Tensor, number_format: NumberFormat) -> LayerSums:
    """Sums and counts over the elements of many layers at once.

    All tensors stay on the device until the end, so that it is waited for only once.

    Args:
        x: activations, shape (layers, width) or (layers, width, batch), on any device.
        number_format: the format in which they are stored.

    Returns:
        The sums, in the host's memory.
    """
    wide = x.to(torch.float64, copy=True, memory_format=torch.contiguous_format)
    flat = wide.view(len(x), -1)
    count = flat.shape[1]
    magnitude = flat.abs()
    max_abs = magnitude.amax(1)
    sizes = bit_counts(magnitude, number_format)
    saturated = _at_the_largest_value(magnitude, number_format)
    near_zero = (magnitude <= NEAR_ZERO).sum(1)
    negative, nan = _negative_and_nan(flat, sizes.zero)

    # The exponent e of the maximum in [2^(e−1), 2^e); the clamp limits that of Inf and NaN.
    exponent = ((max_abs.view(torch.int64) >> 52) - 1022).clamp_(-1000, 1000)
    flat *= _power_of_two(-exponent).unsqueeze(1)
    del magnitude
    mean, square, square_deviation, across, cosine = _moments(wide)
    measured = (
        exponent,
        mean,
        square,
        square_deviation,
        max_abs,
        sizes.zero,
        negative,
        nan,
        sizes.nonfinite,
        sizes.subnormal,
        saturated,
        across,
        cosine,
        near_zero,
    )
    table = torch.stack([column.double() for column in measured]).cpu().numpy()
    histogram = trimmed(sizes.counts.cpu().numpy(), sizes.first_key)
    batch_size = x.shape[2] if x.dim() == 3 else 1
    return LayerSums(count, batch_size, dict(zip(_NAMES, table, strict=True)), histogram)


def joined(parts: Sequence[LayerSums]) -> LayerSums:
    """The sums of successive chunks of layers, at least one, as those of all layers."""
    if len(parts) == 1:
        return parts[0]
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in _NAMES}
    histogram = Histogram.joined([part.histogram for part in parts])
    return LayerSums(parts[0].count, parts[0].batch_size, values, histogram)


def pooled(parts: Sequence[LayerSums]) -> LayerSums:
    """The sums of the pieces of one layer as those of the whole layer.

    What compares inputs is NaN: a piece does not know which of its elements belong to one input.

    Args:
        parts: at least one; every row of each is a piece, with as many elements as its count.
    """
    counts = np.concatenate([np.full(len(p.values["mean"]), p.count) for p in parts])
    pieces = {name: np.concatenate([p.values[name] for p in parts]) for name in _NAMES}
    exponent = pieces["exponent"].max()
    shift = np.exp2(np.maximum(pieces["exponent"] - exponent, -1022))
    means, squares = pieces["mean"] * shift, shift**2
    with np.errstate(invalid="ignore"):  # of a piece with Inf
        mean = (counts * means).sum() / counts.sum()
        around = squares * pieces["square_deviation"] + counts * (means - mean) ** 2
    totals = {name: np.array([pieces[name].sum()]) for name in _NAMES}
    whole = {
        "exponent": exponent,
        "mean": mean,
        "square": (squares * pieces["square"]).sum(),
        "square_deviation": around.sum(),
        "max_abs": pieces["max_abs"].max(),
        "deviation_across_inputs": np.nan,
        "cosine_of_inputs": np.nan,
    }
    histogram = Histogram.joined([part.histogram for part in parts])
    summed = histogram.counts.sum(axis=0, keepdims=True, dtype=np.int32)
    values = totals | {name: np.array([value], dtype=float) for name, value in whole.items()}
    return LayerSums(int(counts.sum()), 1, values, Histogram(histogram.first_key, 1, summed))
