"""Step 2: at which product the first NaN comes, and how different checks see it."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from ...maths.arrays import Array
from ...reading.number import average
from ...simulation.propagate import propagate
from ...theory.finite_width import predict
from ..networks import Floats, one_matrix_each
from ..step import Counts, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lesson_draws, lines, share

_LESSON_BY_STD, _LESSON_BY_MEAN = 28.0, 27.0
_COMMON = 0.05  # the share of draws from which on an index is worth an explanation
_LARGEST = float(torch.finfo(torch.float32).max)
_CHECKS = ("std", "mean", "wide", "isfinite")
_OF_ELEMENTS = ("wide", "isfinite")  # what these two say depends on the elements alone
_SEEN: dict[str, str] = {
    "std": "`x.std()` is NaN",
    "mean": "`x.mean()` is NaN",
    "wide": "`x.double().std()` is NaN",
    "isfinite": "some element is Inf or NaN",
}


def _asked(x: Floats) -> tuple[bool, ...]:
    """What the checks say of one x, in their order, with torch's own mean and std."""
    tensor = torch.from_numpy(x)
    printed = (tensor.std(), tensor.mean(), tensor.double().std())
    return *(bool(value != value) for value in printed), not bool(tensor.isfinite().all())


def first_broken(setting: Setting, on_progress: OnProgress) -> NDArray[np.int_]:
    """The loop index at which each check first says no, or −1, shape (4, repetitions).

    In the order std, mean, std in float64, isfinite.
    """
    found = np.full((len(_CHECKS), setting.repetitions), -1)
    quiet = _LARGEST / (2 * setting.n)  # no sum of n elements can leave the range
    e = setting.experiment()
    for networks in one_matrix_each(e, setting.repetitions, on_progress):
        for i, x in enumerate(networks.layers):
            with np.errstate(invalid="ignore"):
                loud = np.flatnonzero(~(np.abs(x).max(1) < quiet))
            for row in loud:
                place = networks.place + row
                said_no = np.array(_asked(np.ascontiguousarray(x[row])))
                found[said_no & (found[:, place] < 0), place] = i
            if (found[:, networks.place : networks.place + len(x)] >= 0).all():
                break
    return found


def _expected_index(setting: Setting, deepest: int) -> tuple[float | None, float | None]:
    """Mean and standard deviation of the index of the first broken element, by the exact law."""
    pmf = predict(setting.experiment(depth=min(setting.depth, deepest + 3))).overflow_pmf
    total = sum(pmf.values())
    if total < 0.99:
        return None, None
    mean = sum(i * p for i, p in pmf.items()) / total
    return mean, (sum((i - mean) ** 2 * p for i, p in pmf.items()) / total) ** 0.5


def _first_nan(setting: Setting, on_progress: OnProgress) -> Result:
    found = first_broken(setting, lambda done: on_progress(0.9 * done))
    events = propagate(setting.experiment()).events
    seen = (found >= 0).all(0)
    columns = dict(zip(_CHECKS, found[:, seen] if seen.sum() > 1 else found, strict=True))
    law, _ = _expected_index(setting, int(found.max()))
    printed = {"wide": _LESSON_BY_STD, "mean": _LESSON_BY_MEAN}
    numbers = tuple(
        average(
            f"first i at which {_SEEN[name]}",
            values,
            exact=law if name in _OF_ELEMENTS and seen.all() else None,
            formula=r"\mathbb E[i]" if name in _OF_ELEMENTS else "",
            lesson=setting.printed(printed[name]) if name in printed else None,
            lesson_error=float(values.std(ddof=1)),
        )
        for name, values in columns.items()
    )
    indices = np.arange(found.min(), found.max() + 1)
    counts = tuple(
        Counts(_SEEN[name], "loop index i", indices.astype(float), _tally(values, indices))
        for name, values in columns.items()
    )
    one = {
        "by_std": events.notebook_std_nan,
        "by_mean": events.notebook_mean_nan,
        "by_isfinite": events.first_nonfinite,
    }
    outputs: dict[str, float | str] = {
        name: float(-1 if index is None else index) for name, index in one.items()
    }
    answer = _explained(columns, bool(seen.any()))
    right = float(np.median(columns["std"])) if seen.any() else math.inf
    on_progress(1.0)
    return Result(setting, numbers, answer, right, outputs, counts=counts)


