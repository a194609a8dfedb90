"""Step 3: NaN is not equal to itself, and how Inf − Inf gives birth to it."""

from __future__ import annotations

import math

from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.propagate import Run, propagate
from ..step import Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lines, share

_NAN, _INF = float("nan"), float("inf")


def _truth(label: str, value: bool, exact: bool, lesson: bool | None = None) -> Number:
    """True as 1, False as 0."""
    printed = None if lesson is None else float(lesson)
    return Number(
        label=label, measured=float(value), exact=float(exact), lesson=printed, boolean=True
    )


def _birth(run: Run) -> Sentence:
    """How the NaN of a real run came about, layer by layer."""
    broken, nan = run.events.first_nonfinite, run.events.first_nan
    if broken is None or nan is None:
        return Sentence("At this size no element leaves the range, and none becomes NaN.")
    at = [
        f"at i = {i}, {share(stats[0])} of the elements are Inf and {share(stats[1])} NaN"
        for i in (broken, broken + 1)
        if i < run.experiment.depth
        for stats in [
            (
                float(run.stats.nonfinite[i + 1] - run.stats.nan[i + 1]),
                float(run.stats.nan[i + 1]),
            )
        ]
    ]
    return Sentence(
        "In the products it is born the same way. Every row adds up terms of both signs; where "
        "some of them overflow to +Inf and others to −Inf, the row is NaN at once, else it is Inf "
        "first. Here, " + "; ".join(at) + "."
    )


def _not_equal(setting: Setting, on_progress: OnProgress) -> Result:
    nan, inf = _NAN, _INF
    same = nan
    run = propagate(setting.experiment(), on_progress=on_progress)
    numbers = (
        _truth("nan == nan", nan == same, False, lesson=False),
        _truth("nan != nan", nan != same, True),
        _truth("isnan(nan)", math.isnan(nan), True),
        _truth("inf == inf", inf == float("inf"), True),
        Number(label="inf − inf", measured=inf - inf, exact=nan, formula=r"\infty - \infty"),
        Number(label="0 · inf", measured=0.0 * inf, exact=nan, formula=r"0\cdot\infty"),
    )
    answer = (
        Sentence(
            "Nothing equals NaN, not even NaN: `nan == nan` is False. NaN says that there is no "
            "such number, and two missing numbers need not be the same one.",
            r"\text{NaN == NaN is False}\qquad\allowbreak \text{NaN != NaN is True}",
        ),
        Sentence(
            "That is why `not x == x` finds it: nothing else differs from itself. `x.isnan()` says "
            "the same by name. Neither finds Inf, which equals itself; `x.isfinite()` finds both."
        ),
        Sentence(
            "NaN is born where two infinities cancel, or a zero meets one.",
            r"\infty - \infty = \text{NaN}\qquad\allowbreak 0\cdot\infty = \text{NaN}",
        ),
        _birth(run),
    )
    outputs: dict[str, float | str] = {
        "equal": 0.0,
        "unequal": 1.0,
        "known": 1.0,
        "born": nan,
    }
    return Result(setting, numbers, answer, str(nan == same), outputs)


def _code(setting: Setting) -> str:
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


def _explore(setting: Setting) -> Experiment:
    return setting.experiment()


STEPS = (
    Step(
        number=3,
        slug="not-equal",
        title="NaN is not NaN",
        question="How can one compare a number with NaN, and where does NaN come from?",
        guess=Guess(
            "With b = a = float('nan'), what is a == b?", "choice", options=("True", "False")
        ),
        compute=_not_equal,
        snippet=_code,
        explore=_explore,
    ),
)
