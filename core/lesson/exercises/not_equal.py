"""Step 3: NaN is not equal to itself, and it comes from Inf − Inf."""

from __future__ import annotations

import math

import numpy as np

from ...host.limits import cost
from ...reading.number import Number
from ...simulation.propagate import Run, propagate
from ..result import WHY, Result, Sentence, Shares
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lines, share

_NAN, _INF = float("nan"), float("inf")
_BEFORE, _AFTER = 3, 3  # iterations in the picture


def _truth(label: str, value: bool, exact: bool, lesson: float | None = None) -> Number:
    """A row with True as 1 and False as 0."""
    measured, right = float(value), float(exact)
    return Number(label=label, measured=measured, exact=right, lesson=lesson, boolean=True)


def _rows() -> tuple[Number, ...]:
    nan, same, inf = _NAN, _NAN, _INF
    return (
        _truth("nan == nan", nan == same, False, lesson=0.0),
        _truth("nan != nan", nan != same, True),
        _truth("isnan(nan)", math.isnan(nan), True),
        _truth("inf == inf", inf == float("inf"), True),
        Number(label="inf − inf", measured=inf - inf, exact=nan, formula=r"\infty - \infty"),
        Number(label="0 · inf", measured=0.0 * inf, exact=nan, formula=r"0\cdot\infty"),
    )


def _sentences(run: Run) -> tuple[Sentence, ...]:
    return (
        Sentence(
            "Nothing equals NaN, not even NaN: `nan == nan` is False.",
            r"\text{NaN == NaN is False}\qquad\allowbreak \text{NaN != NaN is True}",
        ),
        Sentence(
            "So `not x == x` finds NaN, for every other value equals itself. `x.isnan()` says the "
            "same by name. Neither of them finds Inf; `not x.isfinite()` finds both."
        ),
        Sentence(
            "Inf − Inf is NaN, and so is 0 · Inf.",
            r"\infty - \infty = \text{NaN}\qquad\allowbreak 0\cdot\infty = \text{NaN}",
        ),
        Sentence(
            "NaN says that there is no such number, and two missing numbers need not be the same.",
            fold=WHY,
        ),
        _in_products(run),
    )


def _in_products(run: Run) -> Sentence:
    """How the products of a run make NaN, with the shares of Inf and NaN where it begins."""
    broken = run.events.first_nonfinite
    if broken is None or run.events.first_nan is None:
        return Sentence("At this size no element of x becomes NaN.", fold=WHY)
    stats = run.stats
    shares = []
    for i in (broken, broken + 1):
        if i < run.experiment.depth:
            nan = float(stats.nan[i + 1])
            inf = float(stats.nonfinite[i + 1] - stats.nan[i + 1])
            shares.append(f"at i = {i}, {share(inf)} of the elements are Inf and {share(nan)} NaN")
    return Sentence(
        "The products make NaN in the same way. Each element of `a @ x` is a sum of terms of both "
        "signs. If some of them overflow to +Inf and others to −Inf, the element is NaN; if only "
        f"one of the two happens, it is Inf. Here, {'; '.join(shares)}.",
        fold=WHY,
    )


def _shares(run: Run) -> Shares | None:
    """What the elements are around the iteration at which the first of them is not finite."""
    broken = run.events.first_nonfinite
    if broken is None:
        return None
    last = run.experiment.depth - 1
    indices = np.arange(max(0, broken - _BEFORE), min(last, broken + _AFTER) + 1)
    nan, nonfinite = run.stats.nan[indices + 1], run.stats.nonfinite[indices + 1]
    parts = {"finite": 1 - nonfinite, "+Inf or −Inf": nonfinite - nan, "NaN": nan}
    return Shares(indices, parts)


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    run = propagate(setting.experiment(), on_progress=on_progress)
    outputs = {"equal": 0.0, "unequal": 1.0, "known": 1.0, "born": _NAN}
    return Result(setting, _rows(), _sentences(run), "False", outputs, shares=_shares(run))


def _work(setting: Setting) -> float:
    return cost(setting.experiment()).multiply_adds


def _snippet(setting: Setting) -> str:
    return lines(
        "import torch",
        "",
        'nan, inf = torch.tensor(float("nan")), torch.tensor(float("inf"))',
        "same = nan",
        "equal = nan == same",
        "unequal = nan != same",
        "known = nan.isnan()",
        "born = inf - inf",
    )


STEP = Step(
    number=3,
    slug="not-equal",
    title="NaN is not NaN",
    question="How can one test whether a number is NaN, and where does NaN come from?",
    guess=Guess(
        "With b = a = float('nan'), what is a == b?",
        "choice",
        options=("True", "False"),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(),
)
