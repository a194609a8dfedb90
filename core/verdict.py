"""A Run in words: does the signal explode, vanish or hold, at which iteration, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.propagate import Run

Kind = Literal["explodes", "vanishes", "dies", "saturates", "grows", "shrinks", "holds"]

_FACTOR_THAT_HOLDS = 2.0**10
_STUCK = 0.5


@dataclass(frozen=True)
class Verdict:
    """What happened to the signal.

    Attributes:
        kind: one of seven words.
        sentence: one or two plain sentences with the numbers.
        iteration: the loop index of the first non-finite element, or of all zeros, as text.
        iteration_label: what ``iteration`` counts.
        iteration_detail: the same in words ("i = 28, the 29th product").
        growth: by how much one product multiplies the std, geometric mean; NaN if unknown.
        notes: one sentence for each torch statistic that fails while the signal does not.
    """

    kind: Kind
    sentence: str
    iteration: str
    iteration_label: str
    iteration_detail: str
    growth: float
    notes: tuple[str, ...]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, … 11th, … 21st."""
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def significant(value: float) -> str:
    """Three significant digits, as a person would write them."""
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def growth(run: Run) -> float:
    """The geometric mean of std[k]/std[k−1] while the signal is in the format's normal range.

    Of a single element, which has no std, the magnitude is taken.
    """
    stats, number_format = run.stats, run.experiment.format
    log2 = stats.log2_rms if np.isnan(stats.log2_std[0]) else stats.log2_std
    sound = np.isfinite(log2) & (stats.nonfinite == 0) & (stats.saturated < _STUCK)
    sound &= stats.max_abs >= number_format.smallest_normal
    broken = np.flatnonzero(~sound)
    last = int(broken[0]) - 1 if broken.size else len(stats) - 1
    return float(2 ** ((log2[last] - log2[0]) / last)) if last > 0 else float("nan")


def last_finite_std(run: Run) -> tuple[int, float]:
    """The last layer whose elements are all finite, and its std."""
    layer = int(np.flatnonzero(run.stats.nonfinite == 0)[-1])
    return layer, float(run.stats.std[layer])


def _kind(run: Run) -> Kind:
    stats, events = run.stats, run.events
    if events.first_nonfinite is not None:
        return "explodes"
    if events.all_zero is not None:
        before = stats.max_abs[events.all_zero]
        floor = run.experiment.format.smallest_normal * 2.0**10
        alive = before > floor and run.experiment.weight_std > 0
        return "dies" if alive else "vanishes"
    if stats.saturated[-1] >= _STUCK:
        return "saturates"
    if stats.log2_rms[-1] - stats.log2_rms[0] > np.log2(_FACTOR_THAT_HOLDS):
        return "grows"
    if stats.log2_rms[0] - stats.log2_rms[-1] > np.log2(_FACTOR_THAT_HOLDS):
        return "shrinks"
    return "holds"


def products(count: int) -> str:
    """ "1 product", "2 products"."""
    return f"{count} product{'' if count == 1 else 's'}"


def _lone(run: Run) -> bool:
    """Whether x is a single number, which has no std."""
    return run.experiment.width * run.experiment.batch_size == 1


def _rate(run: Run, per_product: float) -> str:
    e = run.experiment
    if np.isnan(per_product):
        return "Already the first product leaves the range"
    if _lone(run):
        return f"Each product multiplies |x| by {significant(per_product)}"
    stretch = ""
    if e.activation == "linear" and e.bias_std == 0 and e.init != "identity":
        stretch = f" (weight std × √n = {significant(e.sigma_w)})"
    return f"Each product multiplies the std by about {significant(per_product)}{stretch}"


