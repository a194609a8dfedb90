"""Step 11: ReLU behind a matrix, element by element, and behind a whole layer."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...maths.arrays import Array
from ...reading.number import Number, average
from ..draws import statistics_of_draws, work_of_draws
from ..result import WHY, Counts, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import generator, lines, rounded, tex

_PER_WEIGHT = 0.0015  # microseconds: a weight times x, cut at zero and added up
_LESSON_DRAWS = 100
_ELEMENTS, _LAYER = "(a * x) with ReLU", "(a @ x) with ReLU"


class _Moments(NamedTuple):
    """Mean, variance and second moment of y in each draw, float64 of shape (repetitions,)."""

    mean: Array
    variance: Array
    second: Array

    def times(self, factor: float) -> _Moments:
        """The moments of y times a factor."""
        square = factor**2
        return _Moments(self.mean * factor, self.variance * square, self.second * square)


class _Measured(NamedTuple):
    """Moments of (a * x).clamp_min(0) and of (a @ x).clamp_min(0), and all elements of the latter.

    Attributes:
        outputs: shape (repetitions · n,), float32.
    """

    elements: _Moments
    layer: _Moments
    outputs: NDArray[np.float32]


def _moments(y: Tensor) -> Tensor:
    """The moments of each row, shape (3, rows)."""
    count = y.shape[1]
    mean, second = y.mean(1).double(), y.square().mean(1).double()
    variance = (second - mean**2) * count / (count - 1)
    return torch.stack([mean, variance, second])


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    outputs = []

    def both(a: Tensor, x: Tensor, y: Tensor) -> Tensor:
        layer = _moments(y.clamp_min_(0))
        outputs.append(y.numpy().ravel())
        elements = _moments(a.mul_(x.unsqueeze(1)).clamp_min_(0).flatten(1))
        return torch.stack([elements, layer])

    elements, layer = statistics_of_draws(setting, both, on_progress)
    return _Measured(_Moments(*elements), _Moments(*layer), np.concatenate(outputs))


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    n, pi, printed = setting.n, math.pi, setting.printed
    # Both vanish as n grows: E‖x‖ is less than √n, and the elements of a column share their x_j.
    length = 2**0.5 * math.exp(math.lgamma((n + 1) / 2) - math.lgamma(n / 2))
    shared = (1 - 2 / pi) / (2 * pi) / (n + 1)
    return (
        *_rows_of(
            _ELEMENTS,
            measured.elements,
            (1 / pi, 1 / 2 - 1 / pi**2 - shared, 1 / 2),
            (r"1/\pi", r"\sqrt{1/2-1/\pi^2}", "1/2"),
            (printed(0.3193), printed(0.6327), printed(0.5027)),
        ),
        *_rows_of(
            _LAYER,
            measured.layer,
            (length / (2 * pi) ** 0.5, n * (1 / 2 - 1 / (2 * pi)), n / 2),
            (r"\mathbb E\lVert x\rVert/\sqrt{2\pi}", r"\sqrt{n(1/2-1/2\pi)}", "n/2"),
        ),
        *_rows_of(
            f"√(2/n)·{_LAYER}",
            measured.layer.times((2 / n) ** 0.5),
            (length / (n * pi) ** 0.5, 1 - 1 / pi, 1.0),
            (r"\mathbb E\lVert x\rVert/\sqrt{n\pi}", r"\sqrt{1-1/\pi}", "1"),
            (printed(0.5656), printed(0.8269), printed(1.0061)),
        ),
    )


def _rows_of(
    label: str,
    moments: _Moments,
    exact: tuple[float, float, float],
    formulas: tuple[str, str, str],
    printed: tuple[float | None, float | None, float | None] = (None, None, None),
) -> tuple[Number, Number, Number]:
    """Rows for the mean, the std and the second moment; ``exact`` has the variance, not the std."""
    mean, variance, second = (
        average(
            f"{label}: {name}",
            values,
            exact=exact[place],
            formula=formulas[place],
            lesson=printed[place],
            lesson_error=float(values.std(ddof=1)) / _LESSON_DRAWS**0.5,
        )
        for place, (name, values) in enumerate(
            zip(("mean", "std", "second moment"), moments, strict=True)
        )
    )
    return mean, _root(variance), second


def _root(variance: Number) -> Number:
    """The row of the std: the root of the average variance, for stds average to less than that."""
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


def _sentences(setting: Setting, rows: tuple[Number, ...]) -> tuple[Sentence, ...]:
    n, depth, pi = setting.n, setting.depth, math.pi
    measured = [rounded(row.measured) for row in rows]
    # If the std were brought to 1 instead, each layer would multiply the rms by this.
    wrong = (1 - 1 / pi) ** -0.5
    return (
        Sentence(
            "In the matrix nothing is added up: each element is one product with ReLU, and the "
            f"second moment is {measured[2]}, as in the step before.",
            r"\mathbb E[\max(a_{ij}x_j,0)^2] = \tfrac12",
        ),
        Sentence(
            "In the whole layer n products are added up before ReLU halves the second moment, so "
            f"it is {measured[5]}.",
            rf"\mathbb E[y_i^2] = \frac{{n}}{{2}} = {tex(n / 2)}",
        ),
        Sentence(
            f"Weights multiplied by √(2/n) bring the second moment to {measured[8]}, with mean "
            f"{measured[6]} and std {measured[7]}.",
            rf"\frac{{1}}{{\sqrt\pi}} = {tex(pi**-0.5)}\qquad\allowbreak "
            rf"\sqrt{{1-\tfrac1\pi}} = {tex((1 - 1 / pi) ** 0.5)}\qquad\allowbreak "
            r"\tfrac1\pi + 1 - \tfrac1\pi = 1",
        ),
        Sentence(
            "The second moment has to stay at 1, not the variance: the next layer's variance is "
            "proportional to E[y²], and the mean of y counts in that. Weights that bring the std "
            f"to 1 instead would multiply the rms by {rounded(wrong)} at every layer, and by "
            f"{rounded(wrong**depth)} over {depth} layers.",
            r"\operatorname{Var}\Big(\sum_j a_{ij}y_j\Big) = n\,\sigma^2\,\mathbb E[y_j^2]",
            fold=WHY,
        ),
    )


def _histogram(setting: Setting, outputs: NDArray[np.float32], mean: float, rms: float) -> Counts:
    """The elements of a layer with ReLU whose weights are multiplied by √(2/n)."""
    y = outputs.astype(np.float64) * (2 / setting.n) ** 0.5
    marks = {f"mean {rounded(mean)}": mean, f"rms {rounded(rms)}": rms}
    span = (0.0, float(y.max()) or 1.0)
    return Counts.of("elements of y", "element of y", y, 40, span=span, marks=marks)


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    rows = _rows(setting, measured)
    mean, std, second_moment = (row.measured for row in rows[6:])
    outputs = {
        "mean": mean,
        "std": std,
        "second_moment": second_moment,
        "elementwise": rows[2].measured,
    }
    return Result(
        setting,
        rows,
        _sentences(setting, rows),
        math.pi**-0.5,
        outputs,
        counts=(_histogram(setting, measured.outputs, mean, second_moment**0.5),),
        brief=f"With √(2/n) the mean is {rounded(mean)}, the std {rounded(std)} and the second "
        f"moment {rounded(second_moment)}.",
    )


def _work(setting: Setting) -> float:
    return work_of_draws(setting, _PER_WEIGHT)


def _snippet(setting: Setting) -> str:
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


STEP = Step(
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
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(init="kaiming_normal", activation="relu", depth=1),
    repeats="draws",
    repetitions=100,
    most_repetitions=2000,
)
