"""Steps 9 and 10: one product a·x of two random numbers, bare and after ReLU."""

from __future__ import annotations

import math
import warnings

import numpy as np
import torch
from torch import Tensor

from core.devices import single_threaded
from core.experiment import Experiment
from core.lesson.number import Number, average
from core.lesson.step import Counts, Guess, OnProgress, Result, Sentence, Setting, Step
from core.lesson.words import generator, lines, said, tex
from core.streams import stream_seed
from core.tally import Array

_FEW = 100  # samples that the lesson drew
_BINS = 40


def _samples(setting: Setting) -> Tensor:
    """a·x for independent a and x from N(0, 1), float32, shape (repetitions,)."""
    stream = torch.Generator().manual_seed(stream_seed(setting.seed, 0))
    with torch.inference_mode(), single_threaded():
        x = torch.randn(setting.repetitions, generator=stream)
        return x.mul_(torch.randn(setting.repetitions, generator=stream))


def _wide(y: Tensor) -> Array:
    return np.asarray(y.double().numpy())


def _lone_std(y: Tensor, correction: int) -> float:
    """torch's std of the first sample alone, without its warning that it divides by zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return float(y[:1].std(correction=correction))


def _pair(
    label: str,
    values: Array,
    exact: float,
    formula: str,
    variance: float,
    lesson: float,
) -> tuple[Number, Number]:
    """An average over all samples, and over as few as the lesson's with what it printed."""
    few = values[:_FEW]
    return (
        average(f"{label}, {len(values):,} samples", values, exact=exact, formula=formula),
        Number(
            label=f"{label}, the first {len(few)}",
            measured=float(few.mean()),
            standard_error=(variance / len(few)) ** 0.5,
            exact=exact,
            formula=formula,
            lesson=lesson,
            lesson_error=(variance / _FEW) ** 0.5,
        ),
    )


def _averages(label: str, values: Array) -> tuple[Counts, ...]:
    """The averages of a hundred samples each, as a histogram; nothing of fewer than two hundred."""
    groups = len(values) // _FEW
    if groups < 2:
        return ()
    means = values[: groups * _FEW].reshape(groups, _FEW).mean(1)
    edges = np.linspace(means.min(), means.max(), _BINS + 1)
    found = np.histogram(means, edges)[0].astype(float)
    return (Counts(label, f"average of {_FEW}", (edges[:-1] + edges[1:]) / 2, found),)


def _one_product(setting: Setting, on_progress: OnProgress) -> Result:
    samples = _samples(setting)
    y = _wide(samples)
    lone = _lone_std(samples, 1)
    # E a⁴ E x⁴ = 9, so y² has variance 8.
    numbers = (
        *_pair("mean", y, 0.0, r"\mathbb E[a]\,\mathbb E[x] = 0", 1.0, -0.2147),
        *_pair("second moment", y**2, 1.0, r"\mathbb E[a^2]\,\mathbb E[x^2] = 1", 8.0, 0.8951),
        Number(
            label="std of one sample",
            measured=lone,
            exact=math.nan,
            formula=r"\sqrt{0/0}",
            lesson=math.nan,
        ),
        Number(
            label="std of one sample, divided by N instead of N − 1",
            measured=_lone_std(samples, 0),
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
            f"`y.std()` of a single number is {said(lone)}: it divides by N − 1, which corrects "
            "for measuring the mean from the same data, and one number leaves 0/0. Keep all "
            "products in one tensor and take its std, or average y², since the mean is 0.",
            r"\sqrt{\tfrac{1}{N-1}\textstyle\sum_i (y_i-\bar y)^2}\;\Big|_{N=1} = \sqrt{0/0}",
        ),
        Sentence(
            "The lesson's −0.2147 and 0.8951 are averages over 100 samples, and as uncertain as "
            "that.",
            r"\frac{1}{\sqrt{100}} = 0.1\qquad "
            rf"\sqrt{{\tfrac{{8}}{{100}}}} = {tex(0.08**0.5, 3)}",
        ),
    )
    outputs: dict[str, float | str] = {
        "mean": numbers[0].measured,
        "second_moment": numbers[2].measured,
        "lone": lone,
        "together": numbers[-1].measured,
    }
    counts = _averages("y² over 100 samples", y**2)
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


