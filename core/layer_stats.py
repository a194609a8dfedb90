"""What is measured at a layer, and what happened first.

Each layer is scaled by an exact power of two before its moments are taken in float64, so that a
statistic is infinite or zero only where its true value is. Sizes are counted by bit pattern:
nothing is dropped, and no range is fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.histogram import Histogram, bit_counts, trimmed
from core.number_formats import NumberFormat

Array = NDArray[np.float64]

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


@dataclass(frozen=True)
class Statistic:
    """A number per layer.

    Attributes:
        label: its name on screen.
        help: what it is, in one sentence.
        kind: how it is drawn: a positive value on a log axis, a signed one, its log2, or a
            fraction in [0, 1].
        compute: from the tally, float64 of shape (layers,).
    """

    label: str
    help: str
    kind: Literal["positive", "signed", "log2", "fraction"]
    compute: Callable[[Tally], Array]


def _share(name: str, label: str, help: str) -> Statistic:
    return Statistic(label, help, "fraction", lambda tally: tally.fraction(name))


STATISTICS: dict[str, Statistic] = {
    "mean": Statistic(
        "mean",
        "Σx/N over units and inputs.",
        "signed",
        lambda tally: np.ldexp(tally.sums["mean"], tally.sums["exponent"].astype(int)),
    ),
    "std": Statistic(
        "std",
        "Unbiased standard deviation, as x.std(): √(Σ(x − mean)²/(N − 1)).",
        "positive",
        lambda tally: tally.magnitude(tally.variance),
    ),
    "rms": Statistic(
        "rms",
        "Root mean square √(Σx²/N): the square root of the second moment.",
        "positive",
        lambda tally: tally.magnitude(tally.mean_square),
    ),
    "max_abs": Statistic(
        "max |x|", "The largest magnitude.", "positive", lambda tally: tally.sums["max_abs"]
    ),
    "log2_std": Statistic(
        "log2 std",
        "log2 of the standard deviation, never falsely infinite.",
        "log2",
        lambda tally: tally.log2_magnitude(tally.variance),
    ),
    "log2_rms": Statistic(
        "log2 rms",
        "log2 of the root mean square, never falsely infinite.",
        "log2",
        lambda tally: tally.log2_magnitude(tally.mean_square),
    ),
    "nonfinite": _share("nonfinite", "non-finite", "Elements that are Inf or NaN."),
    "nan": _share("nan", "NaN", "Elements that are NaN."),
    "zero": _share("zero", "zero", "Elements that are exactly zero."),
    "negative": _share("negative", "negative", "Elements below zero, −Inf among them."),
    "subnormal": _share(
        "subnormal",
        "subnormal",
        "Elements other than zero below the format's smallest normal value.",
    ),
    "saturated": _share(
        "saturated",
        "saturated",
        "Elements at the largest value of a format that has no infinity.",
    ),
}
"""Name -> Statistic: the attributes of LayerStats, the columns of every table."""


@dataclass(frozen=True)
class LayerStats:
    """Every statistic of every layer: ``stats.std[k]`` is that of layer k, 0 being the input.

    Attributes:
        values: statistic -> float64 array of shape (depth + 1,).
        histogram: of log2|x|, per layer.
    """

    values: Mapping[str, Array]
    histogram: Histogram

    def __getattr__(self, name: str) -> Array:
        if name in STATISTICS:
            return self.values[name]
        raise AttributeError(f"there is no statistic {name!r}; there are {', '.join(STATISTICS)}")

    def __len__(self) -> int:
        return len(self.values["mean"])

    @classmethod
    def of(cls, tally: Tally) -> LayerStats:
        """All statistics of a tally."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            values = {name: entry.compute(tally) for name, entry in STATISTICS.items()}
        return cls(values, tally.histogram.coarsened())


@dataclass(frozen=True)
class Events:
    """What happened first, as the lesson's loop index i = layer − 1; None if it did not.

    Attributes:
        first_nonfinite: some element is Inf or NaN.
        first_nan: some element is NaN.
        all_zero: every element is exactly zero.
        all_subnormal: some element is not zero, and none reaches the smallest normal value.
        notebook_mean_nan: torch's own ``x.mean()`` is NaN: the lesson's second check.
        notebook_std_nan: torch's own ``x.std()`` is NaN: the lesson's first check.
        notebook_mean_inf: torch's own ``x.mean()`` is infinite.
        notebook_std_inf: torch's own ``x.std()`` is infinite.
    """

    first_nonfinite: int | None
    first_nan: int | None
    all_zero: int | None
    all_subnormal: int | None
    notebook_mean_nan: int | None
    notebook_std_nan: int | None
    notebook_mean_inf: int | None
    notebook_std_inf: int | None


def first_index(happened: NDArray[np.bool_]) -> int | None:
    """The loop index i of the first product after which it happened; layer 0 is no product."""
    found = np.flatnonzero(happened[1:])
    return int(found[0]) if found.size else None


def element_events(stats: LayerStats) -> dict[str, int | None]:
    """The events that concern the elements themselves."""
    return {
        "first_nonfinite": first_index(stats.nonfinite > 0),
        "first_nan": first_index(stats.nan > 0),
        "all_zero": first_index(stats.zero == 1),
        "all_subnormal": first_index((stats.subnormal > 0) & (stats.subnormal + stats.zero == 1)),
    }


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
    zero = (flat == 0).sum(1)
    sizes = bit_counts(magnitude, zero, number_format)
    saturated = (magnitude == number_format.max).sum(1) if not number_format.infinity else 0 * zero

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
        zero,
        (signed - balance) / 2,
        count - zero - signed,
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
