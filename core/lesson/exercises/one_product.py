"""Step 9: one product a·x of two random numbers."""

from __future__ import annotations

import math
import warnings

from torch import Tensor

from ...reading.number import Number
from ..samples import as_experiment, averages, pair, samples, wide
from ..step import Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import generator, lines, said, tex


def _lone_std(y: Tensor, correction: int) -> float:
    """torch's std of the first sample alone, without its warning that it divides by zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return float(y[:1].std(correction=correction))


def _one_product(setting: Setting, on_progress: OnProgress) -> Result:
    drawn = samples(setting)
    y = wide(drawn)
    lone = _lone_std(drawn, 1)
    # E a⁴ E x⁴ = 9, so y² has variance 8.
    numbers = (
        *pair("mean", y, 0.0, r"\mathbb E[a]\,\mathbb E[x] = 0", 1.0, -0.2147),
        *pair("second moment", y**2, 1.0, r"\mathbb E[a^2]\,\mathbb E[x^2] = 1", 8.0, 0.8951),
        Number(
            label="std of one sample",
            measured=lone,
            exact=math.nan,
            formula=r"\sqrt{0/0}",
            lesson=math.nan,
        ),
        Number(
            label="std of one sample, divided by N instead of N − 1",
            measured=_lone_std(drawn, 0),
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
    answer = (
        Sentence(
            "The product of two independent numbers of mean 0 and variance 1 has mean 0 and "
            f"variance 1 again: {numbers[0].measured:.3f} and {numbers[2].measured:.3f} over "
            f"{len(y):,} samples. n of them make the n of the step before.",
            r"\operatorname{Var}(ax) = \mathbb E[a^2]\,\mathbb E[x^2] = 1",
        ),
        Sentence(
            f"`y.std()` of a single number is {said(lone)}: it divides by N − 1, Bessel's "
            "correction for measuring the mean from the same data, and one number leaves 0/0. Keep "
            "all products in one tensor and take its std, or average y², since the mean is 0.",
            r"\sqrt{\tfrac{1}{N-1}\textstyle\sum_i (y_i-\bar y)^2}\;\Big|_{N=1} = \sqrt{0/0}",
        ),
        Sentence(
            "The lesson's −0.2147 and 0.8951 are averages over 100 samples, and as uncertain as "
            "that.",
            r"\frac{1}{\sqrt{100}} = 0.1\qquad\allowbreak "
            rf"\sqrt{{\tfrac{{8}}{{100}}}} = {tex(0.08**0.5, 3)}",
        ),
    )
    outputs: dict[str, float | str] = {
        "mean": numbers[0].measured,
        "second_moment": numbers[2].measured,
        "lone": lone,
        "together": numbers[-1].measured,
    }
    counts = averages("y²", y**2, 0.8951)
    on_progress(1.0)
    return Result(setting, numbers, answer, said(lone), outputs, counts=counts)


def _one_product_code(setting: Setting) -> str:
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


STEPS = (
    Step(
        number=9,
        slug="one-product",
        title="One product",
        question="Take a single product a·x of two random numbers. What are its mean and variance, "
        "and why does its std come out as NaN?",
        guess=Guess(
            "What does y.std() give for a tensor with one number?",
            "choice",
            options=("0", "1", "NaN"),
        ),
        compute=_one_product,
        snippet=_one_product_code,
        explore=as_experiment,
        repeats="samples",
        repetitions=10**6,
        most_repetitions=10**7,
    ),
)
