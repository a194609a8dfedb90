"""Step 6: 1/√n keeps the size on average, yet one run ends at 1.76 and the next at 0.77."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...maths.arrays import Array
from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.ensemble import sample_ensemble
from ...simulation.propagate import Run, propagate
from ...text import products
from ...theory.finite_width import LEVELS, Prediction, predict
from ..networks import last_sizes
from ..quantiles import quantile_numbers
from ..step import Counts, Curve, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lesson_draws, lines, said, tex

_LESSON_STD, _LESSON_MEAN = 1.7585952281951904, 0.07117890566587448
_BINS = 24


class _Case(NamedTuple):
    """Tied or fresh: what was measured in many networks, and the law."""

    label: str
    log2_std: Array
    law: Prediction


def _experiment(setting: Setting) -> Experiment:
    return setting.experiment(scale=float(setting.n**-0.5))


def _magic(setting: Setting, on_progress: OnProgress) -> Result:
    e = _experiment(setting)
    run = propagate(e)
    _, stds = last_sizes(e, setting.repetitions, lambda done: on_progress(0.3 * done))
    law = predict(e.replace(seed=0))
    on_progress(0.8)
    fresh = e.replace(weights="fresh")
    ensemble = sample_ensemble(fresh, setting.repetitions, seed=setting.seed)
    cases = (
        _Case("one matrix", np.log2(stds), law),
        _Case("fresh matrices", ensemble.log2_std[:, -1], predict(fresh.replace(seed=0))),
    )
    std = float(run.stats.std[-1])
    lesson = setting.printed(_LESSON_STD)
    numbers = (
        Number(
            label="mean of this run",
            measured=float(run.stats.mean[-1]),
            standard_error=std / setting.n**0.5,
            exact=0.0,
            formula="0",
            lesson=setting.printed(_LESSON_MEAN),
            lesson_error=_LESSON_STD / setting.n**0.5,
        ),
        *quantile_numbers("std, one matrix", cases[0].log2_std, cases[0].law, lesson),
        *quantile_numbers("std, fresh matrices", cases[1].log2_std, cases[1].law, None),
    )
    low, high = (numbers[place].exact or numbers[place].measured for place in (1, 3))
    answer = _told(setting, run, stds, numbers)
    on_progress(1.0)
    return Result(
        setting,
        numbers,
        answer,
        high / low,
        {"mean": float(run.stats.mean[-1]), "std": std},
        counts=_histograms(cases, {} if lesson is None else {"the lesson": float(np.log2(lesson))}),
        curves=(
            Curve("this run", run.stats.log2_std),
            *(_band(case) for case in cases if case.law.std_known),
        ),
    )


def _band(case: _Case) -> Curve:
    q = case.law.log2_std_quantiles
    return Curve(f"{case.label}, median of the law", q[0.5], q[LEVELS[0]], q[LEVELS[-1]])


def _histograms(cases: tuple[_Case, ...], marks: dict[str, float]) -> tuple[Counts, ...]:
    together = np.concatenate([case.log2_std for case in cases])
    edges = np.linspace(together.min() - 1e-9, together.max() + 1e-9, _BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    return tuple(
        Counts(
            case.label,
            "std of the last x",
            middles,
            np.histogram(case.log2_std, edges)[0].astype(float),
            log2=True,
            marks=marks if case is cases[0] else {},
        )
        for case in cases
    )


def _told(
    setting: Setting, run: Run, stds: Array, numbers: tuple[Number, ...]
) -> tuple[Sentence, ...]:
    n, depth = setting.n, setting.depth
    values = [number.measured if number.exact is None else number.exact for number in numbers]
    first, second = (said(float(std)) for std in (stds[1], stds[-1]))
    lesson = ""
    if setting.printed(_LESSON_STD) is not None:
        inside = values[1] <= 0.77 and values[3] >= _LESSON_STD
        lesson = f" The lesson's 1.76, and a 0.77, are {'both ordinary' if inside else 'rare'}."
    return (
        Sentence(
            f"Dividing by √n keeps x in range: after {products(depth)} the std of this run is "
            f"{said(float(run.stats.std[-1]))}.",
            rf"\operatorname{{Var}} y_i = n\cdot\frac{{1}}{{n}}\cdot 1 = 1,\qquad\allowbreak "
            rf"\frac{{1}}{{\sqrt{{{n}}}}} = {tex(n**-0.5)}",
        ),
        Sentence(
            f"But it does not stay at 1. Other seeds end at {first} and {second}, for the same "
            "matrix acts at every step, and what it does to x repeats. Nine runs in ten end "
            f"between {said(values[1])} and {said(values[3])}, half of them above "
            f"{said(values[2])}.{lesson}",
        ),
        *_law_told(depth, is_known=numbers[1].exact is not None),
        Sentence(
            "With a new matrix for every layer, as in a real network, the factors are independent "
            f"and the spread is small: nine in ten between {said(values[4])} and "
            f"{said(values[6])}.",
            r"\frac{\lVert x_L\rVert^2}{\lVert x_0\rVert^2} = \prod_{l=1}^{L}\frac{\chi^2_n}{n}",
        ),
    )


def _law_told(depth: int, *, is_known: bool) -> tuple[Sentence, ...]:
    """Where the exact spread comes from, if there is one."""
    if not is_known:
        return ()
    return (
        Sentence(
            "How wide that spread is can be worked out exactly. Seen along the directions that x "
            "takes one after the other, a is a random matrix H with nothing below its first "
            f"subdiagonal, and only its first {depth} columns matter.",
            rf"\lVert a^{{{depth}}}x\rVert = \lVert x\rVert\,\lVert H^{{{depth}}}e_1\rVert",
        ),
    )


def _code(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        "a = a / n**0.5",
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "mean, std = x.mean(), x.std()",
    )


STEPS = (
    Step(
        number=6,
        slug="magic-number",
        title="The magic number 1/√n",
        question="Divide the weights by √n and multiply a hundred times. Does the std stay at 1?",
        guess=Guess(
            "Leave out the most extreme tenth of many runs: how many times the smallest last std "
            "is the largest?",
            "number",
            judged="ratio",
            tolerance=2.0,
        ),
        compute=_magic,
        snippet=_code,
        explore=_experiment,
        repeats="networks",
        repetitions=64,
        most_repetitions=500,
    ),
)
