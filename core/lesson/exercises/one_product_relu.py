"""Step 10: one product with ReLU behind it, and what √2 does."""

from __future__ import annotations

import math

from ..samples import as_experiment, averages, pair, samples, wide
from ..step import Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import generator, lines, said, tex


def _with_relu(setting: Setting, on_progress: OnProgress) -> Result:
    y = wide(samples(setting)).clip(min=0)
    scaled = y * 2**0.5
    # E relu(ax)² = 1/2, E relu(ax)⁴ = 9/2.
    mean, moment = 1 / math.pi, 0.5
    numbers = (
        *pair("mean", y, mean, r"1/\pi", moment - mean**2, 0.2762),
        *pair("second moment", y**2, moment, "1/2", 4.5 - moment**2, 0.3445),
        *pair("with √2: mean", scaled, 2**0.5 * mean, r"\sqrt2/\pi", 1 - 2 * mean**2, 0.4582),
        *pair("with √2: second moment", scaled**2, 1.0, "1", 18.0 - 1.0, 1.1150),
    )
    rough = numbers[3].lesson_error or 0.0
    answer = (
        Sentence(
            "ReLU sets the negative half to zero. What is left has half the second moment: "
            f"{said(numbers[2].measured)} over {len(y):,} samples; and its mean is no longer 0 but "
            f"{said(numbers[0].measured)}.",
            r"\mathbb E[\max(ax,0)^2] = \tfrac12\qquad\allowbreak "
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
    counts = averages("second moment", y**2, 0.3445)
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


STEPS = (
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
        explore=lambda setting: as_experiment(setting).replace(activation="relu"),
        repeats="samples",
        repetitions=10**6,
        most_repetitions=10**7,
    ),
)
