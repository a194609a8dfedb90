"""Step 8: a new a and a new x each time, and the mean and std of their product on average."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ...maths.arrays import Array
from ...reading.number import Number, average
from ..draws import statistics_of_draws, work_of_draws
from ..result import NOTEBOOK, Counts, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import generator, lines, rounded, tex

_LESSON_DRAWS = 100
_LESSON_SQUARE = 5_117_677.0  # it printed this for the square of its sum of stds
_LESSON_MENDED = (_LESSON_SQUARE**0.5 / _LESSON_DRAWS) ** 2


class _Measured(NamedTuple):
    """Mean and std of y = a @ x in each draw, shape (repetitions,), and the sum of the stds."""

    mean: Array
    std: Array
    total: float


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    mean, std = statistics_of_draws(
        setting, lambda a, x, y: torch.stack([y.mean(1), y.std(1)]), on_progress
    )
    return _Measured(mean, std, float(std.sum()))


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    n, count = setting.n, setting.repetitions
    # Given x, every y_i is N(0, ‖x‖²). So E std = √(n−1) and Var std = 1, exactly; Var mean = 1.
    expected = (n - 1) ** 0.5
    square_error = 2 * expected / _LESSON_DRAWS**0.5
    return (
        average(
            "average mean",
            measured.mean,
            exact=0.0,
            formula="0",
            lesson=setting.printed(-0.0004),
            lesson_error=_LESSON_DRAWS**-0.5,
        ),
        average(
            "average std",
            measured.std,
            exact=expected,
            formula=r"\sqrt{n-1}",
            lesson=setting.printed(22.6223),
            lesson_error=_LESSON_DRAWS**-0.5,
        ),
        average(
            "average variance",
            measured.std**2,
            exact=float(n),
            formula="n",
            lesson=setting.printed(_LESSON_SQUARE),
            lesson_error=square_error,
        ),
        Number(
            label="average std, squared: the slip mended",
            measured=(measured.total / count) ** 2,
            standard_error=2 * expected / count**0.5,
            exact=float(n - 1),
            formula="n - 1",
            lesson=setting.printed(_LESSON_MENDED),
            lesson_error=square_error,
        ),
    )


def _sentences(
    setting: Setting, measured: _Measured, rows: tuple[Number, ...]
) -> tuple[Sentence, ...]:
    n, (mean, std, variance, _) = setting.n, rows
    return (
        Sentence(
            f"Over {setting.repetitions} draws of a and x the mean of y is "
            f"{rounded(mean.measured)} on average, and its std is {std.measured:.2f}.",
            rf"\mathbb E[\operatorname{{std}} y] = \sqrt{{n-1}} = {tex((n - 1) ** 0.5)}",
        ),
        Sentence(
            f"The variance is {rounded(variance.measured)} on average, for each element adds up n "
            "products of variance 1. This is where √n comes from, and why dividing by it keeps x "
            "in range.",
            rf"\operatorname{{Var}} y_i = \sum_k \operatorname{{Var}}(a_{{ik}}x_k) = n = {n}",
        ),
        Sentence(
            "The original notebook squared the sum of its 100 stds, not their average, so its "
            "5,117,677 is 100² times too large. Divided by 100 before it is squared, the sum gives "
            f"511.8, as it should. The same slip here would give {measured.total**2:,.0f}.",
            r"\left(\frac{\sqrt{5117677}}{100}\right)^2 = " + tex(_LESSON_MENDED),
            fold=NOTEBOOK,
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    rows = _rows(setting, measured)
    mean, std, _, variance = (row.measured for row in rows)
    return Result(
        setting,
        rows,
        _sentences(setting, measured, rows),
        setting.n**0.5,
        {"mean": mean, "std": std, "variance": variance},
        counts=(Counts.of("std of y", "std", measured.std),),
    )


def _work(setting: Setting) -> float:
    return work_of_draws(setting)


def _snippet(setting: Setting) -> str:
    return lines(
        "import torch",
        "",
        f"n, count = {setting.n}, {setting.repetitions}",
        f"generator = {generator(setting.seed, 0)}",
        "inputs = torch.randn(count, n, generator=generator)",
        "mean, std = 0.0, 0.0",
        "for x in inputs:",
        "    a = torch.randn(n, n, generator=generator)",
        "    y = a @ x",
        "    mean += y.mean() / count",
        "    std += y.std() / count",
        "variance = std**2  # the average squared, not the sum",
    )


STEP = Step(
    number=8,
    slug="redraw",
    title="Draw again, many times",
    question="Draw a and x anew for each product y = a @ x. What are the mean and the std of y on "
    "average?",
    guess=Guess("What is the std of y on average?", "number", judged="ratio", tolerance=1.1),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(depth=1),
    repeats="draws",
    repetitions=100,
    most_repetitions=2000,
)
