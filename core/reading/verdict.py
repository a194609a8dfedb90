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

_WIDEST_DRAW = 5  # standard deviations; a weight beyond is rare in any matrix


@dataclass(frozen=True)
class Verdict:
    """What happened to the signal.

    Attributes:
        kind: one of eight words.
        sentence: one to three plain sentences with the numbers.
        iteration: the loop index of the first non-finite element, or of all zeros, as text.
        iteration_label: what ``iteration`` counts.
        iteration_detail: the same in words ("i = 28, the 29th product").
        growth: by how much one product multiplies the std, geometric mean; NaN if there is no
            constant factor.
        notes: one sentence for each torch statistic that fails while the signal does not.
    """

    kind: Kind
    sentence: str
    iteration: str
    iteration_label: str
    iteration_detail: str
    growth: float
    notes: tuple[str, ...]


def _rate(run: Run, per_product: float) -> str:
    """The factor per product as a sentence of its own, if there is one."""
    e = run.experiment
    if np.isnan(per_product):
        return ""
    if run.experiment.is_single_number:
        return f"Each product multiplies |x| by about {significant(per_product)}. "
    stretch = ""
    known = e.init != "identity" and e.rule.fit is None
    if e.activation == "linear" and e.bias_std == 0 and known:
        stretch = f" (weight std × √n = {significant(e.sigma_w)})"
    return f"Each product multiplies the std by about {significant(per_product)}{stretch}. "


def _misfit(run: Run) -> str:
    """What does not fit the number format before any product is made."""
    e, limit = run.experiment, run.experiment.format
    for name, std in (("weights", e.weight_std), ("biases", e.bias_std)):
        if std * _WIDEST_DRAW >= limit.max:
            return (
                f"The {name} (std {significant(std)}) do not fit {limit.name}, which ends at "
                f"{significant(limit.max)}. "
            )
    return ""


def _explosion(run: Run, per_product: float) -> str:
    limit, index = run.experiment.format, run.events.first_nonfinite or 0
    end = f"{limit.name} ends at {significant(limit.max)}"
    if index == 0:
        words = _misfit(run) or f"{end}: already the first product leaves its range. "
        words = words.rstrip()
    else:
        words = f"{_rate(run, per_product)}{end}, so after {products(index)} there is no room left."
    if run.stats.nonfinite[-1] == 0:
        words += f" Later layers are finite again: {run.experiment.activation} maps Inf back."
    return words


def _disappearance(run: Run, kind: Kind, per_product: float) -> str:
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
    """When the range would end if it went on like this."""
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
            f"{significant(float(stats.std[-1]))} beside an rms of {rms}. What the input was "
            "is lost."
        )
    first, last = (stats.rms if run.experiment.is_single_number else stats.std)[[0, -1]]
    now = f"{'|x|' if run.experiment.is_single_number else 'the std'} is {significant(float(last))}"
    if kind == "holds":
        return f"{back}After {products(e.depth)} {now}; it started at {significant(float(first))}."
    agrees = (per_product > 1) == (kind == "grows")
    rate, outlook = (_rate(run, per_product), _outlook(run, per_product)) if agrees else ("", "")
    start = "" if rate else f"; it started at {significant(float(first))}"
    return f"{back}{rate}After {products(e.depth)} {now}{start}{outlook}."


def _iteration(run: Run) -> tuple[str, str, str]:
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


def _earliest(*indices: int | None) -> int | None:
    return min((index for index in indices if index is not None), default=None)


def _notes(run: Run) -> tuple[str, ...]:
    events, e = run.events, run.experiment
    end = e.depth if events.first_nonfinite is None else events.first_nonfinite
    if run.experiment.is_single_number:
        return ("x.std() of a single number is 0/0 = NaN: an unbiased std divides by N − 1 = 0.",)
    notes = []
    mean = _earliest(events.notebook_mean_nan, events.notebook_mean_inf)
    std = _earliest(events.notebook_std_nan, events.notebook_std_inf)
    if mean is not None and mean < end:
        sums = "float64" if e.number_format == "float64" else "float32"
        word = "NaN" if mean == events.notebook_mean_nan else "Inf"
        also = ""
        if std == mean:
            same = "NaN" if std == events.notebook_std_nan else "Inf"
            also = f" and x.std(), which subtracts that mean, is {same}"
        unseen = ""
        if word == "Inf":
            unseen = " The check x.mean() == x.mean() does not see it: Inf equals itself."
        notes.append(
            f"At i = {mean} torch's x.mean() is {word}{also}, although every element is still "
            f"finite. A mean adds all elements up first, and in {sums} that sum runs out of range "
            f"before the elements do.{unseen}"
        )
    if std is not None and std < min(end, end if mean is None else mean):
        notes.append(
            f"From i = {std} torch's x.std() is Inf although every element and their mean are "
            "still finite: a std squares, so it overflows at half the exponent. The check "
            "x.std() == x.std() does not see it: Inf equals itself."
        )
    return tuple(notes)


def judge(run: Run) -> Verdict:
    """The verdict on a run."""
    per_product = growth(run)
    kind = kind_of(run)
    iteration, label, detail = _iteration(run)
    sentence = _sentence(run, kind, per_product)
    return Verdict(kind, sentence, iteration, label, detail, per_product, _notes(run))


def outcome(run: Run) -> str:
    """What became of the signal, in the fewest words: the event, or else the last size."""
    events = run.events
    if events.first_nonfinite is not None:
        return f"{breaks_as(run)} at i = {events.first_nonfinite}"
    if events.all_zero is not None:
        return f"all zero at i = {events.all_zero}"
    _, size = last_sound_size(run)
    return f"last {'|x|' if run.experiment.is_single_number else 'std'} {significant(size)}"