def _with_relu(setting: Setting, on_progress: OnProgress) -> Result:
    y = _wide(_samples(setting)).clip(min=0)
    scaled = y * 2**0.5
    # E relu(ax)² = 1/2, E relu(ax)⁴ = 9/2.
    mean, moment = 1 / math.pi, 0.5
    numbers = (
        *_pair("mean", y, mean, r"1/\pi", moment - mean**2, 0.2762),
        *_pair("second moment", y**2, moment, "1/2", 4.5 - moment**2, 0.3445),
        *_pair("with √2: mean", scaled, 2**0.5 * mean, r"\sqrt2/\pi", 1 - 2 * mean**2, 0.4582),
        *_pair("with √2: second moment", scaled**2, 1.0, "1", 18.0 - 1.0, 1.1150),
    )
    rough = numbers[3].lesson_error or 0.0
    answer = (
        Sentence(
            "ReLU sets the negative half to zero. What is left has half the second moment: "
            f"{said(numbers[2].measured)} over {len(y):,} samples; and its mean is no longer 0 but "
            f"{said(numbers[0].measured)}.",
            r"\mathbb E[\max(ax,0)^2] = \tfrac12\qquad "
            r"\mathbb E[\max(ax,0)] = \tfrac12\,\mathbb E|a|\,\mathbb E|x| = "
            rf"\tfrac1\pi = {tex(mean)}",
        ),
        Sentence(
            "A factor √2 in the weights makes up for it: the second moment is "
            f"{said(numbers[6].measured)} again. That is Kaiming's 2 in √(2/n).",
            r"(\sqrt2)^2\cdot\tfrac12 = 1",
        ),
        Sentence(
            "The lesson's 0.3445 and 1.1150 are noise: over 100 samples the second moment is only "
            f"known to ±{said(rough)}, and with √2 to ±{said(2 * rough)}. Squares of products have "
            "long tails.",
            rf"\sqrt{{\tfrac{{9/2 - 1/4}}{{100}}}} = {tex(rough, 3)}",
        ),
    )
    outputs: dict[str, float | str] = {
        "mean": numbers[0].measured,
        "second_moment": numbers[2].measured,
        "with_gain": numbers[6].measured,
    }
    counts = _averages("second moment over 100 samples", y**2)
    on_progress(1.0)
    return Result(setting, numbers, answer, moment, outputs, counts=counts)


def _with_relu_code(setting: Setting) -> str:
    return lines(
        "import torch",
        "",
        f"count = {setting.repetitions}",
        f"generator = {generator(setting.seed, 0)}",
        "x = torch.randn(count, generator=generator)",
        "a = torch.randn(count, generator=generator)",
        "y = (a * x).clamp_min(0.0)",
        "mean, second_moment = y.mean(), y.pow(2).mean()",
        "with_gain = (a * 2**0.5 * x).clamp_min(0.0).pow(2).mean()",
    )


def _explore(setting: Setting) -> Experiment:
    """One of the products: a single number."""
    return Experiment(width=1, depth=1, weights="fresh", seed=setting.seed)


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
        explore=_explore,
        repeats="samples",
        repetitions=10**6,
        most_repetitions=10**7,
    ),
    Step(
        number=10,
        slug="one-product-relu",
        title="One product with ReLU",
        question="Now put a ReLU behind the product. What is left of the mean and the second "
        "moment, and what does a factor √2 do?",
        guess=Guess(
            "What is the second moment of max(a·x, 0)?", "number", judged="ratio", tolerance=1.1
        ),
        compute=_with_relu,
        snippet=_with_relu_code,
        explore=lambda setting: _explore(setting).replace(activation="relu"),
        repeats="samples",
        repetitions=10**6,
        most_repetitions=10**7,
    ),
)
