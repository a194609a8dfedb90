"""RULES: what can be wrong with a model at its start, by which number, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import log2
from typing import Literal

from ..text import of_octaves, significant
from .evidence import Evidence, known_gradients
from .rows import ModuleRow

Way = Literal["forward", "backward", "weights"]

FAR = 10.0
"""Octaves from the first matrix to the last that are too many: a factor of 1024."""
FAR_ALONG_STREAM = 2.0
"""The same along the last half of a stream, where branches of one size give half an octave."""
MOST_DEAD = 0.75
"""The share of dead units that is too large: half are where all inputs have become alike."""
MOST_FLAT = 0.5
"""The share of saturated elements of an activation with two flat ends that is too large."""
MOST_LOST = 0.05
"""The share of numbers that round to zero, or are subnormal, that is too large."""
OUTGROWN = 3.0
"""Octaves by which a branch may be larger than its stream."""
EXCESS = 1.0
"""Nats by which the loss may begin above ln C."""
_NEAR = 0.05  # octaves
_MEND_BRANCHES = "Multiply the last matrix of each branch by its factor, or by 1/√(branches)."
_SIGMOIDAL = ("Tanh", "Sigmoid", "Hardtanh", "Softsign", "tanh", "sigmoid")


@dataclass(frozen=True)
class Trouble:
    """What a rule sees at one place.

    Attributes:
        module: the row's name; "" for the whole model.
        number: what was measured, in words.
        threshold: what is allowed, in words.
        todo: what to do about this one; "" where the rule says it.
    """

    module: str
    number: str
    threshold: str
    todo: str = ""


@dataclass(frozen=True)
class Rule:
    """What can be wrong.

    Attributes:
        name: registry key; travels in report files, never renamed.
        word: of the verdict, such as "explodes".
        way: the direction in which it is seen.
        why: why it matters.
        todo: what to do about it.
        look: the places in the evidence where it is wrong.
    """

    name: str
    word: str
    way: Way
    why: str
    todo: str
    look: Callable[[Evidence], Iterable[Trouble]]


def _overflows(e: Evidence) -> Iterable[Trouble]:
    end = e.format.log2_overflows_from
    for row in e.rows:
        size = row.output.log2_max_abs
        if row.output.nonfinite > 0 or size != size:
            yield Trouble(row.name, _percent(row.output.nonfinite, "Inf or NaN"), "none")
        elif size >= end and not e.format.saturates:
            yield Trouble(row.name, f"largest {of_octaves(size)}", _end_of(e))


def _gradient_overflows(e: Evidence) -> Iterable[Trouble]:
    end = e.format.log2_overflows_from
    for name, found in e.gradients:
        if found.nonfinite > 0 or found.log2_max_abs != found.log2_max_abs:
            yield Trouble(name, _percent(found.nonfinite, "Inf or NaN"), "none")
        elif e.loss is not None and found.log2_max_abs >= end and not e.format.saturates:
            number = f"largest {of_octaves(found.log2_max_abs)}"
            yield Trouble(name, number, _end_of(e), _loss_scale(e))


def _underflows(e: Evidence) -> Iterable[Trouble]:
    normal = log2(e.format.smallest_normal)
    for row in e.rows:
        lost = row.output.share_below(normal)
        if lost > MOST_LOST:
            below = f"below {of_octaves(normal)}"
            yield Trouble(row.name, _percent(lost, below), _percent(MOST_LOST))


def _gradient_underflows(e: Evidence) -> Iterable[Trouble]:
    """Gradients of a loss that round to zero; a random gradient at the end has no size to judge."""
    if e.loss is None:
        return
    for name, found in e.gradients:
        lost = found.share_below(e.format.log2_rounds_to_zero_below)
        if lost > MOST_LOST:
            number = _percent(lost, f"round to 0 in {e.number_format}")
            yield Trouble(name, number, _percent(MOST_LOST), _loss_scale(e))


def _loss_scale(e: Evidence) -> str:
    """The loss scales with which no gradient overflows and few round to zero."""
    found = e.loss_scales(MOST_LOST)
    if found is None:
        return "No loss scale mends it: multiply the weights by the factors of this report."
    least, most = found
    return f"Multiply the loss by 2^{least} to 2^{most}, and divide the gradients by the same."


def _forward(e: Evidence, sign: int) -> Iterable[Trouble]:
    """Along the last half of the stream, else along the matrices.

    A stream to which branches of one size are added grows like √k, and by √2 in its last half. One
    that grows by a factor in every block grows by more there, the more the deeper it is.
    """
    stream, trend = e.late_stream, e.forward
    if stream is not None and stream.is_steady and sign * stream.total >= FAR_ALONG_STREAM:
        number = f"× {of_octaves(stream.total)} over the last {stream.steps + 1} additions"
        allowed = f"× {of_octaves(sign * FAR_ALONG_STREAM)}"
        yield Trouble(e.additions[-1].name, number, allowed, _MEND_BRANCHES)
    elif trend is not None and trend.is_steady and sign * trend.total >= FAR:
        number = f"× {of_octaves(trend.total)} over {trend.steps + 1} matrices"
        yield Trouble(e.matrices[-1].name, number, f"× {of_octaves(sign * FAR, 4)}")


def _backward(e: Evidence, sign: int) -> Iterable[Trouble]:
    trend = e.backward
    if trend is not None and trend.is_steady and sign * trend.total >= FAR:
        rows = known_gradients(e.matrices)
        number = f"× {of_octaves(trend.total)} over {trend.steps + 1} matrices"
        yield Trouble(rows[0][0].name, number, f"× {of_octaves(sign * FAR, 4)}")


def _dead(e: Evidence) -> Iterable[Trouble]:
    for row in e.rows:
        if row.dead is not None and row.dead > MOST_DEAD and _inputs(row) > 1:
            yield Trouble(row.name, _percent(row.dead, "of the units"), _percent(MOST_DEAD))


def _saturated(e: Evidence) -> Iterable[Trouble]:
    for row in e.rows:
        if row.kind in _SIGMOIDAL and row.flat is not None and row.flat > MOST_FLAT:
            yield Trouble(row.name, _percent(row.flat, "of the elements"), _percent(MOST_FLAT))


def _symmetric(e: Evidence) -> Iterable[Trouble]:
    rows = [row for row in e.rows if row.weights]
    for row in rows:
        for weight in row.weights:
            is_zero = weight.log2_rms == float("-inf")
            if weight.is_symmetric and not (is_zero and _may_be_zero(e, row)):
                told = "all 0" if is_zero else "the same for every unit"
                yield Trouble(f"{row.name}.{weight.name}", told, "different units")


def _may_be_zero(e: Evidence, row: ModuleRow) -> bool:
    """Whether a matrix of zeros is on purpose: at the end of a branch, or of the model."""
    place = e.rows.index(row) + 1
    return place == len(e.rows) or any(each.after == place for each in e.additions)


def _outgrown(e: Evidence) -> Iterable[Trouble]:
    for each in e.additions:
        if each.log2_branch - each.log2_stream > OUTGROWN:
            number = f"{of_octaves(each.log2_branch - each.log2_stream)} × its stream"
            yield Trouble(each.name, number, f"{of_octaves(OUTGROWN)} × its stream")


def _loss(e: Evidence) -> Iterable[Trouble]:
    if e.loss is None or e.loss.by_chance is None:
        return
    if not e.loss.value <= e.loss.by_chance + EXCESS:
        number = f"{significant(e.loss.value, 4)}, ln {e.loss.classes} = "
        number += significant(e.loss.by_chance, 4)
        yield Trouble("", number, f"{significant(e.loss.by_chance + EXCESS, 4)}")


def _default(e: Evidence) -> Iterable[Trouble]:
    """Matrices of std 1/√(3 fan_in) before an activation: each costs √3, and with ReLU √6.

    A branch begins anew: its stream has not lost what the branch before it has.
    """
    lost, count, places = 0.0, 0, {each.after for each in e.additions}
    for k, (row, after) in enumerate(zip(e.rows, e.rows[1:], strict=False), start=1):
        weight = row.weights[0] if row.weights else None
        lost, count = (0.0, 0) if k in places else (lost, count)
        if row.role != "matrix" or weight is None or weight.fan_in is None:
            continue
        if after.role != "activation" or after.output.log2_rms >= row.output.log2_rms:
            continue
        if abs(weight.log2_rms + 0.5 * log2(3 * weight.fan_in)) < _NEAR:
            lost += 0.5 * log2(6 if after.kind.casefold() == "relu" else 3)
            count += 1
        if lost >= FAR:
            told = f"{count} matrices of std 1/√(3·fan_in) in a row: × {of_octaves(-lost)}"
            yield Trouble(row.name, told, f"× {of_octaves(-FAR, 4)}, biases left out")
            return


def _without_gradient(e: Evidence) -> Iterable[Trouble]:
    if not e.goes_back:
        yield Trouble("", "no output has a gradient", "one")
        return
    for row in e.rows:
        for weight in row.weights:
            if weight.gradient is None and weight.needs_gradient:
                yield Trouble(f"{row.name}.{weight.name}", "no gradient", "one")


def _inputs(row: ModuleRow) -> int:
    return row.shape[0] if len(row.shape) > 1 else 1


def _percent(share: float, what: str = "") -> str:
    return f"{significant(100 * share)} %{' ' * bool(what)}{what}"


def _end_of(e: Evidence) -> str:
    return f"{significant(e.format.max)} in {e.number_format}"


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "overflow",
            "breaks",
            "forward",
            "Inf and NaN spread to everything that is computed from them.",
            "Multiply the weights in front of it by the factors of this report.",
            _overflows,
        ),
        Rule(
            "gradient_overflow",
            "breaks",
            "backward",
            "A step with an infinite gradient destroys the weights.",
            "Use a smaller loss scale, or multiply the weights by the factors of this report.",
            _gradient_overflows,
        ),
        Rule(
            "explodes",
            "explodes",
            "forward",
            "The last layers see numbers of another size than the first, and deeper is worse.",
            "Multiply the weights by the factors of this report, or put a norm in each block.",
            lambda e: _forward(e, 1),
        ),
        Rule(
            "vanishes",
            "vanishes",
            "forward",
            "What the inputs differ in is lost on the way.",
            "Multiply the weights by the factors of this report.",
            lambda e: _forward(e, -1),
        ),
        Rule(
            "gradient_explodes",
            "explodes",
            "backward",
            "In plain gradient descent no learning rate fits both the first layers and the last.",
            "Multiply the weights by the factors of this report, or add skips.",
            lambda e: _backward(e, 1),
        ),
        Rule(
            "gradient_vanishes",
            "vanishes",
            "backward",
            "In plain gradient descent the first layers learn far more slowly than the last.",
            "Multiply the weights by the factors of this report, or add skips.",
            lambda e: _backward(e, -1),
        ),
        Rule(
            "dead_units",
            "dies",
            "forward",
            "A unit that is zero for every input of the batch gets no gradient from it.",
            "Draw the weights with the rule of the activation, biases at 0; or use a leaky one.",
            _dead,
        ),
        Rule(
            "saturation",
            "saturates",
            "forward",
            "Where an activation is flat, hardly any gradient passes.",
            "Multiply the weights in front of it by the factors of this report.",
            _saturated,
        ),
        Rule(
            "symmetry",
            "symmetric",
            "weights",
            "Units with the same weights get the same gradient and stay the same for ever.",
            "Draw the weights at random.",
            _symmetric,
        ),
        Rule(
            "outgrown_stream",
            "unbalanced",
            "forward",
            "A branch that is much larger than its stream hides all that came before it.",
            _MEND_BRANCHES,
            _outgrown,
        ),
        Rule(
            "initial_loss",
            "overconfident",
            "forward",
            "The model is sure of wrong answers, and its first steps only undo that.",
            "Multiply the last matrix by 0.1 or less, or by its factor in this report.",
            _loss,
        ),
        Rule(
            "default_initialisation",
            "shrinks",
            "weights",
            "PyTorch's default, kaiming_uniform with a = √5, has a gain of 1/√3 whatever follows.",
            "Call torch.nn.init with the activation's own gain.",
            _default,
        ),
        Rule(
            "underflow",
            "underflows",
            "forward",
            "Subnormal numbers have few digits, and some hardware takes them for 0.",
            "Multiply the weights by the factors of this report, or use a format of wider range.",
            _underflows,
        ),
        Rule(
            "gradient_underflow",
            "underflows",
            "backward",
            "What rounds to 0 trains nothing.",
            "Scale the loss.",
            _gradient_underflows,
        ),
        Rule(
            "no_gradient",
            "detached",
            "backward",
            "A parameter without a gradient stays as it is.",
            "Look for detach(), no_grad(), or an output that the loss does not see.",
            _without_gradient,
        ),
    )
}
"""Name -> Rule, the worst first: the first that finds something gives the verdict its word."""
