"""Step 2: at which product the first NaN comes, and how different checks see it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...host.limits import cost
from ...reading.number import Number, average
from ...simulation.propagate import propagate
from ...theory.finite_width import predict
from ...theory.work import prediction_work
from ..checks import CHECKS, Indices, first_failures, work_of_failures
from ..result import NOTEBOOK, WHY, Counts, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lesson_draws, lines, share

_LESSON_BY_STD, _LESSON_BY_MEAN = 28.0, 27.0
_COMMON = 0.05  # the share of draws from which on an index is worth an explanation
_OF_ELEMENTS = ("float64 std", "elements")  # whether these fail depends on the elements alone


class _Measured(NamedTuple):
    """When the checks first fail.

    Attributes:
        first: check -> the loop index i at which it first fails, in the draws in which all of
            them do; in every draw, with −1 for never, if there are fewer than two such draws.
        span: the least and the largest of all indices.
        any_failed: whether all checks fail in some draw.
        expected: the mean index of the first element that is not finite, by the exact law; None
            where there is none, or where some draw stays finite.
        outputs: of the first draw alone, as the snippet finds them.
    """

    first: dict[str, Indices]
    span: tuple[int, int]
    any_failed: bool
    expected: float | None
    outputs: dict[str, float]


def _expected_index(setting: Setting, deepest: int) -> float | None:
    """The mean index of the first element that is not finite, by the exact law."""
    pmf = predict(setting.experiment(depth=min(setting.depth, deepest + 3))).overflow_pmf
    total = sum(pmf.values())
    return sum(i * p for i, p in pmf.items()) / total if total >= 0.99 else None


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    found = first_failures(setting, lambda done: on_progress(0.9 * done))
    all_fail = (found >= 0).all(0)
    kept = found[:, all_fail] if all_fail.sum() > 1 else found
    expected = _expected_index(setting, int(found.max())) if all_fail.all() else None
    events = propagate(setting.experiment()).events
    printed = {
        "by_std": events.notebook_std_nan,
        "by_mean": events.notebook_mean_nan,
        "by_isfinite": events.first_nonfinite,
    }
    on_progress(1.0)
    return _Measured(
        dict(zip(CHECKS, kept, strict=True)),
        (int(found.min()), int(found.max())),
        bool(all_fail.any()),
        expected,
        {name: float(-1 if index is None else index) for name, index in printed.items()},
    )


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    printed = {"float64 std": _LESSON_BY_STD, "mean": _LESSON_BY_MEAN}
    return tuple(
        average(
            f"first i at which {CHECKS[check]}",
            indices,
            exact=measured.expected if check in _OF_ELEMENTS else None,
            formula=r"\mathbb E[i]" if check in _OF_ELEMENTS else "",
            lesson=setting.printed(printed[check]) if check in printed else None,
            lesson_error=float(indices.std(ddof=1)),
        )
        for check, indices in measured.first.items()
    )


def _frequent(indices: Indices) -> str:
    """The commonest indices, as "27 (60 %) and 28 (40 %)"."""
    index, count = np.unique(indices, return_counts=True)
    best = np.argsort(-count)[:2]
    return " and ".join(f"{index[k]} ({share(count[k] / len(indices))})" for k in sorted(best))


def _compared(std: Indices, mean: Indices) -> str:
    """Which of the two checks stops the loop first."""
    earlier, later = (std < mean).mean(), (std > mean).mean()
    if not (earlier or later):
        return "Here both stop at the same i in every draw."
    return (
        f"Here the check of the std stops before that of the mean in {share(earlier)} of the "
        f"draws, and after it in {share(later)}."
    )


def _sentences(setting: Setting, measured: _Measured) -> tuple[Sentence, ...]:
    std, mean, wide, elements = measured.first.values()
    if not measured.any_failed:
        return (Sentence(f"At this size nothing becomes NaN in any of {len(std)} draws."),)
    return (
        Sentence(
            f"Over {len(std)} draws the check of the std stops the loop at i = {_frequent(std)}, "
            f"the check of the mean at i = {_frequent(mean)}."
        ),
        Sentence(
            "Why the std? It subtracts the mean first, so it is NaN wherever the mean is. If the "
            "mean is +Inf, its check passes, for Inf equals itself; but the std subtracts Inf from "
            f"Inf, and is NaN. {_compared(std, mean)}",
            r"\text{std} = \sqrt{\tfrac{1}{n-1}\textstyle\sum_i (x_i - \bar x)^2}",
        ),
        Sentence(
            "Neither check looks at the elements. torch adds up all n of them in float32, and the "
            f"sum overflows before they do: in {share(float((std < elements).mean()))} of the "
            "draws the std is NaN while every element is still finite. `x.isfinite().all()` does "
            f"look at the elements; it is first False at i = {_frequent(elements)}.",
            fold=WHY,
        ),
        *_two_runs(std, wide),
    )


def _two_runs(std: Indices, wide: Indices) -> tuple[Sentence, ...]:
    """How the notebook came to 28 and 27; nothing at a size at which there is hardly a 28."""
    in_float32, in_float64 = ((found == _LESSON_BY_STD).mean() for found in (std, wide))
    if in_float64 < _COMMON:
        return ()
    return (
        Sentence(
            "The original notebook drew new numbers for each of its two runs: the check of the std "
            "stopped one at 28, the check of the mean stopped the other at 27. Here the std is "
            f"first NaN at 28 in {share(float(in_float32))} of the draws. A std added up in "
            "float64 is NaN only where some element is not finite, which begins at 28 in "
            f"{share(float(in_float64))}. So the notebook's 28 would fit a torch that added up the "
            "std in float64.",
            fold=NOTEBOOK,
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    return Result(
        setting,
        _rows(setting, measured),
        _sentences(setting, measured),
        float(np.median(measured.first["std"])) if measured.any_failed else math.inf,
        measured.outputs,
        counts=tuple(
            Counts.of_indices(CHECKS[check], indices, measured.span)
            for check, indices in measured.first.items()
        ),
    )


def _work(setting: Setting) -> float:
    run = cost(setting.experiment()).multiply_adds
    return run + prediction_work(setting.experiment()) + work_of_failures(setting)


def _snippet(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        "torch.set_num_threads(1)",
        "first = {}",
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "    if not x.std() == x.std():",
        '        first.setdefault("std", i)',
        "    if not x.mean() == x.mean():",
        '        first.setdefault("mean", i)',
        "    if not x.isfinite().all():",
        '        first.setdefault("isfinite", i)',
        "by_std, by_mean, by_isfinite = (first.get(name, -1) for name in "
        '("std", "mean", "isfinite"))',
    )


STEP = Step(
    number=2,
    slug="first-nan",
    title="The first NaN",
    question="Make up to 100 products and stop at the first NaN. The original notebook finds it by "
    "checking the std rather than the mean. Why, and does it matter?",
    guess=Guess(
        "The first product is i = 0. At which i is the std NaN for the first time?",
        "number",
        judged="difference",
        tolerance=2,
        whole="The loop index i",
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(),
    repeats="draws",
    repetitions=500,
    most_repetitions=2000,
)
