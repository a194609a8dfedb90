"""Step 10: one product with ReLU behind it, and the factor √2."""

from __future__ import annotations

import math

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
from ..words import generator, lines, rounded, tex

_MEAN, _SECOND_MOMENT = 1 / math.pi, 0.5  # of max(ax, 0)
_FOURTH_MOMENT = 4.5


def _measured(setting: Setting) -> Array:
    """Samples of max(ax, 0), shape (repetitions,)."""
    return samples(setting).double().numpy().clip(min=0)


def _rows(y: Array) -> tuple[Number, ...]:
    scaled = y * 2**0.5
    mean, second, fourth = _MEAN, _SECOND_MOMENT, _FOURTH_MOMENT
    quantities = (
        ("mean", y, mean, r"1/\pi", second - mean**2, 0.2762),
        ("second moment", y**2, second, "1/2", fourth - second**2, 0.3445),
        ("with √2: mean", scaled, 2**0.5 * mean, r"\sqrt2/\pi", 1 - 2 * mean**2, 0.4582),
        ("with √2: second moment", scaled**2, 1.0, "1", 4 * fourth - 1.0, 1.1150),
    )
    return tuple(row for quantity in quantities for row in averages_of_all_and_few(*quantity))


def _sentences(y: Array, rows: tuple[Number, ...]) -> tuple[Sentence, ...]:
    error = rows[3].lesson_error or 0.0
    return (
        Sentence(
            "ReLU sets the negative half of the samples to zero. That halves the second moment, to "
            f"{rounded(rows[2].measured)} over {len(y):,} samples, and the mean is no longer 0 but "
            f"{rounded(rows[0].measured)}.",
            r"\mathbb E[\max(ax,0)^2] = \tfrac12\qquad\allowbreak "
            r"\mathbb E[\max(ax,0)] = \tfrac12\,\mathbb E|a|\,\mathbb E|x| = "
            rf"\tfrac1\pi = {tex(_MEAN)}",
        ),
        Sentence(
            "A factor √2 in the weights makes up for that: the second moment is "
            f"{rounded(rows[6].measured)} again. This is Kaiming's 2 in √(2/n).",
            r"(\sqrt2)^2\cdot\tfrac12 = 1",
        ),
        Sentence(
            "The notebook's 0.3445 and 1.1150 are off by chance alone. Over 100 samples the "
            f"standard error of the second moment is {rounded(error)}, and {rounded(2 * error)} "
            "with √2: the squares of products have a long tail.",
            rf"\sqrt{{\tfrac{{9/2 - 1/4}}{{100}}}} = {tex(error, 3)}",
            fold=NOTEBOOK,
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    y = _measured(setting)
    rows = _rows(y)
    on_progress(1.0)
    return Result(
        setting,
        rows,
        _sentences(y, rows),
        _SECOND_MOMENT,
        {
            "mean": rows[0].measured,
            "second_moment": rows[2].measured,
            "with_gain": rows[6].measured,
        },
        counts=averages_of_few("second moment", y**2, 0.3445),
        brief="ReLU sets half of the samples to zero and so halves the second moment: it is "
        f"{rounded(rows[2].measured)}.",
    )


def _work(setting: Setting) -> float:
    return work_of_samples(setting, per_sample=0.028)


def _snippet(setting: Setting) -> str:
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


STEP = Step(
    number=10,
    slug="one-product-relu",
    title="One product with ReLU",
    question="Now apply ReLU to the product. What are its mean and second moment, and what does a "
    "factor √2 do?",
    guess=Guess(
        "What is the second moment of max(a·x, 0)?", "number", judged="ratio", tolerance=1.1
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: as_experiment(setting).replace(activation="relu"),
    repeats="samples",
    repetitions=10**6,
    most_repetitions=10**7,
)
