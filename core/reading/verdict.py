"""A Run in words: does the signal explode, vanish or hold, at which iteration, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

from ..simulation.backward import Backward
from ..simulation.propagate import Run
from ..text import ordinal, products, significant
from .course import course, keeps_small_numbers, rate, rounds_small_numbers_off
from .diagnosis import (
    Kind,
    breaks_as,
    collapsed_from,
    growth,
    killed_sides,
    kind_of,
    last_sound_size,
    stuck_from,
    stuck_share,
)
from .gradient import gradient_verdict
from .torch_notes import torch_notes

_NEAR = 2.0**8  # times the smallest normal number: a signal as small may vanish by rounding
_NOWHERE = "anywhere that φ keeps"
# Whether φ makes 0 of what is below zero, and above -> the pre-activation that would have lived,
# where φ keeps small numbers and where it does not.
_LIVING = {
    (True, False): ("positive", "large enough"),
    (False, True): ("negative", "far enough below zero"),
    (True, True): (_NOWHERE,) * 2,
}
_WIDEST_DRAW = 5  # standard deviations; a weight beyond is rare in any matrix


@dataclass(frozen=True)
class Verdict:
    """What happened to the signal.

    Attributes:
        kind: one word, such as "explodes" or "holds".
        sentence: one to three plain sentences with the numbers.
        iteration: the loop index of the first non-finite element, or of all zeros, as text.
        iteration_label: the name of ``iteration``.
        iteration_detail: the same in words ("i = 28, the 29th product").
        growth: the factor by which one product multiplies the size, by the end of the layers in
            range; NaN if there is no constant factor.
        notes: one sentence for each torch statistic that fails while the signal does not.
    """

    kind: Kind
    sentence: str
    iteration: str
    iteration_label: str
    iteration_detail: str
    growth: float
    notes: tuple[str, ...]


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


def _explosion(run: Run) -> str:
    """Why an element became Inf or NaN."""
    e, limit, index = run.experiment, run.experiment.format, run.events.first_nonfinite or 0
    keeps = f", in which {limit.name} keeps x," if limit.stored_in != limit.name else ""
    end = f"{limit.stored_in}{keeps} ends at {significant(limit.max)}"
    if run.stats.nonfinite[0] > 0:
        words = f"{end}: the input itself is beyond it."
    elif index == 0:
        words = _misfit(run) or f"{end}: already the first {e.step} leaves its range. "
        words = words.rstrip()
    else:
        growing = rate(run) if growth(run) > 1 else ""
        words = f"{growing}{end}: after {products(index, e.step)} there is no room left."
    if run.stats.nonfinite[-1] == 0:
        phi = run.experiment.activation
        words += f" Later layers are finite again: {phi} makes a finite number of Inf."
    return words


def _cause(run: Run) -> str:
    """Why all elements became zero in layers that are not plain, in a sentence; empty if unseen."""
    e, stats, index = run.experiment, run.stats, run.events.all_zero or 0
    if e.skip == "none" and e.weight_std == 0 and e.bias_std == 0:
        return "Every weight is 0, so every branch is 0. "
    if e.norm == "layer" and e.width == 1:
        return "A layer norm of a single number subtracts this number itself. "
    if e.norm == "batch" and stats.std_across_inputs[index] == 0:
        return "All inputs are equal here, and batch norm subtracts their mean: nothing is left. "
    if e.norm == "layer" and e.norm_place == "before" and stats.std[index] == 0:
        return "All units are equal here, and layer norm subtracts their mean: nothing is left. "
    return ""


def _disappearance(run: Run, kind: Kind) -> str:
    """Why every element became zero."""
    e, limit, index = run.experiment, run.experiment.format, run.events.all_zero
    if not e.layer.is_plain:
        shrinking = rate(run) if growth(run) < 1 else ""
        return f"{_cause(run)}{shrinking}From i = {index} on every element is exactly 0."
    if e.weight_std == 0 and e.bias_std == 0:
        return "Every weight is 0, so the first product is exactly 0, and so is all that follows."
    if kind == "dies":
        enough = _LIVING[killed_sides(run)][not keeps_small_numbers(e)]
        if enough == _NOWHERE:
            return (
                f"At i = {index} every pre-activation lies where {e.activation} is 0; it stays so."
            )
        return (
            f"At i = {index} no pre-activation is {enough}, and {e.activation} makes every element "
            "exactly 0; it stays so."
        )
    floor = f"below {significant(limit.smallest_operand)} {limit.name} has only zero"
    if e.weight_std < limit.smallest_operand:
        return f"The weights themselves are too small: {floor}, so every product is 0."
    shrinking = rate(run) if growth(run) < 1 else ""
    gone = f"from i = {index} on every element is exactly 0."
    before = float(run.stats.max_abs[index]) * min(1.0, e.weight_std)
    if before <= limit.smallest_normal * _NEAR:
        return f"{shrinking}{floor.capitalize()}: {gone}"
    if rounds_small_numbers_off(e) and not e.rule.has_zero_rows:
        return (
            f"{shrinking}{gone.capitalize()} torch's {e.activation} makes 0 of such small numbers, "
            f"although {limit.name} has far smaller ones."
        )
    return f"{shrinking}{gone.capitalize()}"


def _collapse(run: Run) -> str:
    """That the elements of x, or the inputs of a batch, have become equal."""
    e, stats = run.experiment, run.stats
    layer = collapsed_from(run)
    if layer is None:
        forgotten = "" if e.skip != "none" else " The input is forgotten."
        return (
            f"After {products(e.depth, e.step)} all elements are nearly equal: the std is "
            f"{significant(float(stats.std[-1]))} beside an rms of "
            f"{significant(float(stats.rms[-1]))}.{forgotten}"
        )
    apart = float(stats.std_across_inputs[-1])
    return (
        f"From layer {layer} on all {e.batch_size} inputs give the same output to within 0.1 %: "
        f"after {products(e.depth, e.step)} the std across inputs is {significant(apart)} beside "
        f"an rms of {significant(float(stats.rms[-1]))}."
    )


def _saturation(run: Run) -> str:
    """That the elements are stuck at the largest value of a format that saturates."""
    e = run.experiment
    return (
        f"{_misfit(run)}{e.number_format} has no infinity: {stuck_share(run)[-1]:.0%} of the "
        f"elements other than zero are stuck at its largest value. {e.format.beyond_max}"
    )


def _held_by_rounding(run: Run) -> str:
    """That rounding to nearest keeps x from becoming zero."""
    e, layer = run.experiment, stuck_from(run)
    shrinking = rate(run) if growth(run) < 1 else ""
    size = run.size_name if e.is_single_number else "the rms"
    return (
        f"{shrinking}From layer {layer} on {size} stays near "
        f"{significant(float(run.stats.rms[-1]))}, among {e.number_format}'s smallest numbers: "
        f"rounding to nearest gives back what a {e.step} takes away, so x does not become zero."
    )


def _sentence(run: Run, kind: Kind) -> str:
    """What happened and why, in one to three sentences."""
    if kind == "explodes":
        return _explosion(run)
    if kind in ("vanishes", "dies"):
        return _disappearance(run, kind)
    back = ""
    if run.events.all_zero is not None:
        back = f"At i = {run.events.all_zero} every element is 0, but the next layers come back. "
    told = {"saturates": _saturation, "stuck": _held_by_rounding, "collapses": _collapse}
    return back + (told[kind](run) if kind in told else course(run, kind))


def _iteration(run: Run) -> tuple[str, str, str]:
    """The iteration as text, its name, and the same in words."""
    events, depth, step = run.events, run.experiment.depth, run.experiment.step
    broken, nan, zero = events.first_nonfinite, events.first_nan, events.all_zero
    if broken is not None:
        detail = f"i = {broken}, the {ordinal(broken + 1)} {step}"
        if breaks_as(run) == "NaN":
            return str(broken), "NaN iteration", detail
        later = "never NaN" if nan is None else f"NaN at i = {nan}"
        return str(broken), "First Inf", f"{detail}; {later}"
    if zero is not None:
        detail = f"i = {zero}, the {ordinal(zero + 1)} {step}; no NaN"
        return str(zero), "All zero at iteration", detail
    return "none", "NaN iteration", f"every element is finite after {products(depth, step)}"


def judge(found: Run | Backward) -> Verdict:
    """The verdict on a run, or on the gradient of a way back.

    A gradient's ``iteration`` is a layer k, the first going back.
    """
    if isinstance(found, Backward):
        told = gradient_verdict(found)
        detail = f"going back from layer {found.run.experiment.depth}"
        return Verdict(
            told.kind, told.sentence, told.layer, told.layer_label, detail, told.growth, ()
        )
    run = found
    kind = kind_of(run)
    iteration, label, detail = _iteration(run)
    sentence, notes = _sentence(run, kind), torch_notes(run)
    return Verdict(kind, sentence, iteration, label, detail, growth(run), notes)


def outcome(run: Run) -> str:
    """What became of the signal, in a few words: the event, or else the last size."""
    events = run.events
    if events.first_nonfinite is not None:
        return f"{breaks_as(run)} at i = {events.first_nonfinite}"
    if events.all_zero is not None:
        return f"all zero at i = {events.all_zero}"
    _, size = last_sound_size(run)
    return f"last {run.size_name} {significant(size)}"
