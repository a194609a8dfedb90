"""Step 14: residual branches add up, and what 1/√(2L) does about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...host.limits import cost, ensemble_work
from ...maths.arrays import Array
from ...question.experiment import BRANCH_STOPS, Experiment
from ...reading.number import Number
from ...simulation.ensemble import sample_ensemble
from ...simulation.propagate import Run, propagate
from ...theory import mean_field
from ...theory.finite_width import predict
from ...theory.work import prediction_work
from ..blocks import curve, median_row, relu_network, size_sentence, within
from ..result import WHY, Result, Sentence
from ..setting import Setting
from ..snippet import head_lines
from ..step import Guess, OnProgress, Step
from ..words import lines, rounded, tex

_SCALED = "1/√(2L)"
_OUTPUTS: dict[str, str] = {"1": "plain", _SCALED: "scaled"}
_HOLDS, _ROOT, _DOUBLES = "it holds", "it grows like √k", "it grows by √2 at each layer"


class _Measured(NamedTuple):
    """Networks whose branches have some factor α.

    Attributes:
        run: at the setting's seed.
        log2_last: log2 of the last rms in each network, shape (repetitions,).
        law: level -> log2 of that quantile of the rms at layers 0 … depth; empty if not known.
        typical: log2 of the last rms for many units.
    """

    run: Run
    log2_last: Array
    law: Mapping[float, Array]
    typical: float


def _size(setting: Setting) -> Setting:
    return within(setting, 128, 50)


def _network(setting: Setting, alpha: str) -> Experiment:
    size = _size(setting)
    return relu_network(
        size,
        branch="preactivation",
        skip="identity",
        branch_scale=BRANCH_STOPS[alpha](size.n, size.depth),
    )


def _measured(setting: Setting, on_progress: OnProgress) -> dict[str, _Measured]:
    """α -> what was measured with it."""
    measured = {}
    for place, alpha in enumerate(_OUTPUTS):
        e = _network(setting, alpha)
        many = sample_ensemble(e, setting.repetitions, seed=setting.seed)
        law = predict(e.replace(seed=0)).log2_rms_quantiles
        typical = float(mean_field.profile(e).log2_rms[-1])
        measured[alpha] = _Measured(propagate(e), many.log2_rms[:, -1], law, typical)
        on_progress((place + 1) / len(_OUTPUTS))
    return measured


def _rows(measured: dict[str, _Measured]) -> tuple[Number, ...]:
    return tuple(
        median_row(
            f"α = {alpha}: rms of x at the last layer, median of {len(each.log2_last)} networks",
            each.log2_last,
            each.law,
            -1,
            r"\text{median near }(1+\alpha^2)^{L/2}",
        )
        for alpha, each in measured.items()
    )


def _growth(each: _Measured) -> float:
    """By how many octaves the rms of the typical network grows."""
    return float(np.median(each.log2_last))


def _right(each: _Measured) -> str:
    """The growth nearest to that of the networks with α = 1."""
    depth = each.run.experiment.depth
    laws = {_DOUBLES: depth / 2, _ROOT: math.log2(1 + depth) / 2, _HOLDS: 0.0}
    return min(laws, key=lambda name: abs(laws[name] - _growth(each)))


def _sentences(setting: Setting, measured: dict[str, _Measured]) -> tuple[Sentence, ...]:
    depth, plain, scaled = _size(setting).depth, measured["1"], measured[_SCALED]
    bound = rounded(math.e**0.25)
    return (
        Sentence(
            "With α = 1, what each branch adds is as large as the stream x itself: on average the "
            "second moment doubles at each layer, and the rms grows by √2. At the last layer the "
            f"rms is {rounded(2 ** _growth(plain))} in the middle one of the networks.",
            r"\mathbb E[x_k^2] = \mathbb E[x_{k-1}^2] + \alpha^2\,\mathbb E[x_{k-1}^2]"
            r"\qquad\allowbreak "
            rf"\sqrt2^{{\,L}} = {tex(2**plain.typical, 3)}",
        ),
        Sentence(
            f"With α = {_SCALED} each branch adds only one part in 2L to the second moment: the "
            f"rms ends at {rounded(2 ** _growth(scaled))}. With many units "
            f"it stays below {bound} at every depth.",
            rf"\left(1+\frac1{{2L}}\right)^L = {tex(4**scaled.typical)}"
            rf"\;\longrightarrow\; e^{{1/2}} = {tex(math.e**0.5)}\text{{ for }}\mathbb E[x_L^2]",
        ),
        Sentence(
            "Try another depth, up to 50 layers, and guess first. With many units and α = 1, ten "
            f"layers more make the rms {rounded(2 ** (10 * plain.typical / depth))} times as "
            f"large; with α = {_SCALED} it ends nearly where it did.",
        ),
        size_sentence(setting, _size(setting)),
        *_reasons(setting, scaled),
    )


def _reasons(setting: Setting, scaled: _Measured) -> tuple[Sentence, ...]:
    depth = _size(setting).depth
    normed = _network(setting, "1").replace(norm="layer", norm_place="before")
    behind_norm = float(2 ** mean_field.profile(normed).log2_rms[-1])
    return (
        Sentence(
            "Kaiming’s 2/n makes up for the half that ReLU sets to zero, so a @ ReLU(x) is as "
            "large as x. The new matrix knows nothing of x: the product of the two averages to 0, "
            "and their second moments add up. A skip asks for smaller branches, not for other "
            "weights.",
            fold=WHY,
        ),
        Sentence(
            "In GPT-2 each of the L blocks adds two branches to the stream, the attention and the "
            "MLP: 2L in all, hence 1/√(2L), which it puts into the last matrix of each branch. "
            "Here a layer has one branch, and the L branches use half of what that rule allows. "
            f"With {depth} layers α is {rounded(scaled.run.experiment.branch_scale)}.",
            rf"2L\text{{ branches: }}\left(1+\frac1{{2L}}\right)^{{2L}} = "
            rf"{tex(16**scaled.typical)}\;\longrightarrow\; e",
            fold="Why 2L?",
        ),
        Sentence(
            "A norm in front of the branch gives it a signal of the same size at each layer. Each "
            "branch then adds the same, and the rms of x grows as a root of the depth, even with "
            "α = 1. Step 16 measures it.",
            rf"\sqrt{{1+L\,\alpha^2}} = {tex(behind_norm, 3)}\text{{ for }}\alpha = 1",
            fold="What does a norm in front of the branch do?",
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    plain, scaled = (rounded(2 ** _growth(each)) for each in measured.values())
    return Result(
        setting,
        _rows(measured),
        _sentences(setting, measured),
        _right(measured["1"]),
        {_OUTPUTS[alpha]: float(each.run.stats.rms[-1]) for alpha, each in measured.items()},
        curves=tuple(
            curve(f"α = {alpha}", each.run.stats.log2_rms, each.law)
            for alpha, each in measured.items()
        ),
        curve_axis="rms of x: this run, and nine networks in ten",
        brief=f"α = 1: {_right(measured['1'])}, and after {_size(setting).depth} layers the rms "
        f"is {plain}; with α = {_SCALED} it is {scaled}.",
    )


def _work(setting: Setting) -> float:
    networks = [_network(setting, alpha) for alpha in _OUTPUTS]
    return sum(
        cost(e).multiply_adds + prediction_work(e) + ensemble_work(e, setting.repetitions)
        for e in networks
    )


def _snippet(setting: Setting) -> str:
    return lines(
        *head_lines(_size(setting)),
        "def last_rms(alpha):",
        "    x = normal(0, n)",
        "    for i in range(depth):",
        "        a = normal(i + 1, n, n) * (2 / n) ** 0.5",
        "        x = x + alpha * (a @ x.clamp_min(0.0))",
        "    return x.double().square().mean().sqrt()",
        "",
        "",
        "plain, scaled = last_rms(1.0), last_rms((1 / (2 * depth)) ** 0.5)",
    )


STEP = Step(
    number=14,
    slug="branch-scale",
    title="Why 1/√(2L)",
    question="Kaiming’s weights hold the signal. Now let x skip each layer, and add what the layer "
    "makes of it: x = x + α·(a @ ReLU(x)), with α = 1. What becomes of the rms of x?",
    guess=Guess(
        "With α = 1, what becomes of the rms over the layers k?",
        "choice",
        options=(_HOLDS, _ROOT, _DOUBLES),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, _SCALED),
    repeats="networks",
    repetitions=200,
    most_repetitions=2000,
    more=True,
)
