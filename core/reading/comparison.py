"""One experiment in several number formats: measured beside predicted, in table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..layer.number_formats import NUMBER_FORMATS
from ..simulation.propagate import Run
from ..statistics.layer_stats import STUCK
from ..text import listed, products, significant
from ..theory.finite_width import Prediction
from .diagnosis import breaks_as, kind_of, stuck_share
from .expectation import in_words


@dataclass(frozen=True)
class FormatRow:
    """A number format and the fate of the signal in it, as text.

    Attributes:
        name: registry key.
        range: smallest positive to largest value.
        overflow: the measured loop index of the first element that is not finite.
        overflow_predicted: its law, or "no law".
        all_zero: the measured loop index at which every element is zero.
        all_zero_predicted: its law, or "no law".
        saturated: the share of the last layer's elements at the format's largest value.
        reason: why there is no law; empty if there is one.
    """

    name: str
    range: tuple[str, str]
    overflow: str
    overflow_predicted: str
    all_zero: str
    all_zero_predicted: str
    saturated: str
    reason: str


def format_row(run: Run, prediction: Prediction) -> FormatRow:
    """The row of one run and of its prediction."""
    number_format = NUMBER_FORMATS[run.experiment.number_format]
    events = run.events
    overflow = "none" if events.first_nonfinite is None else f"{events.first_nonfinite}"
    if breaks_as(run) == "Inf":
        overflow += " (Inf)"
    if number_format.saturates and run.stats.saturated.any():
        overflow = "none: it sticks"
    ends_known = prediction.known and prediction.ends_known
    saturated = f"{100 * stuck_share(run)[-1]:.0f} %" if number_format.saturates else "–"
    return FormatRow(
        name=number_format.name,
        range=(significant(number_format.smallest_subnormal), significant(number_format.max)),
        overflow=overflow,
        overflow_predicted=in_words(prediction.overflow_pmf) if ends_known else "no law",
        all_zero="none" if events.all_zero is None else str(events.all_zero),
        all_zero_predicted=in_words(prediction.all_zero_pmf) if ends_known else "no law",
        saturated=saturated,
        reason="" if ends_known else prediction.valid,
    )


class Loss(NamedTuple):
    """When and how a number format loses the signal.

    Attributes:
        iteration: the loop index i of the product after which it is lost.
        what: what x is from then on, in a word or two.
    """

    iteration: int
    what: str


def loss(run: Run) -> Loss | None:
    """When and how the run's number format loses the signal; None if it carries it."""
    kind: str = kind_of(run)
    events, limit = run.events, run.experiment.format
    if events.first_nonfinite is not None:
        return Loss(events.first_nonfinite, breaks_as(run) or "Inf")
    if kind in ("vanishes", "dies") and events.all_zero is not None:
        return Loss(events.all_zero, "all zero")
    if kind == "saturates":
        free = np.flatnonzero(stuck_share(run) < STUCK)
        return Loss(int(free[-1]), f"stuck at {significant(limit.max)}")
    if kind == "stuck" and events.all_subnormal is not None:
        return Loss(events.all_subnormal, "stuck at its smallest numbers")
    return None


def carriers(runs: Mapping[str, Run]) -> str:
    """Which number formats carry the signal through all layers, and where the others lose it."""
    lost = {name: found for name, run in runs.items() if (found := loss(run)) is not None}
    kept = [name for name in runs if name not in lost]
    e = next(iter(runs.values())).experiment
    through = f"through {'all ' * (e.depth > 1)}{products(e.depth, e.step)}"
    cut = "".join(_cut_off(runs[name]) for name in kept)
    if not lost:
        return f"All of these formats carry the signal {through}.{cut}"
    alike: dict[Loss, list[str]] = {}
    for name, found in lost.items():
        alike.setdefault(found, []).append(name)
    where = ", ".join(
        f"{listed(names)} at i = {index} ({what})" for (index, what), names in alike.items()
    )
    if not kept:
        return f"No format carries the signal {through}: it is lost by {where}."
    carry = f"{listed(kept)} carr{'y' if len(kept) > 1 else 'ies'} the signal {through}."
    others = "The others lose" if len(lost) > 1 else "The other one loses"
    return f"{carry} {others} it: {where}.{cut}"


def _cut_off(run: Run) -> str:
    """That some of the last elements are stuck, too few to lose the signal; else empty."""
    share, limit = float(stuck_share(run)[-1]), run.experiment.format
    if share == 0:
        return ""
    part = f"{share:.0%}" if share >= 0.005 else "less than 1%"
    return (
        f" But in {limit.name} {part} of the last layer's elements are stuck at "
        f"{significant(limit.max)}."
    )


def conventions(runs: Mapping[str, Run]) -> list[str]:
    """Texts on the conventions that set formats apart, and on the end of the 8-bit ones."""
    return [told for run in runs.values() if (told := _convention(run))]


def _convention(run: Run) -> str:
    """A format's own sentences; empty if its ends are those that every format of its kind has."""
    number_format = run.experiment.format
    name, end = number_format.name, significant(number_format.max)
    if number_format.bits > 8:
        return number_format.description
    if number_format.saturates:
        return (
            f"{name} has no Inf. {number_format.beyond_max} Here "
            f"{100 * stuck_share(run)[-1]:.0f} % of the last layer's elements other than zero "
            f"are stuck at {end}. A stuck signal looks calm, but it has forgotten the input's size."
        )
    broken = run.events.first_nonfinite
    if number_format.infinity:
        here = "but here none does" if broken is None else f"here first at i = {broken}"
        return f"{name} has Inf: a value that exceeds {end} is lost, {here}."
    here = "Here none does" if broken is None else f"Here the first does at i = {broken}"
    return f"{name} has no Inf. {number_format.beyond_max} {here}."
