"""What is measured at a layer, and what happened first.

A statistic is infinite or zero only where its true value is; nothing is dropped, and no range is
fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..layer.unit_sets import FLAT, NEAR_ZERO
from ..maths.arrays import Array
from .histogram import Histogram
from .sums import LayerSums

STUCK = 0.25
"""The share of the elements other than zero at the largest value from which on a layer is stuck."""


@dataclass(frozen=True)
class Statistic:
    """A number per layer.

    Attributes:
        label: its name on screen.
        help: what it is, in one sentence.
        kind: how it is drawn: a positive value on a log axis, a signed one, its log2, or a
            fraction in [0, 1].
        compute: from the sums, float64 of shape (layers,).
        of_signal_alone: whether a gradient has none.
        short: its name where there is little room; empty if ``label`` is as short.
    """

    label: str
    help: str
    kind: Literal["positive", "signed", "log2", "fraction"]
    compute: Callable[[LayerSums], Array]
    of_signal_alone: bool = False
    short: str = ""


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
        "at the largest value",
        "Elements at the largest value of a format that saturates.",
    ),
    "std_across_inputs": Statistic(
        "std across inputs",
        "How far the inputs of a batch are apart: the variance of each unit over the inputs, "
        "averaged over units, and its square root; NaN for one input.",
        "positive",
        lambda sums: sums.magnitude(sums.variance_across_inputs),
    ),
    "cosine_of_inputs": Statistic(
        "cosine of inputs",
        "The mean cosine of the angle between two inputs of a batch that are not zero; NaN for "
        "one input.",
        "signed",
        lambda sums: sums.values["cosine_of_inputs"],
    ),
    "flat": Statistic(
        f"saturated, |φ′| < {FLAT:g}",
        f"Saturated pre-activations, where φ is flat: |φ′(h)| below {FLAT:g}, as |tanh h| > 0.97. "
        "They are those of the layer's activation, inside a branch too; NaN at the input.",
        "fraction",
        lambda sums: sums.known("flat"),
        of_signal_alone=True,
        short="saturated",
    ),
    "near_zero": Statistic(
        f"near zero, |x| ≤ {NEAR_ZERO:g}",
        f"Elements of x with |x| of at most {NEAR_ZERO:g}.",
        "fraction",
        lambda sums: sums.fraction("near_zero"),
        of_signal_alone=True,
        short="near zero",
    ),
    "dead": Statistic(
        "dead for every input",
        "Units whose activation is exactly zero for every input of the batch; for one input, those "
        "that are zero. In a branch they are the units inside; NaN at the input.",
        "fraction",
        lambda sums: sums.known("dead"),
        of_signal_alone=True,
        short="dead",
    ),
    "mean_share": Statistic(
        "mean² / (mean² + variance)",
        "The share of the second moment that is the square of the mean: 0 where the mean is 0, 1 "
        "where all elements are equal.",
        "fraction",
        lambda sums: np.minimum(sums.values["mean"] ** 2 / sums.mean_square, 1.0),
        short="mean²",
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


class Printed(NamedTuple):
    """Torch's own ``x.mean()`` or ``x.std()``, and the value that it then has."""

    statistic: Literal["mean", "std"]
    value: Literal["NaN", "Inf"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens to x at a layer.

    Attributes:
        label: its name on screen.
        when: the condition in words.
        marker: the condition in the hover of a mark on the curve; empty where there is no mark.
        check: the condition as PyTorch code with {x}, {std} for ``x.std()`` and {tiny} for the
            smallest normal value; empty where a script does not check it.
        at: the layers where the condition holds, shape (depth + 1,); None if the statistics do not
            tell, and torch's own function has to be called.
        printed: that function and its value; None if the statistics tell.
    """

    label: str
    when: str
    marker: str = ""
    check: str = ""
    at: Callable[[LayerStats], NDArray[np.bool_]] | None = None
    printed: Printed | None = None


def _printed(
    statistic: Literal["mean", "std"], value: Literal["NaN", "Inf"], check: str = ""
) -> Event:
    """That torch's own function has a value; ``check`` as of Event."""
    function = f"x.{statistic}()"
    return Event(
        label=f"{function} is {value}",
        when=f"torch's own {function} is {'infinite' if value == 'Inf' else value}",
        marker=f"torch's {function} is {value}",
        check=check,
        printed=Printed(statistic, value),
    )


EVENTS: dict[str, Event] = {
    "first_nonfinite": Event(
        label="NaN iteration",
        when="an element is Inf or NaN",
        check="not {x}.isfinite().all()",
        at=lambda stats: stats.nonfinite > 0,
    ),
    "first_nan": Event(
        label="first NaN",
        when="an element is NaN",
        check="{x}.isnan().any()",
        at=lambda stats: stats.nan > 0,
    ),
    "all_zero": Event(
        label="vanishing iteration",
        when="every element is exactly zero",
        check="({x} == 0).all()",
        at=lambda stats: stats.zero == 1,
    ),
    "all_subnormal": Event(
        label="all subnormal",
        when="no element reaches the smallest normal value",
        marker="every element is subnormal or zero",
        check="({x} != 0).any() and ({x}.abs() < {tiny}).all()",
        at=lambda stats: (stats.subnormal > 0) & (stats.subnormal + stats.zero == 1),
    ),
    # The lesson checks whether x.mean() and x.std() equal themselves, as Inf does.
    "notebook_mean_nan": _printed("mean", "NaN", "{x}.mean() != {x}.mean()"),
    "notebook_std_nan": _printed("std", "NaN", "{std} != {std}"),
    "notebook_mean_inf": _printed("mean", "Inf"),
    "notebook_std_inf": _printed("std", "Inf"),
}
"""Name -> Event: the attributes of Events."""


@dataclass(frozen=True)
class Events:
    """When each of EVENTS happened first: the loop's index i = layer − 1, or None for never."""

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
    """The events that the statistics tell."""
    return {name: first_index(event.at(stats)) for name, event in EVENTS.items() if event.at}
