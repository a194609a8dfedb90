"""Step 11: ReLU behind a matrix, element by element, and behind a whole layer."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ...host.threads import single_threaded
from ...maths.arrays import Array
from ...question.streams import stream_seed
from ...reading.number import Number, average
from ..step import Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import generator, lines, said, tex

_LESSON_DRAWS = 100
_ELEMENTS, _LAYER = "(a * x)", "(a @ x)"


class Moments(NamedTuple):
    """Mean, variance and second moment of y in each draw, float64 of shape (repetitions,)."""

    mean: Array
    variance: Array
    second: Array

    def times(self, factor: float) -> Moments:
        """The same of y times a factor."""
        square = factor**2
        return Moments(self.mean * factor, self.variance * square, self.second * square)


def _moments(y: Tensor) -> Tensor:
    """Of each row, shape (3, rows)."""
    count = y.shape[1]
    mean, second = y.mean(1).double(), y.square().mean(1).double()
    variance = (second - mean**2) * count / (count - 1)
    return torch.stack([mean, variance, second])


def drawn(setting: Setting, on_progress: OnProgress) -> tuple[Moments, Moments]:
    """Moments of (a * x).clamp_min(0) and of (a @ x).clamp_min(0), for a new a and x each time."""
    stream = torch.Generator().manual_seed(stream_seed(setting.seed, 0))
    n, count = setting.n, setting.repetitions
    at_once = min(count, max(1, 2**20 // n**2))
    room = torch.empty(at_once, n, n)
    elements, layers = [], []
    with torch.inference_mode(), single_threaded():
        inputs = torch.randn(count, n, generator=stream)
        for start in range(0, count, at_once):
            x = inputs[start : start + at_once]
            a = torch.randn(len(x), n, n, generator=stream, out=room[: len(x)])
            y = torch.from_numpy(a.numpy() @ x.unsqueeze(2).numpy())[:, :, 0]
            layers.append(_moments(y.clamp_min_(0)))
            elements.append(_moments(a.mul_(x.unsqueeze(1)).clamp_min_(0).flatten(1)))
            on_progress((start + len(x)) / count)
    one, other = (Moments(*torch.cat(parts, 1).numpy()) for parts in (elements, layers))
    return one, other


def _rows(
    label: str,
    measured: Moments,
    exact: tuple[float, float, float],
    formulas: tuple[str, str, str],
    printed: tuple[float | None, float | None, float | None] = (None, None, None),
) -> tuple[Number, ...]:
    """Rows for mean, std and second moment; ``exact`` has the variance in the middle."""

    def row(place: int, name: str) -> Number:
        values = measured[place]
        return average(
            f"{label}: {name}",
            values,
            exact=exact[place],
            formula=formulas[place],
            lesson=printed[place],
            lesson_error=float(values.std(ddof=1)) / _LESSON_DRAWS**0.5,
        )

    # The average of stds is less than the std: the root of the average variance is what counts.
    return row(0, "mean"), _root(row(1, "std")), row(2, "second moment")


def _root(variance: Number) -> Number:
    """A std from a variance."""
    std = variance.measured**0.5

    def error(of: float | None) -> float | None:
        return None if of is None else of / (2 * std)

    return replace(
        variance,
        measured=std,
        standard_error=error(variance.standard_error),
        exact=None if variance.exact is None else variance.exact**0.5,
        lesson_error=error(variance.lesson_error),
    )


def _numbers(setting: Setting, elements: Moments, layer: Moments) -> tuple[Number, ...]:
    n, pi = setting.n, math.pi
    # What shrinks to nothing as n grows: E‖x‖ is less than √n, and elements share their x_j.
    length = 2**0.5 * math.exp(math.lgamma((n + 1) / 2) - math.lgamma(n / 2))
    shared = (1 - 2 / pi) / (2 * pi) / (n + 1)
    scaled = layer.times((2 / n) ** 0.5)
    return (
        *_rows(
            f"{_ELEMENTS} with ReLU",
            elements,
            (1 / pi, 1 / 2 - 1 / pi**2 - shared, 1 / 2),
            (r"1/\pi", r"\sqrt{1/2-1/\pi^2}", "1/2"),
            (setting.printed(0.3193), setting.printed(0.6327), setting.printed(0.5027)),
        ),
        *_rows(
            f"{_LAYER} with ReLU",
            layer,
            (length / (2 * pi) ** 0.5, n * (1 / 2 - 1 / (2 * pi)), n / 2),
            (r"\mathbb E\lVert x\rVert/\sqrt{2\pi}", r"\sqrt{n(1/2-1/2\pi)}", "n/2"),
        ),
        *_rows(
            f"√(2/n)·{_LAYER} with ReLU",
            scaled,
            (length / (n * pi) ** 0.5, 1 - 1 / pi, 1.0),
            (r"\mathbb E\lVert x\rVert/\sqrt{n\pi}", r"\sqrt{1-1/\pi}", "1"),
            (setting.printed(0.5656), setting.printed(0.8269), setting.printed(1.0061)),
        ),
    )


def _layer(setting: Setting, on_progress: OnProgress) -> Result:
    elements, layer = drawn(setting, on_progress)
    numbers = _numbers(setting, elements, layer)
    n, right = setting.n, math.pi**-0.5
    # Had the std been brought to 1 instead: by how much each layer would multiply the rms.
    wrong = (1 - 1 / math.pi) ** -0.5
    answer = (
        Sentence(
            "Element by element nothing adds up: each is one product with ReLU, with second moment "
            f"{said(numbers[2].measured)} as in the step before.",
            r"\mathbb E[\max(a_{ij}x_j,0)^2] = \tfrac12",
        ),
        Sentence(
            "In the whole layer n products are added before ReLU takes its half, so the second "
            f"moment is {said(numbers[5].measured)}.",
            rf"\mathbb E[y_i^2] = \frac{{n}}{{2}} = {tex(n / 2)}",
        ),
        Sentence(
            f"Weights with √(2/n) bring it to {said(numbers[8].measured)}, with mean "
            f"{said(numbers[6].measured)} and std {said(numbers[7].measured)}.",
            rf"\frac{{1}}{{\sqrt\pi}} = {tex(right)}\qquad\allowbreak "
            rf"\sqrt{{1-\tfrac1\pi}} = {tex((1 - 1 / math.pi) ** 0.5)}\qquad\allowbreak "
            r"\tfrac1\pi + 1 - \tfrac1\pi = 1",
        ),
        Sentence(
            "It is the second moment that has to be kept, not the variance: the next layer adds up "
            "squares of y as they come, mean and all. Had one brought the std to 1 instead, the "
            f"rms would grow by {said(wrong)} a layer, and by {said(wrong**setting.depth)} over "
            f"{setting.depth} layers.",
            r"\operatorname{Var}\Big(\sum_j a_{ij}y_j\Big) = n\,\sigma^2\,\mathbb E[y_j^2]",
        ),
    )
    outputs: dict[str, float | str] = {
        "mean": numbers[6].measured,
        "std": numbers[7].measured,
        "second_moment": numbers[8].measured,
        "elementwise": numbers[2].measured,
    }
    return Result(setting, numbers, answer, right, outputs)


def _code(setting: Setting) -> str:
    return lines(
        "import torch",
        "",
        f"n, count = {setting.n}, {setting.repetitions}",
        f"generator = {generator(setting.seed, 0)}",
        "inputs = torch.randn(count, n, generator=generator)",
        "mean = variance = second_moment = elementwise = 0.0",
        "for x in inputs:",
        "    a = torch.randn(n, n, generator=generator)",
        "    elementwise += (a * x).clamp_min(0.0).pow(2).mean() / count",
        "    y = (a * (2 / n) ** 0.5 @ x).clamp_min(0.0)",
        "    mean += y.mean() / count",
        "    variance += y.var() / count",
        "    second_moment += y.pow(2).mean() / count",
        "std = variance**0.5",
    )


STEPS = (
    Step(
        number=11,
        slug="layer-relu",
        title="A whole layer with ReLU",
        question="Apply ReLU to the matrix a * x, then to a whole layer a @ x, without and with "
        "weights multiplied by √(2/n). What are mean, std and second moment?",
        guess=Guess(
            "With √(2/n), what is the mean of (a @ x).clamp_min(0)?",
            "number",
            judged="difference",
            tolerance=0.05,
        ),
        compute=_layer,
        snippet=_code,
        explore=lambda setting: setting.experiment(
            init="kaiming_normal", activation="relu", depth=1
        ),
        repeats="draws",
        repetitions=100,
        most_repetitions=2000,
    ),
)