def _tally(values: NDArray[np.int_], indices: NDArray[np.int_]) -> Array:
    return (values[:, None] == indices).sum(0).astype(float)


def _frequent(values: NDArray[np.int_]) -> str:
    """The commonest indices, as "27 (60 %) and 28 (40 %)"."""
    index, count = np.unique(values, return_counts=True)
    best = np.argsort(-count)[:2]
    return " and ".join(f"{index[k]} ({share(count[k] / len(values))})" for k in sorted(best))


def _explained(columns: dict[str, NDArray[np.int_]], any_broke: bool) -> tuple[Sentence, ...]:
    std, mean, wide, elements = (columns[name] for name in _CHECKS)
    draws = len(std)
    if not any_broke:
        return (Sentence(f"In none of {draws} draws did anything become NaN at this size."),)
    earlier, later = (std < mean).mean(), (std > mean).mean()
    between = "in every draw both stop at the same i."
    if earlier or later:
        between = (
            f"in {share(earlier)} of the draws the std stops the loop before the mean does, in "
            f"{share(later)} after it."
        )
    return (
        Sentence(
            f"Over {draws} draws the check by std stops at i = {_frequent(std)}, the check by mean "
            f"at i = {_frequent(mean)}."
        ),
        Sentence(
            "Why by std? A std subtracts the mean first, so it is NaN wherever the mean is. And "
            "where an element is +Inf the mean may be +Inf too, which equals itself and passes its "
            f"check; the std subtracts Inf from Inf and is NaN. Here {between}",
            r"\text{std} = \sqrt{\tfrac{1}{n-1}\textstyle\sum_i (x_i - \bar x)^2}",
        ),
        Sentence(
            "Neither looks at the elements. torch adds all n of them up in float32, and that sum "
            f"leaves the range before they do: in {share(float((std < elements).mean()))} of the "
            "draws the std is NaN while every element is still finite. `x.isfinite().all()` asks "
            f"what was meant; it says no at i = {_frequent(elements)}."
        ),
        *_two_runs(std, wide),
    )


def _two_runs(std: NDArray[np.int_], wide: NDArray[np.int_]) -> tuple[Sentence, ...]:
    """28 and 27 explained, where there is a 28 to explain."""
    in_float32, in_float64 = ((found == _LESSON_BY_STD).mean() for found in (std, wide))
    if in_float64 < _COMMON:
        return ()
    return (
        Sentence(
            "The lesson drew anew for each of its two runs, and saw 28 by std and 27 by mean. Here "
            f"28 by std comes in {share(float(in_float32))} of the draws. A std that adds up in "
            "float64 is NaN only where some element is not finite, and 28 comes in "
            f"{share(float(in_float64))}: the lesson's numbers fit a torch that had more room in "
            "its std than in its mean."
        ),
    )


def _first_nan_code(setting: Setting) -> str:
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


STEPS = (
    Step(
        number=2,
        slug="first-nan",
        title="The first NaN",
        question="Stop at the first NaN. The lesson looks at the std rather than the mean to find "
        "it: why, and does it matter?",
        guess=Guess(
            "At which loop index i is the std NaN for the first time?",
            "number",
            judged="difference",
            tolerance=2,
        ),
        compute=_first_nan,
        snippet=_first_nan_code,
        explore=lambda setting: setting.experiment(),
        repeats="draws",
        repetitions=500,
        most_repetitions=2000,
    ),
)
