"""What is measured at a layer, and what happened first.

A statistic is infinite or zero only where its true value is; nothing is dropped, and no range is
fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array
from .histogram import Histogram
from .sums import LayerSums


@dataclass(frozen=True)
class Statistic:
    """A number per layer.

    Attributes:
        label: its name on screen.
        help: what it is, in one sentence.
        kind: how it is drawn: a positive value on a log axis, a signed one, its log2, or a
            fraction in [0, 1].
        compute: from the sums, float64 of shape (layers,).
    """

    label: str
    help: str
    kind: Literal["positive", "signed", "log2", "fraction"]
    compute: Callable[[LayerSums], Array]


def _share(name: str, label: str, help: str) -> Statistic:
    return Statistic(label, help, "fraction", lambda sums: sums.fraction(name))


STATISTICS: dict[str, Statistic] = {
    "mean": Statistic(
        "mean",
        "Σx/N over units and inputs.",
        "signed",
        lambda sums: np.ldexp(sums.values["mean"], sums.values["exponent"].astype(int)),
    ),
    "std": Statistic(
        "std",
        "Unbiased standard deviation, as x.std(): √(Σ(x − mean)²/(N − 1)).",
        "positive",
        lambda sums: sums.magnitude(sums.variance),
    ),
    "rms": Statistic(
        "rms",
        "Root mean square √(Σx²/N): the square root of the second moment.",
        "positive",
        lambda sums: sums.magnitude(sums.mean_square),
    ),
    "max_abs": Statistic(
        "max |x|", "The largest magnitude.", "positive", lambda sums: sums.values["max_abs"]
    ),
    "log2_std": Statistic(
        "log2 std",
        "log2 of the standard deviation, never falsely infinite.",
        "log2",
        lambda sums: sums.log2_magnitude(sums.variance),
    ),
    "log2_rms": Statistic(
        "log2 rms",
        "log2 of the root mean square, never falsely infinite.",
        "log2",
        lambda sums: sums.log2_magnitude(sums.mean_square),
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
    def of(cls, sums: LayerSums) -> LayerStats:
        """All statistics of the sums."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            values = {name: entry.compute(sums) for name, entry in STATISTICS.items()}
        return cls(values, sums.histogram.coarsened())


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
