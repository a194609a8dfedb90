"""Step 6: 1/√n keeps the size of x on average, yet one run ends at 1.76 and the next at 0.77."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...host.limits import cost, ensemble_work
from ...maths.arrays import Array
from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.ensemble import sample_ensemble
from ...simulation.propagate import Run, propagate
from ...text import products
from ...theory.finite_width import LEVELS, Prediction, predict
from ...theory.work import prediction_work
from ..networks import last_stds, work_of_networks
from ..quantiles import quantile_numbers
from ..result import HOW, WHY, Counts, Curve, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lesson_draws, lines, rounded, tex

_LESSON_STD, _LESSON_MEAN = 1.7585952281951904, 0.07117890566587448
_LOW, _MEDIAN, _HIGH = 1, 2, 3  # places of the quantiles with one matrix among the rows
_FRESH_LOW, _FRESH_HIGH = 4, 6


class _Networks(NamedTuple):
    """The last std in many networks, and its law.

    Attributes:
        label: which matrices.
        log2_std: shape (networks,); ∞ for a network that overflowed, −∞ for one that vanished.
        law: of the same experiment.
    """

    label: str
    log2_std: Array
    law: Prediction


class _Measured(NamedTuple):
    """One run, and many networks with one matrix at every step, or with fresh matrices.

    Attributes:
        run: with one matrix.
        others: the last std of two of the networks with one matrix.
    """

    run: Run
    others: tuple[float, float]
    tied: _Networks
    fresh: _Networks


def _experiment(setting: Setting) -> Experiment:
    return setting.experiment(scale=float(setting.n**-0.5))


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    e = _experiment(setting)
    stds = last_stds(e, setting.repetitions, lambda done: on_progress(0.3 * done))
    law = predict(e.replace(seed=0))
    on_progress(0.8)
    fresh = e.replace(weights="fresh")
    ensemble = sample_ensemble(fresh, setting.repetitions, seed=setting.seed)
    with np.errstate(divide="ignore"):
        # NaN is the std of an x that overflowed.
        log2_std = np.log2(np.where(np.isnan(stds), np.inf, stds))
    measured = _Measured(
        propagate(e),
        (float(stds[1]), float(stds[-1])),
        _Networks("one matrix", log2_std, law),
        _Networks("fresh matrices", ensemble.log2_std[:, -1], predict(fresh.replace(seed=0))),
    )
    on_progress(1.0)
    return measured


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    stats, root_n = measured.run.stats, setting.n**0.5
    lesson = setting.printed(_LESSON_STD)
    return (
        Number(
            label="mean of this run",
            measured=float(stats.mean[-1]),
            standard_error=float(stats.std[-1]) / root_n,
            exact=0.0,
            formula="0",
            lesson=setting.printed(_LESSON_MEAN),
            lesson_error=_LESSON_STD / root_n,
            single=True,
        ),
        *quantile_numbers("std, one matrix", *measured.tied[1:], lesson),
        *quantile_numbers("std, fresh matrices", *measured.fresh[1:], None),
    )


def _best(number: Number) -> float:
    """The exact value where it is known, else the measured one."""
    return number.measured if number.exact is None else number.exact


def _sentences(
    setting: Setting, measured: _Measured, rows: tuple[Number, ...]
) -> tuple[Sentence, ...]:
    n, depth = setting.n, setting.depth
    one, other = (rounded(std) for std in measured.others)
    low, median, high = (rounded(_best(rows[place])) for place in (_LOW, _MEDIAN, _HIGH))
    fresh_low, fresh_high = (rounded(_best(rows[place])) for place in (_FRESH_LOW, _FRESH_HIGH))
    is_lessons = setting.printed(_LESSON_STD) is not None
    lesson = " The notebook's 1.76 is ordinary, and so is a 0.77." if is_lessons else ""
    return (
        Sentence(
            f"Dividing by √n keeps x in range: after {products(depth)} the std of this run is "
            f"{rounded(float(measured.run.stats.std[-1]))}.",
            rf"\operatorname{{Var}} y_i = n\cdot\frac{{1}}{{n}}\cdot 1 = 1,\qquad\allowbreak "
            rf"\frac{{1}}{{\sqrt{{{n}}}}} = {tex(n**-0.5)}",
        ),
        Sentence(
            f"But the std does not stay at 1. Other seeds end at {one} and {other}, for the same "
            "matrix acts at every step, and what it does to x repeats. Nine runs in ten end "
            f"between {low} and {high}, half of them above {median}.{lesson}",
        ),
        Sentence(
            "With a new matrix for every layer, as in a real network, the factors are independent "
            f"and the spread is small: nine runs in ten end between {fresh_low} and {fresh_high}.",
            r"\frac{\lVert x_L\rVert^2}{\lVert x_0\rVert^2} = \prod_{l=1}^{L}\frac{\chi^2_n}{n}",
            fold=WHY,
        ),
        *_law(depth, is_known=rows[_LOW].exact is not None),
    )


def _law(depth: int, *, is_known: bool) -> tuple[Sentence, ...]:
    """Where the exact spread comes from, if it is known."""
    if not is_known:
        return ()
    return (
        Sentence(
            "This spread can be worked out exactly. Make x, ax, a²x, … orthonormal, one after the "
            "other. In that basis a is a random matrix H that is zero below its first subdiagonal, "
            f"and only its first {depth} columns matter.",
            rf"\lVert a^{{{depth}}}x\rVert = \lVert x\rVert\,\lVert H^{{{depth}}}e_1\rVert",
            fold=HOW,
        ),
    )


def _histograms(setting: Setting, measured: _Measured) -> tuple[Counts, Counts]:
    together = np.concatenate([measured.tied.log2_std, measured.fresh.log2_std])
    inside = together[np.isfinite(together)]
    span = (inside.min() - 1e-9, inside.max() + 1e-9)
    lesson = setting.printed(_LESSON_STD)
    marks = {} if lesson is None else {"the notebook": float(np.log2(lesson))}

    def counted(of: _Networks, marks: dict[str, float]) -> Counts:
        axis = "std of the last x"
        return Counts.of(of.label, axis, of.log2_std, span=span, log2=True, marks=marks)

    return counted(measured.tied, marks), counted(measured.fresh, {})


def _curves(measured: _Measured) -> tuple[Curve, ...]:
    """The run, and where nine in ten lie by each law that is known."""
    bands = []
    for label, _, law in (measured.tied, measured.fresh):
        if law.std_known:
            q = law.log2_std_quantiles
            name = f"{label}, median of the law"
            bands.append(Curve(name, q[0.5], q[LEVELS[0]], q[LEVELS[-1]]))
    return Curve("this run", measured.run.stats.log2_std), *bands


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    rows, stats = _rows(setting, measured), measured.run.stats
    low, high = (_best(rows[place]) for place in (_LOW, _HIGH))
    return Result(
        setting,
        rows,
        _sentences(setting, measured, rows),
        high / low if low else np.inf,
        {"mean": float(stats.mean[-1]), "std": float(stats.std[-1])},
        counts=_histograms(setting, measured),
        curves=_curves(measured),
        brief=f"Nine runs in ten end with a std between {rounded(low)} and {rounded(high)}: it "
        "does not stay at 1.",
    )


def _work(setting: Setting) -> float:
    e, count = _experiment(setting), setting.repetitions
    fresh = e.replace(weights="fresh")
    laws = prediction_work(e) + prediction_work(fresh)
    sampled = ensemble_work(fresh, count) + work_of_networks(setting.n, count, setting.depth)
    return laws + sampled + cost(e).multiply_adds


def _snippet(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        "a = a / n**0.5",
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "mean, std = x.mean(), x.std()",
    )


STEP = Step(
    number=6,
    slug="magic-number",
    title="The magic number 1/√n",
    question="Divide the weights by √n and make 100 products. Does the std stay at 1?",
    guess=Guess(
        "Run it with many seeds and leave out the most extreme tenth. How many times larger is the "
        "largest final std than the smallest?",
        "number",
        judged="ratio",
        tolerance=2.0,
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=_experiment,
    repeats="networks",
    repetitions=64,
    most_repetitions=500,
)
