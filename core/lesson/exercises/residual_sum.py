"""Step 14: the factor of a branch beside a skip, and why it is 1/√(2L)."""

from __future__ import annotations

import numpy as np
import torch

from ...host.limits import cost
from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.propagate import Run, propagate
from ...theory.finite_width import LEVELS, Prediction, predict
from ...theory.work import prediction_work
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..sizes import row
from ..step import Guess, OnProgress, Step
from ..words import lines, normal_draws, rounded, tex

_FACTORS: dict[str, str] = {"1": "one", "1/√(2L)": "root", "1/L": "share"}
_HELD = 1.0  # octaves: within a factor of two of the start


def _factor(name: str, depth: int) -> float:
    return {"1": 1.0, "1/√(2L)": (1 / (2 * depth)) ** 0.5, "1/L": 1 / depth}[name]


def _network(setting: Setting, name: str) -> Experiment:
    return setting.experiment(
        init="kaiming_normal",
        activation="relu",
        weights="fresh",
        branch="preactivation",
        skip="identity",
        branch_scale=_factor(name, setting.depth),
    )


def _rms(run: Run) -> float:
    return float(torch.from_numpy(run.final).double().square().mean().sqrt())


def _row(name: str, run: Run, law: Prediction) -> Number:
    depth, broken = run.experiment.depth, run.events.first_nonfinite
    if broken is not None:
        label = f"α = {name}: the first loop index i with an element that is not finite"
        return Number(label=label, measured=broken)
    label = f"α = {name}: rms of x at the last layer"
    formula = r"\text{about }(1+\alpha^2)^{L/2}"
    return row(label, _rms(run), law.log2_rms_quantiles, depth, formula)


def _holds(run: Run) -> bool:
    size = run.stats.log2_rms
    return bool(abs(size[-1] - size[0]) <= _HELD)


def _sentence_of(name: str, run: Run) -> Sentence:
    depth, factor = run.experiment.depth, run.experiment.branch_scale
    first, last = (rounded(float(value)) for value in run.stats.rms[[0, -1]])
    octaves = depth / 2 * np.log2(1 + factor**2)
    value = tex(float(2.0**octaves)) if octaves < 1000 else rf"2^{{{octaves:.0f}}}"
    end = f"the rms of x goes from {first} to {last}"
    if run.events.first_nonfinite is not None:
        end = f"the first element that is not finite comes at i = {run.events.first_nonfinite}"
    return Sentence(f"α = {name}: {end}.", rf"(1 + \alpha^2)^{{L/2}} = {value}")


def _sentences(runs: dict[str, Run]) -> tuple[Sentence, ...]:
    return (
        Sentence(
            "With Kaiming’s weights a branch has the second moment of its input. It is independent "
            "of x, so the two second moments add up, and each layer multiplies E[x²] by 1 + α².",
            r"\mathbb E[x_k^2] = (1 + \alpha^2)\,\mathbb E[x_{k-1}^2]",
        ),
        *(_sentence_of(name, run) for name, run in runs.items()),
        Sentence(
            "With α² = 1/(2L) all L layers together multiply E[x²] by at most √e, about 1.65, "
            "however deep the network is. GPT-2 has two branches in each of its L blocks, so 2L "
            "in all, and divides each of them by √(2L).",
            r"\Big(1 + \frac{1}{2L}\Big)^{L} < \sqrt e",
            fold=WHY,
        ),
        Sentence(
            "A smaller α holds x as well, but then the layers hardly matter: with 1/L all branches "
            "together add about 1/L of E[x²].",
            r"\Big(1 + \frac{1}{L^2}\Big)^{L} \approx 1 + \frac{1}{L}",
            fold="Why not 1/L?",
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    runs, laws = {}, {}
    for place, name in enumerate(_FACTORS):
        e = _network(setting, name)
        runs[name], laws[name] = propagate(e), predict(e.replace(seed=0))
        on_progress((place + 1) / len(_FACTORS))
    held = [name for name, run in runs.items() if _holds(run)]
    right = held[0] if held else "none"  # the factors descend
    curves = []
    for name, run in runs.items():
        law = laws[name].log2_rms_quantiles
        low, high = (law[LEVELS[0]], law[LEVELS[-1]]) if law else (None, None)
        curves.append(Curve(f"α = {name}", run.stats.log2_rms, low, high))
    return Result(
        setting,
        tuple(_row(name, run, laws[name]) for name, run in runs.items()),
        _sentences(runs),
        right,
        {_FACTORS[name]: _rms(run) for name, run in runs.items()},
        curves=tuple(curves),
        curve_axis="rms of x: this run, and nine networks in ten",
        brief=f"The largest of these α that holds x within a factor of two: {right}.",
    )


def _work(setting: Setting) -> float:
    networks = [_network(setting, name) for name in _FACTORS]
    return sum(cost(e).multiply_adds + prediction_work(e) for e in networks)


def _snippet(setting: Setting) -> str:
    return lines(
        *normal_draws(setting.experiment()),
        "def rms(alpha):",
        "    x = normal(0, n)",
        "    for i in range(depth):",
        "        a = normal(i + 1, n, n) * (2 / n) ** 0.5",
        "        x = x + alpha * (a @ x.clamp_min(0.0))",
        "    return x.double().square().mean().sqrt()",
        "",
        "",
        "one, root, share = map(rms, [1.0, (1 / (2 * depth)) ** 0.5, 1 / depth])",
    )


STEP = Step(
    number=14,
    slug="residual-sum",
    title="Why 1/√(2L)",
    question="Beside a skip each of 100 layers adds a branch to x: x = x + α · a @ ReLU(x), with "
    "Kaiming’s weights. Which α keeps x near its size?",
    guess=Guess(
        "Which is the largest of these α with which x ends within a factor of two of its start?",
        "choice",
        options=(*_FACTORS, "none"),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, "1/√(2L)"),
)
