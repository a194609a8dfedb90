"""The kind of a run, and the factor by which it grew: the numbers behind the verdict."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from ..maths.arrays import Array
from ..simulation.propagate import Run

Kind = Literal[
    "explodes", "vanishes", "dies", "saturates", "collapses", "grows", "shrinks", "holds"
]

# All in octaves: factors of two.
_HOLDS = 4.0  # a run that ends within 1/16 … 16 of where it began holds
HOLDS_PER_PRODUCT = 0.005  # so does one that drifts by less than 0.35 % a product
_COLLAPSED = 10.0  # with the std this far below the rms, all elements are nearly equal
_STEADY = 0.25  # the rates of both halves of a curve agree to within this, or this fraction

_SATURATED = 0.25  # of the elements other than zero


def last_sound_size(run: Run) -> tuple[int, float]:
    """The last layer whose elements are all finite and not all zero, and the size of x there."""
    stats = run.stats
    layer = int(np.flatnonzero((stats.nonfinite == 0) & (stats.zero < 1))[-1])
    return layer, float(run.size[layer])


def stuck_share(run: Run) -> Array:
    """Per layer, the share of the elements other than zero at the format's largest value."""
    return run.stats.saturated / np.maximum(1 - run.stats.zero, 1e-9)


def breaks_as(run: Run) -> str | None:
    """What the first layer that is not finite has: "NaN", or only "Inf"; None if all are finite."""
    if run.events.first_nonfinite is None:
        return None
    return "NaN" if run.events.first_nan == run.events.first_nonfinite else "Inf"


def layers_in_range(run: Run) -> int:
    """How many layers, from the input on, lie in the format's normal range."""
    stats = run.stats
    sound = np.isfinite(run.log2_size) & (stats.nonfinite == 0) & (stuck_share(run) < _SATURATED)
    sound &= stats.max_abs >= run.experiment.format.smallest_normal
    broken = np.flatnonzero(~sound)
    return int(broken[0]) if broken.size else len(stats)


def growth(run: Run) -> float:
    """The factor per product while the signal is in the format's normal range.

    The geometric mean over those layers, or NaN if the first and the second half of them disagree:
    a curve that bends has no such factor.
    """
    steps = np.diff(run.log2_size[: layers_in_range(run)])
    if not steps.size:
        return float("nan")
    early, late = steps[: (len(steps) + 1) // 2].mean(), steps[len(steps) // 2 :].mean()
    if abs(early - late) > _STEADY * max(1.0, abs(early), abs(late)):
        return float("nan")
    return float(2 ** steps.mean())


def _zero_for_good(run: Run) -> bool:
    """Whether every layer is zero from the first such layer on."""
    index = run.events.all_zero
    return index is not None and bool((run.stats.zero[index + 1 :] == 1).all())


def _activation_killed_it(run: Run) -> bool:
    """Whether φ made the zeros, of a signal far above the smallest number, and not underflow."""
    e, index = run.experiment, run.events.all_zero or 0
    reach = float(run.stats.max_abs[index]) * e.weight_std
    below, above = e.phi(torch.tensor([-reach, reach], dtype=torch.float64)).tolist()
    return below == 0 and above > e.format.smallest_subnormal * 2.0**10


def kind_of(run: Run) -> Kind:
    """The kind of a run: the word that its verdict begins with."""
    log2 = run.log2_size
    if run.events.first_nonfinite is not None:
        return "explodes"
    if _zero_for_good(run):
        return "dies" if _activation_killed_it(run) else "vanishes"
    if stuck_share(run)[-1] >= _SATURATED:
        return "saturates"
    if log2[-1] < run.stats.log2_rms[-1] - _COLLAPSED:
        return "collapses"
    change = float(log2[-1] - log2[0])
    if abs(change) <= max(_HOLDS, HOLDS_PER_PRODUCT * run.experiment.depth):
        return "holds"
    return "grows" if change > 0 else "shrinks"