def _sentence(run: Run, kind: Kind, per_product: float) -> str:
    e, stats, events = run.experiment, run.stats, run.events
    name, limit = e.number_format, e.format
    rate, last = _rate(run, per_product), significant(float(stats.rms[-1]))
    std = f"|x| is {last}" if _lone(run) else f"the std is {significant(float(stats.std[-1]))}"
    if kind == "explodes":
        done = products(events.first_nonfinite or 0)
        return (
            f"{rate}. {name} ends at {significant(limit.max)}, so after {done} there is no room "
            "left."
        )
    if kind == "vanishes" and e.weight_std == 0 and e.bias_std == 0:
        return "Every weight is 0, so the first product is exactly 0, and so is all that follows."
    if kind == "vanishes":
        return (
            f"{rate}. Below {significant(limit.smallest_subnormal)} {name} has only zero: "
            f"from i = {events.all_zero} on every element is exactly 0."
        )
    if kind == "dies":
        return (
            f"At i = {events.all_zero} {e.activation} maps every element to exactly 0 although the "
            "signal was not small. Nothing after that can bring it back."
        )
    if kind == "saturates":
        return (
            f"{name} has no infinity: {stats.saturated[-1]:.0%} of the elements are stuck at its "
            f"largest value, {significant(limit.max)}, and nothing ever becomes NaN."
        )
    if kind == "holds":
        start = float(stats.rms[0] if _lone(run) else stats.std[0])
        return f"After {products(e.depth)} {std}; it started at {significant(start)}."
    return f"{rate}. After {products(e.depth)} {std}{_outlook(run, per_product)}."


def _outlook(run: Run, per_product: float) -> str:
    """When the range would end if it went on like this."""
    limit = run.experiment.format
    if np.isnan(per_product) or abs(np.log2(per_product)) < 1e-3:
        return ""
    edge = limit.max if per_product > 1 else limit.smallest_subnormal
    left = np.log2(edge) - run.stats.log2_rms[-1]
    product = run.experiment.depth + int(left / np.log2(per_product))
    what = "overflow" if per_product > 1 else "reach zero"
    return f"; at this rate it would {what} near the {ordinal(product)} product"


def _iteration(run: Run) -> tuple[str, str, str]:
    events, depth = run.events, run.experiment.depth
    broken, nan, zero = events.first_nonfinite, events.first_nan, events.all_zero
    if broken is not None:
        detail = f"i = {broken}, the {ordinal(broken + 1)} product"
        if nan == broken:
            return str(broken), "NaN iteration", detail
        later = "no NaN yet" if nan is None else f"NaN at i = {nan}"
        return str(broken), "First Inf", f"{detail}; {later}"
    if zero is not None:
        detail = f"i = {zero}, the {ordinal(zero + 1)} product; no NaN"
        return str(zero), "All zero at iteration", detail
    return "none", "NaN iteration", f"every element is finite after {products(depth)}"


def _notes(run: Run) -> tuple[str, ...]:
    events, name = run.events, run.experiment.number_format
    end = run.experiment.depth if events.first_nonfinite is None else events.first_nonfinite
    if _lone(run):
        return ("x.std() of a single number is 0/0 = NaN: an unbiased std divides by N − 1 = 0.",)
    mean, std, std_inf = events.notebook_mean_nan, events.notebook_std_nan, events.notebook_std_inf
    notes = []
    if mean is not None and mean < end:
        also = " and so is x.std(), which subtracts that mean" if std == mean else ""
        notes.append(
            f"At i = {mean} torch's x.mean() is already NaN{also}, although every element is still "
            f"finite. A mean adds all elements up first, and in {name} that sum runs out of range "
            "before the elements do. The lesson's check finds this step."
        )
    elif std is not None and std < end:
        notes.append(
            f"At i = {std} torch's x.std() is NaN although every element is still finite: it "
            "subtracts a mean whose sum has run out of range."
        )
    if std_inf is not None and std_inf < min(end, end if std is None else std):
        notes.append(
            f"From i = {std_inf} torch's x.std() is Inf although every element is still finite: "
            "a std squares, so it overflows at half the exponent. The check x.std() == x.std() "
            "does not see it: Inf equals itself."
        )
    return tuple(notes)


def judge(run: Run) -> Verdict:
    """The verdict on a run."""
    per_product = growth(run)
    kind = _kind(run)
    iteration, label, detail = _iteration(run)
    sentence = _sentence(run, kind, per_product)
    return Verdict(kind, sentence, iteration, label, detail, per_product, _notes(run))
