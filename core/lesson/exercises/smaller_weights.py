"""Step 4: weights a tenth, and a hundredth, of the size."""

from __future__ import annotations

import math

import numpy as np

from ...question.experiment import Experiment
from ...reading.diagnosis import kind_of
from ...reading.number import Number, average
from ...simulation.propagate import Run, propagate
from ...text import products
from ...theory.finite_width import Prediction, predict
from ..networks import one_matrix_each
from ..quantiles import spread_factor
from ..step import Counts, Curve, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lesson_draws, lines, said, tex

_TENTH, _HUNDREDTH = 0.1, 0.01
_NORMAL = float(np.finfo(np.float32).smallest_normal)
_FATES = {
    "explodes": "it grows and overflows",
    "grows": "it grows, but stays finite",
    "holds": "it keeps its size",
    "shrinks": "it shrinks, but not to zero",
    "vanishes": "it becomes exactly 0",
}


def _vanishing(setting: Setting, on_progress: OnProgress) -> tuple[np.ndarray, np.ndarray]:
    """The index at which all elements are subnormal, and 0, per network; −1 if never."""
    e = setting.experiment(scale=_HUNDREDTH)
    found = np.full((2, setting.repetitions), -1)
    for networks in one_matrix_each(e, setting.repetitions, on_progress):
        for i, x in enumerate(networks.layers):
            largest = np.abs(x).max(1)
            gone = largest == 0
            for event, happened in enumerate(((largest < _NORMAL) & ~gone, gone)):
                row = found[event, networks.place : networks.place + len(x)]
                row[happened & (row < 0)] = i
            if gone.all():
                break
    return found[0], found[1]


def _grown(setting: Setting, run: Run, law: Prediction) -> tuple[Number, ...]:
    """The lesson's own run: a tenth."""
    std, mean = float(run.stats.std[-1]), float(run.stats.mean[-1])
    known = law.std_known
    factor = spread_factor(law, setting.depth) if known else None
    lesson = setting.printed(2.1790210271840137e36)
    return (
        Number(
            label=f"× 0.1: std after {products(setting.depth)}" + (" (exact: median)" * known),
            measured=std,
            standard_error=factor,
            exact=float(2 ** law.log2_std_quantiles[0.5][-1]) if known else None,
            formula=r"\text{median of }\operatorname{std}(a^{k} x)",
            lesson=lesson,
            lesson_error=factor,
            factor=True,
        ),
        Number(
            label=f"× 0.1: mean after {products(setting.depth)}",
            measured=mean,
            standard_error=std / setting.n**0.5,
            exact=0.0,
            formula="0",
            lesson=setting.printed(7.452759524637429e34),
            lesson_error=None if lesson is None else lesson / setting.n**0.5,
        ),
    )


def _expected(law: Prediction) -> float | None:
    pmf = law.all_zero_pmf
    total = sum(pmf.values())
    return sum(i * p for i, p in pmf.items()) / total if total > 0.99 else None


def _smaller(setting: Setting, on_progress: OnProgress) -> Result:
    tenth, hundredth = (setting.experiment(scale=scale) for scale in (_TENTH, _HUNDREDTH))
    grown, gone = propagate(tenth), propagate(hundredth)
    subnormal, zero = _vanishing(setting, lambda done: on_progress(0.3 * done))
    law = predict(tenth.replace(seed=0))
    on_progress(0.7)
    numbers = list(_grown(setting, grown, law))
    labels = ("no element is normal any more", "every element is 0")
    ends = (None, _expected(predict(hundredth.replace(seed=0))))
    for label, values, exact in zip(labels, (subnormal, zero), ends, strict=True):
        if (values >= 0).all():
            label = f"× 0.01: first i at which {label}"
            numbers.append(average(label, values, exact=exact, formula=r"\mathbb E[i]"))
    events = gone.events
    outputs: dict[str, float | str] = {
        "grown": float(grown.stats.std[-1]),
        "all_zero": float(-1 if events.all_zero is None else events.all_zero),
    }
    curves = (Curve("× 0.1", grown.stats.log2_std), Curve("× 0.01", gone.stats.log2_std))
    seen = np.unique(zero)
    axis = np.arange(seen[0], seen[-1] + 1)
    tally = (zero[:, None] == axis).sum(0).astype(float)
    counts = (Counts("every element is 0", "loop index i", axis.astype(float), tally),)
    right = _FATES.get(kind_of(gone), _FATES["holds"])
    answer = _told(setting, grown, gone)
    on_progress(1.0)
    return Result(setting, tuple(numbers), answer, right, outputs, counts, curves)


def _told(setting: Setting, grown: Run, gone: Run) -> tuple[Sentence, ...]:
    n, events = setting.n, gone.events
    rates = [scale * n**0.5 for scale in (_TENTH, _HUNDREDTH)]
    sentences = [
        Sentence(
            "A tenth divides the growth by ten, and what is left of √n is "
            f"{'still above' if rates[0] > 1 else 'below'} 1: after {products(setting.depth)} the "
            f"std is {said(float(grown.stats.std[-1]))}.",
            rf"0.1\sqrt{{{n}}} = {tex(rates[0])},\quad {tex(rates[0])}^{{{setting.depth}}} = "
            + tex(math.exp(setting.depth * math.log(rates[0])), 2),
        ),
        Sentence(
            "A hundredth, which the lesson asks for but does not run, makes every product multiply "
            f"by {said(rates[1])}.",
            rf"0.01\sqrt{{{n}}} = {tex(rates[1])}",
        ),
    ]
    if events.all_zero is not None:
        through = (
            f"at i = {events.all_subnormal} not one element is a normal number any more, and "
            if events.all_subnormal is not None
            else ""
        )
        sentences.append(
            Sentence(
                "float32 does not stop at its smallest normal number: below it come the subnormal "
                f"ones, with fewer and fewer digits. Here {through}at i = {events.all_zero} every "
                "element is exactly 0. There is no NaN to warn of it.",
                rf"\text{{smallest normal }} {tex(_NORMAL, 3)},\quad "
                rf"\text{{smallest subnormal }} {tex(2.0**-149, 2)}",
            )
        )
    return tuple(sentences)


def _code(setting: Setting) -> str:
    e = setting.experiment()
    return lines(
        *lesson_draws(e, matrix="drawn"),
        "torch.set_num_threads(1)",
        "a, y = drawn * 0.1, x",
        f"for i in range({setting.depth}):",
        "    y = a @ y",
        "grown = y.std()",
        "a, all_zero = drawn * 0.01, -1",
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "    if (x == 0).all():",
        "        all_zero = i",
        "        break",
    )


def _explore(setting: Setting) -> Experiment:
    return setting.experiment(scale=_HUNDREDTH)


STEPS = (
    Step(
        number=4,
        slug="smaller-weights",
        title="Smaller weights",
        question="Multiply the weights by 0.1, then by 0.01. What becomes of x?",
        guess=Guess(
            "What happens to x when the weights are multiplied by 0.01?",
            "choice",
            options=tuple(_FATES.values()),
        ),
        compute=_smaller,
        snippet=_code,
        explore=_explore,
        repeats="networks",
        repetitions=32,
        most_repetitions=500,
    ),
)
