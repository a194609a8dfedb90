"""Step 8: a new a and a new x each time, and the mean and std of their product on average."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ...host.threads import single_threaded
from ...maths.arrays import Array
from ...question.streams import stream_seed
from ...reading.number import Number, average
from ..step import Counts, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import generator, lines, said, tex

_LESSON_DRAWS = 100
_LESSON_SQUARE = 5_117_677.0  # what it printed for the square of its sum of stds


class _Draws(NamedTuple):
    """Mean, std and variance of y = a @ x, each of shape (repetitions,)."""

    mean: Array
    std: Array
    variance: Array


def redrawn(setting: Setting, on_progress: OnProgress) -> _Draws:
    """y = a @ x for a new a and x each time, measured as the lesson does."""
    stream = torch.Generator().manual_seed(stream_seed(setting.seed, 0))
    n, count = setting.n, setting.repetitions
    means, stds = torch.empty(count), torch.empty(count)
    at_once = min(count, max(1, 2**20 // n**2))
    room = torch.empty(at_once, n, n)
    with torch.inference_mode(), single_threaded():
        x = torch.randn(count, n, generator=stream)
        for start in range(0, count, at_once):
            part = slice(start, min(start + at_once, count))
            size = part.stop - start
            a = torch.randn(size, n, n, generator=stream, out=room[:size])
            y = torch.from_numpy(a.numpy() @ x[part, :, None].numpy())[:, :, 0]
            means[part], stds[part] = y.mean(1), y.std(1)
            on_progress(part.stop / count)
    std = stds.double().numpy()
    return _Draws(means.double().numpy(), std, std**2)


def _redraw(setting: Setting, on_progress: OnProgress) -> Result:
    n, count = setting.n, setting.repetitions
    draws = redrawn(setting, on_progress)
    total = float(draws.std.sum())
    # Given x, every y_i is N(0, ‖x‖²). So E std = √(n−1) and Var std = 1, exactly; Var mean = 1.
    expected = (n - 1) ** 0.5
    slipped = setting.printed(_LESSON_SQUARE)
    lesson_error = 2 * expected / _LESSON_DRAWS**0.5  # of the square of an average
    squared = Number(
        label="average std, squared: the slip mended",
        measured=(total / count) ** 2,
        standard_error=2 * expected / count**0.5,
        exact=float(n - 1),
        formula="n - 1",
        lesson=None if slipped is None else (slipped**0.5 / _LESSON_DRAWS) ** 2,
        lesson_error=lesson_error,
    )
    numbers = (
        average(
            "average mean",
            draws.mean,
            exact=0.0,
            formula="0",
            lesson=setting.printed(-0.0004),
            lesson_error=_LESSON_DRAWS**-0.5,
        ),
        average(
            "average std",
            draws.std,
            exact=expected,
            formula=r"\sqrt{n-1}",
            lesson=setting.printed(22.6223),
            lesson_error=_LESSON_DRAWS**-0.5,
        ),
        average(
            "average variance",
            draws.variance,
            exact=float(n),
            formula="n",
            lesson=slipped,
            lesson_error=lesson_error,
        ),
        squared,
    )
    answer = (
        Sentence(
            f"Over {count} draws of a and x the mean of y is {said(numbers[0].measured)} on "
            f"average, and its std {numbers[1].measured:.2f}.",
            rf"\mathbb E[\operatorname{{std}} y] = \sqrt{{n-1}} = {tex(expected)}",
        ),
        Sentence(
            f"The variance is {said(numbers[2].measured)} on average: n products of variance 1 add "
            "up. That is where √n comes from, and why dividing by it is the cure.",
            rf"\operatorname{{Var}} y_i = \sum_k \operatorname{{Var}}(a_{{ik}}x_k) = n = {n}",
        ),
        Sentence(
            "The lesson squared its sum over the 100 draws, not the average: 5,117,677 is 100² "
            "times too large. Divided by 100 before it is squared it says 511.8, as it should. The "
            f"same slip here would give {total**2:,.0f}.",
            r"\left(\frac{\sqrt{5117677}}{100}\right)^2 = "
            + tex((_LESSON_SQUARE**0.5 / _LESSON_DRAWS) ** 2),
        ),
    )
    outputs: dict[str, float | str] = {
        "mean": numbers[0].measured,
        "std": numbers[1].measured,
        "variance": squared.measured,
    }
    edges = np.linspace(draws.std.min(), draws.std.max(), 25)
    counts = Counts(
        "std of y",
        "std",
        (edges[:-1] + edges[1:]) / 2,
        np.histogram(draws.std, edges)[0].astype(float),
    )
    return Result(setting, numbers, answer, n**0.5, outputs, counts=(counts,))


def _redraw_code(setting: Setting) -> str:
    count = setting.repetitions
    return lines(
        "import torch",
        "",
        f"n, count = {setting.n}, {count}",
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


STEPS = (
    Step(
        number=8,
        slug="redraw",
        title="Draw again, many times",
        question="Draw a and x anew for each product y = a @ x. What are the mean and the std of y "
        "on average?",
        guess=Guess("What is the std of y on average?", "number", judged="ratio", tolerance=1.1),
        compute=_redraw,
        snippet=_redraw_code,
        explore=lambda setting: setting.experiment(depth=1),
        repeats="draws",
        repetitions=100,
        most_repetitions=2000,
    ),
)
