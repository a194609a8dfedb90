"""A Run in words: does the signal explode, vanish or hold, at which iteration, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..simulation.propagate import Run
from ..text import ordinal, products, significant
from .diagnosis import (
    HOLDS_PER_PRODUCT,
    Kind,
    breaks_as,
    growth,
    kind_of,
    last_sound_size,
    stuck_share,
)
from .torch_notes import torch_notes

_WIDEST_DRAW = 5  # standard deviations; a weight beyond is rare in any matrix


@dataclass(frozen=True)
class Verdict:
    """What happened to the signal.

    Attributes:
        kind: one of eight words.
        sentence: one to three plain sentences with the numbers.
        iteration: the loop index of the first non-finite element, or of all zeros, as text.
        iteration_label: the name of ``iteration``.
        iteration_detail: the same in words ("i = 28, the 29th product").
        growth: the factor by which one product multiplies the size, geometric mean; NaN if there
            is no constant factor.
        notes: one sentence for each torch statistic that fails while the signal does not.
    """

    kind: Kind
    sentence: str
    iteration: str
    iteration_label: str
    iteration_detail: str
    growth: float
    notes: tuple[str, ...]


def the_size(run: Run) -> str:
    """The size of x as a sentence names it: "the std", or "|x|" of a single number."""
    return run.size_name if run.experiment.is_single_number else f"the {run.size_name}"


def _rate(run: Run, per_product: float) -> str:
    """The factor per product as a sentence of its own; empty where there is none."""
    e = run.experiment
    if np.isnan(per_product):
        return ""
    stretch = ""
    is_plain = e.activation == "linear" and e.bias_std == 0 and not e.is_single_number
    if is_plain and e.init != "identity" and e.rule.fit is None:
        stretch = f" (weight std × √n = {significant(e.sigma_w)})"
    return f"Each product multiplies {the_size(run)} by about {significant(per_product)}{stretch}. "


def _misfit(run: Run) -> str:
    """That weights or biases exceed the number format by themselves; empty if neither does."""
    e, limit = run.experiment, run.experiment.format
    for name, std in (("weights", e.weight_std), ("biases", e.bias_std)):
        if std * _WIDEST_DRAW >= limit.max:
            return (
                f"The {name} (std {significant(std)}) do not fit {limit.name}, which ends at "
                f"{significant(limit.max)}. "
            )
    return ""


def _explosion(run: Run, per_product: float) -> str:
    """Why an element became Inf or NaN."""
    limit, index = run.experiment.format, run.events.first_nonfinite or 0
    end = f"{limit.name} ends at {significant(limit.max)}"
    if index == 0:
        words = _misfit(run) or f"{end}: already the first product leaves its range. "
        words = words.rstrip()
    else:
        words = f"{_rate(run, per_product)}{end}, so after {products(index)} there is no room left."
    if run.stats.nonfinite[-1] == 0:
        phi = run.experiment.activation
        words += f" Later layers are finite again: {phi} makes a finite number of Inf."
    return words


def _disappearance(run: Run, kind: Kind, per_product: float) -> str:
    """Why every element became zero."""
    e, limit, index = run.experiment, run.experiment.format, run.events.all_zero
    if e.weight_std == 0 and e.bias_std == 0:
        return "Every weight is 0, so the first product is exactly 0, and so is all that follows."
    if kind == "dies":
        return (
            f"At i = {index} no pre-activation is positive, and {e.activation} makes every element "
            "exactly 0; it stays so."
        )
    floor = f"below {significant(limit.smallest_subnormal)} {limit.name} has only zero"
    if e.weight_std < limit.smallest_subnormal:
        return f"The weights themselves are too small: {floor}, so every product is 0."
    rate = _rate(run, per_product) if per_product < 1 else ""
    return f"{rate}{floor.capitalize()}: from i = {index} on every element is exactly 0."


def _outlook(run: Run, per_product: float) -> str:
    """After how many products the range would end at this rate; empty where there is no rate."""
    limit = run.experiment.format
    gone = not np.isfinite(run.stats.log2_rms[-1])
    if gone or np.isnan(per_product) or abs(np.log2(per_product)) < HOLDS_PER_PRODUCT:
        return ""
    edge = limit.max if per_product > 1 else limit.smallest_subnormal
    left = np.log2(edge) - run.stats.log2_rms[-1]
    product = run.experiment.depth + max(1, int(left / np.log2(per_product)))
    what = "overflow" if per_product > 1 else "reach zero"
    return f"; at this rate it would {what} after about {products(product)}"


def _sentence(run: Run, kind: Kind, per_product: float) -> str:
    """What happened and why, in one to three sentences."""
    e, stats = run.experiment, run.stats
    if kind == "explodes":
        return _explosion(run, per_product)
    if kind in ("vanishes", "dies"):
        return _disappearance(run, kind, per_product)
    back = ""
    if run.events.all_zero is not None:
        back = f"At i = {run.events.all_zero} every element is 0, but the next layers come back. "
    if kind == "saturates":
        return (
            f"{_misfit(run)}{e.number_format} has no infinity: {stuck_share(run)[-1]:.0%} of the "
            f"elements other than zero are stuck at its largest value, "
            f"{significant(e.format.max)}, and nothing ever becomes NaN."
        )
    rms = significant(float(stats.rms[-1]))
    if kind == "collapses":
        return (
            f"{back}After {products(e.depth)} all elements are nearly equal: the std is "
            f"{significant(float(stats.std[-1]))} beside an rms of {rms}. The input is forgotten."
        )
    first, last = run.size[[0, -1]]
    now = f"{the_size(run)} is {significant(float(last))}"
    if kind == "holds":
        return f"{back}After {products(e.depth)} {now}; it started at {significant(float(first))}."
    agrees = (per_product > 1) == (kind == "grows")
    rate, outlook = (_rate(run, per_product), _outlook(run, per_product)) if agrees else ("", "")
    start = "" if rate else f"; it started at {significant(float(first))}"
    return f"{back}{rate}After {products(e.depth)} {now}{start}{outlook}."


def _iteration(run: Run) -> tuple[str, str, str]:
    """The iteration as text, its name, and the same in words."""
    events, depth = run.events, run.experiment.depth
    broken, nan, zero = events.first_nonfinite, events.first_nan, events.all_zero
    if broken is not None:
        detail = f"i = {broken}, the {ordinal(broken + 1)} product"
        if breaks_as(run) == "NaN":
            return str(broken), "NaN iteration", detail
        later = "never NaN" if nan is None else f"NaN at i = {nan}"
        return str(broken), "First Inf", f"{detail}; {later}"
    if zero is not None:
        detail = f"i = {zero}, the {ordinal(zero + 1)} product; no NaN"
        return str(zero), "All zero at iteration", detail
    return "none", "NaN iteration", f"every element is finite after {products(depth)}"


def judge(run: Run) -> Verdict:
    """The verdict on a run."""
    per_product = growth(run)
    kind = kind_of(run)
    iteration, label, detail = _iteration(run)
    sentence = _sentence(run, kind, per_product)
    return Verdict(kind, sentence, iteration, label, detail, per_product, torch_notes(run))


def outcome(run: Run) -> str:
    """What became of the signal, in a few words: the event, or else the last size."""
    events = run.events
    if events.first_nonfinite is not None:
        return f"{breaks_as(run)} at i = {events.first_nonfinite}"
    if events.all_zero is not None:
        return f"all zero at i = {events.all_zero}"
    _, size = last_sound_size(run)
    return f"last {run.size_name} {significant(size)}"
