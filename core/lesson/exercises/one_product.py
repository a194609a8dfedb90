"""Step 9: one product a·x of two random numbers."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

from torch import Tensor

from ...maths.arrays import Array
from ...reading.number import Number
from ..result import NOTEBOOK, Result, Sentence
from ..samples import (
    as_experiment,
    averages_of_all_and_few,
    averages_of_few,
    samples,
    work_of_samples,
)
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import decimals, generator, lines, rounded, tex


class _Measured(NamedTuple):
    """Samples y of the product, shape (repetitions,), and torch's std of the first one alone.

    Attributes:
        lone, lone_by_n: that std, its square divided by N − 1 and by N.
    """

    y: Array
    lone: float
    lone_by_n: float


def _lone_std(y: Tensor, correction: int) -> float:
    """torch's std of the first sample alone, without its warning that it divides by zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return float(y[:1].std(correction=correction))


def _measured(setting: Setting) -> _Measured:
    y = samples(setting)
    return _Measured(y.double().numpy(), _lone_std(y, correction=1), _lone_std(y, correction=0))


def _rows(measured: _Measured) -> tuple[Number, ...]:
    y = measured.y
    # E a⁴ E x⁴ = 9, so y² has variance 8.
    return (
        *averages_of_all_and_few("mean", y, 0.0, r"\mathbb E[a]\,\mathbb E[x] = 0", 1.0, -0.2147),
        *averages_of_all_and_few(
            "second moment", y**2, 1.0, r"\mathbb E[a^2]\,\mathbb E[x^2] = 1", 8.0, 0.8951
        ),
        Number(
            label="std of one sample",
            measured=measured.lone,
            exact=math.nan,
            formula=r"\sqrt{0/0}",
            lesson=math.nan,
        ),
        Number(
            label="std of one sample, divided by N instead of N − 1",
            measured=measured.lone_by_n,
            exact=0.0,
            formula=r"\sqrt{0/1}",
        ),
        Number(
            label=f"std of all {len(y):,} samples together",
            measured=float(y.std(ddof=1)),
            standard_error=(8 / len(y)) ** 0.5 / 2,
            exact=1.0,
            formula="1",
        ),
    )


def _sentences(measured: _Measured, rows: tuple[Number, ...]) -> tuple[Sentence, ...]:
    mean, second_moment = rows[0].measured, rows[2].measured
    return (
        Sentence(
            "The product of two independent numbers of mean 0 and variance 1 has mean 0 and "
            f"variance 1 again: {decimals(mean, 3)} and {second_moment:.3f} over "
            f"{len(measured.y):,} samples. The n of the step before is the variance of a sum of n "
            "such products.",
            r"\operatorname{Var}(ax) = \mathbb E[a^2]\,\mathbb E[x^2] = 1",
        ),
        Sentence(
            f"`y.std()` of a single number is {rounded(measured.lone)}. It divides by N − 1, which "
            "is Bessel's correction for a mean that comes from the same data, and with one number "
            "that is 0/0. Keep all products in one tensor and take its std; or average y², since "
            "the mean is 0.",
            r"\sqrt{\tfrac{1}{N-1}\textstyle\sum_i (y_i-\bar y)^2}\;\Big|_{N=1} = \sqrt{0/0}",
        ),
        Sentence(
            "The original notebook's −0.2147 and 0.8951 are averages over 100 samples: their "
            "standard errors are 0.1 and 0.283.",
            r"\frac{1}{\sqrt{100}} = 0.1\qquad\allowbreak "
            rf"\sqrt{{\tfrac{{8}}{{100}}}} = {tex(0.08**0.5, 3)}",
            fold=NOTEBOOK,
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting)
    rows = _rows(measured)
    on_progress(1.0)
    return Result(
        setting,
        rows,
        _sentences(measured, rows),
        rounded(measured.lone),
        {
            "mean": rows[0].measured,
            "second_moment": rows[2].measured,
            "lone": measured.lone,
            "together": rows[-1].measured,
        },
        counts=averages_of_few("y²", measured.y**2, 0.8951),
        brief=f"`y.std()` of one number is {rounded(measured.lone)}: it divides by N − 1, which is "
        "0 here.",
    )


def _work(setting: Setting) -> float:
    return work_of_samples(setting, per_sample=0.018)


def _snippet(setting: Setting) -> str:
    return lines(
        "import torch",
        "import warnings",
        "",
        f"count = {setting.repetitions}",
        f"generator = {generator(setting.seed, 0)}",
        "x = torch.randn(count, generator=generator)",
        "a = torch.randn(count, generator=generator)",
        "y = a * x",
        "mean, second_moment = y.mean(), y.pow(2).mean()",
        'warnings.simplefilter("ignore")  # torch warns of what comes next',
        "lone = y[:1].std()",
        "together = y.std()",
    )


STEP = Step(
    number=9,
    slug="one-product",
    title="One product",
    question="Take a single product a·x of two random numbers. What are its mean and variance, and "
    "why does its std come out as NaN?",
    guess=Guess(
        "What does y.std() give for a tensor with one number?",
        "choice",
        options=("0", "1", "NaN"),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=as_experiment,
    repeats="samples",
    repetitions=10**6,
    most_repetitions=10**7,
)
