"""The kind of a run, and the trend of its size: the numbers behind the verdict."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from ..maths.arrays import Array
from ..simulation.propagate import Run
from ..statistics.layer_stats import STUCK
from .trend import Factor, Level, Power, factor_of, level_of, power_of

Kind = Literal[
    "explodes",
    "breaks",
    "vanishes",
    "dies",
    "saturates",
    "stuck",
    "collapses",
    "settles",
    "grows",
    "shrinks",
    "holds",
    "wanders",
]

# All in octaves: factors of two.
_KEPT = 1.0  # a size that ends within 1/2 … 2 of where it began has not changed
_HOLDS = 4.0  # so has one within 1/16 … 16, where its own scatter explains as much
_COLLAPSED = 10.0  # with the std this far below the rms, all elements are nearly equal

_BY_CHANCE = 3.0  # standard deviations of the sum of all steps
_PLAIN = 1.0  # octaves that x would lose over so many layers if rounding did not hold it
_STILL = 0.1  # the part of it that x may lose
_AROUND = 0.25  # octaves around the size at which it is held


def last_sound_size(run: Run) -> tuple[int, float]:
    """The last layer whose elements are all finite and not all zero, and the size of x there.

    It is counted from the start of the run, which counts where no layer is sound.
    """
    stats = run.stats
    sound = np.flatnonzero((stats.nonfinite == 0) & (stats.zero < 1))
    layer = int(sound[-1]) if sound.size else 0
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
    sound = np.isfinite(run.log2_size) & (stats.nonfinite == 0) & (stuck_share(run) < STUCK)
    sound &= stats.max_abs >= run.experiment.format.smallest_normal
    broken = np.flatnonzero(~sound)
    return int(broken[0]) if broken.size else len(stats)


def curve(run: Run) -> Array:
    """log2 of the size at the layers in the format's normal range."""
    return run.log2_size[: layers_in_range(run)]


def trend(run: Run) -> Factor | Power | None:
    """The law that the size follows over the last half of its curve, if it follows one.

    Layers that add branches of a size of their own multiply nothing by a constant factor.
    """
    size = curve(run)
    if run.experiment.layer.adds_up:
        return power_of(size)
    return factor_of(size) or power_of(size)


def level(run: Run) -> Level | None:
    """The level at which the size has settled, if it has: a sum of ever more branches has none."""
    if run.experiment.layer.adds_up:
        return None
    return level_of(run.log2_size) if layers_in_range(run) == len(run.stats) else None


def growth(run: Run) -> float:
    """The factor per product by the end of the layers in range; NaN if there is none."""
    found = trend(run)
    return found.per_product if isinstance(found, Factor) else float("nan")


def collapsed_from(run: Run) -> int | None:
    """The layer from which on all inputs of a batch give the same x, to a part in a thousand.

    None for a single input, if the inputs are still apart at the last layer, and if they were alike
    from the start.
    """
    stats = run.stats
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = ~(stats.std_across_inputs <= stats.rms * 2.0**-_COLLAPSED)
    found = np.flatnonzero(apart)
    if not found.size:  # they were alike as they came in
        return None
    first = int(found[-1]) + 1
    return first if first < len(stats) else None


def _has_lost_its_spread(run: Run) -> bool:
    """Whether all elements have become nearly equal, which the input's were not."""
    with np.errstate(invalid="ignore"):
        apart = run.log2_size - run.stats.log2_rms
    return bool(apart[-1] < -_COLLAPSED and not apart[0] < -_COLLAPSED)


def stuck_from(run: Run) -> int | None:
    """The layer from which on rounding to nearest holds x among the subnormal numbers.

    None if x is not subnormal, if a bias holds it up, or if x went on to shrink there by more than
    a tenth of what it lost per layer before.
    """
    size = run.log2_size if run.experiment.is_single_number else run.stats.log2_rms
    found = factor_of(curve(run))
    normal = np.flatnonzero(run.stats.max_abs >= run.experiment.format.smallest_normal)
    if found is None or found.octaves >= 0 or run.experiment.has_bias or not normal.size:
        return None
    last = size[(len(size) + int(normal[-1])) // 2 :]
    early, late = np.array_split(last, 2)
    lost = -found.octaves * len(late)
    if lost < _PLAIN or not np.isfinite(last).all():
        return None
    if abs(early.mean() - late.mean()) > _STILL * lost:
        return None
    moved = np.abs(size - last.mean()) > max(_AROUND, float(np.ptp(last)))
    return int(np.flatnonzero(moved)[-1]) + 1


def _zero_for_good(run: Run) -> bool:
    """Whether every layer is zero from the first such layer on."""
    index = run.events.all_zero
    return index is not None and bool((run.stats.zero[index + 1 :] == 1).all())


def killed_sides(run: Run) -> tuple[bool, bool]:
    """Whether φ makes 0 of what is below zero, and of what is above it, where the signal ended."""
    reach = float(run.stats.max_abs[run.events.all_zero or 0]) * run.experiment.weight_std
    sides = run.experiment.phi(torch.tensor([-reach, reach], dtype=torch.float64)) == 0
    below, above = sides.tolist()
    return below, above


def _activation_killed_it(run: Run) -> bool:
    """Whether φ made the zeros, of a signal far above the smallest number, and not underflow."""
    e, index = run.experiment, run.events.all_zero or 0
    if not e.layer.is_plain:
        return False
    reach = float(run.stats.max_abs[index]) * e.weight_std
    largest = e.phi(torch.tensor([-reach, reach], dtype=torch.float64)).abs().max().item()
    enough = e.format.smallest_subnormal * 2.0**10
    sides = killed_sides(run)
    return any(sides) and (reach if all(sides) else largest) > enough


def _is_by_chance(log2: Array) -> bool:
    """Whether steps without a direction, as those of a random walk, make such a change."""
    steps = np.diff(log2)
    return bool(abs(steps.sum()) <= _BY_CHANCE * np.std(steps) * np.sqrt(len(steps)))


def _course(run: Run) -> Kind:
    """The kind of a run that nothing ended, by its size alone."""
    log2, settled = run.log2_size, level(run)
    with np.errstate(invalid="ignore"):  # a size of zero: its log2 is −inf
        away = np.nan_to_num(log2 - log2[0], nan=0.0, posinf=np.inf, neginf=-np.inf)
    change, most = float(away[-1]), float(np.abs(away).max())
    direction: Kind = "grows" if change > 0 else "shrinks"
    if most <= _KEPT:
        return "holds"
    if settled is not None:
        near = abs(settled.log2 - log2[0]) <= _KEPT
        return "settles" if not near else "holds" if most <= _HOLDS else "wanders"
    if abs(change) <= _KEPT:
        return "holds" if most <= _HOLDS else "wanders"
    found = trend(run)
    if found is not None and not (isinstance(found, Factor) and found.is_flat):
        return direction
    return "holds" if most <= _HOLDS and _is_by_chance(log2) else direction


def kind_of(run: Run) -> Kind:
    """The kind of a run: the word that its verdict begins with."""
    if run.events.first_nonfinite is not None:
        return "explodes"
    if _zero_for_good(run):
        return "dies" if _activation_killed_it(run) else "vanishes"
    if stuck_share(run)[-1] >= STUCK:
        return "saturates"
    if stuck_from(run) is not None:
        return "stuck"
    if _has_lost_its_spread(run) or collapsed_from(run) is not None:
        return "collapses"
    return _course(run)
