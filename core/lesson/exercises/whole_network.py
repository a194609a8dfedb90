"""Step 12: many layers with ReLU, and three ways to draw their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from ...host.limits import cost, ensemble_work
from ...maths.arrays import Array
from ...question.experiment import Experiment
from ...reading.diagnosis import Kind, kind_of
from ...reading.number import Number
from ...simulation.ensemble import sample_ensemble
from ...simulation.propagate import Run, propagate
from ...theory.finite_width import LEVELS, predict
from ...theory.work import prediction_work
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..snippet import head_lines
from ..step import Guess, OnProgress, Step
from ..words import lines, rounded, tex, tex_exp

_LOG10_2 = math.log10(2)


_INITS: dict[str, str] = {
    "normal": "raw N(0, 1)",
    "xavier_normal": "Xavier",
    "kaiming_normal": "Kaiming",
}
_FACTORS: dict[str, str] = {"normal": "n/2", "xavier_normal": "1/2", "kaiming_normal": "1"}


class _Measured(NamedTuple):
    """A run with some weights, and the last sizes in many networks.

    Attributes:
        run: at the setting's seed.
        kind: the word for the run.
        log2_last: log2 of the last rms in each network, shape (repetitions,).
        law: level -> log2 of that quantile of the rms at layers 0 … depth.
    """

    run: Run
    kind: Kind
    log2_last: Array
    law: Mapping[float, Array]


def _network(setting: Setting, init: str) -> Experiment:
    return setting.experiment(init=init, activation="relu", weights="fresh")


def _scaled(e: Experiment) -> Experiment:
    """The same weights as raw ones with a scale factor."""
    return e.replace(init="normal", scale=e.weight_std)


def _measured(setting: Setting, on_progress: OnProgress) -> dict[str, _Measured]:
    """Initialiser -> what was measured with it."""
    many = sample_ensemble(
        _scaled(_network(setting, "kaiming_normal")),
        setting.repetitions,
        seed=setting.seed,
        on_progress=lambda done: on_progress(0.4 * done),
    )
    measured = {}
    for place, init in enumerate(_INITS):
        e = _network(setting, init)
        run, law = propagate(e), predict(e.replace(seed=0)).log2_rms_quantiles
        measured[init] = _Measured(run, kind_of(run), many.at(_scaled(e)).log2_rms[:, -1], law)
        on_progress(0.4 + 0.2 * (place + 1))
    return measured


def _rows(setting: Setting, measured: dict[str, _Measured]) -> tuple[Number, ...]:
    rows = []
    for init, (_, _, sizes, law) in measured.items():
        alive = sizes[np.isfinite(sizes)]  # a narrow network may be born dead
        error = (alive.var(ddof=1) * np.pi / 2 / len(sizes)) ** 0.5 if len(alive) > 1 else None
        rows.append(
            Number(
                label=f"{_INITS[init]}: log10 of the rms after {setting.depth} layers, median",
                measured=float(np.median(sizes)) * _LOG10_2,
                standard_error=None if error is None else float(error) * _LOG10_2,
                exact=float(law[0.5][-1]) * _LOG10_2,
                formula=r"\text{median of }\tfrac12\textstyle\sum_l\log_{10}"
                r"\tfrac{\sigma_w^2}{n}\chi^2_{K_l}",
            )
        )
    return tuple(rows)


def _sentences(setting: Setting, measured: dict[str, _Measured]) -> tuple[Sentence, ...]:
    n, depth = setting.n, setting.depth
    sizes = measured["kaiming_normal"].log2_last
    log_growth = depth * math.log1p(5 / n)
    log_variance = log_growth + math.log(-math.expm1(-log_growth))
    low, high = 2 ** np.quantile(sizes, (0.05, 0.95), method="closest_observation")
    return (
        *(_sentence_of(init, each.run, each.kind) for init, each in measured.items()),
        Sentence(
            "Kaiming's weights hold the signal on average over networks, not in every single one: "
            f"in nine of ten of {setting.repetitions} networks the rms after {depth} layers lies "
            f"between {rounded(float(low))} and {rounded(float(high))}.",
            r"\operatorname{Var}\frac{\lVert x_L\rVert^2}{\lVert x_0\rVert^2} = "
            r"\left(1+\frac{5}{n}\right)^L - 1 = " + tex_exp(log_variance, 3),
            fold=WHY,
        ),
    )


def _sentence_of(init: str, run: Run, kind: Kind) -> Sentence:
    factor, value = _FACTORS[init], tex(run.experiment.sigma_w**2 / 2)
    equal = "" if factor == value else f" = {value}"
    formula = rf"\frac{{n\,\sigma^2}}{{2}} = {factor}{equal}\text{{ per layer for }}\mathbb E[x^2]"
    broken = run.events.first_nonfinite
    if broken is not None:
        end = f"the first element that is not finite comes at i = {broken}"
    else:
        last = rounded(float(run.stats.std[-1]))
        end = f"the std after {run.experiment.depth} layers is {last}"
    return Sentence(f"{_INITS[init]}: the signal {kind}; {end}.", formula)


def _right(measured: dict[str, _Measured]) -> str:
    """The weights with which the run holds."""
    holding = [_INITS[init] for init, each in measured.items() if each.kind == "holds"]
    return holding[0] if len(holding) == 1 else "several" if holding else "none"


def _curve(init: str, measured: _Measured) -> Curve:
    """The run and the band of nine networks in ten, which ends where the run's numbers do."""
    size = measured.run.stats.log2_rms
    low, high = (
        np.where(np.isfinite(size), measured.law[level], np.nan)
        for level in (LEVELS[0], LEVELS[-1])
    )
    return Curve(_INITS[init], size, low, high)


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    fates = "; ".join(f"{_INITS[name]}: the signal {each.kind}" for name, each in measured.items())
    return Result(
        setting,
        _rows(setting, measured),
        _sentences(setting, measured),
        _right(measured),
        {
            _INITS[init].split()[0].lower(): float(torch.from_numpy(each.run.final).std())
            for init, each in measured.items()
        },
        curves=tuple(_curve(init, each) for init, each in measured.items()),
        curve_axis="rms of x: this run, and nine networks in ten",
        brief=f"{fates}.",
    )


def _work(setting: Setting) -> float:
    networks = [_network(setting, init) for init in _INITS]
    runs = sum(cost(e).multiply_adds for e in networks)
    law = prediction_work(networks[0])  # one law serves every scale factor
    return runs + law + ensemble_work(_scaled(networks[0]), setting.repetitions)


def _snippet(setting: Setting) -> str:
    return lines(
        *head_lines(setting),
        "def last_std(weight_std):",
        "    x = normal(0, n)",
        "    for i in range(depth):",
        "        x = (normal(i + 1, n, n) * weight_std @ x).clamp_min(0.0)",
        "    return x.std()",
        "",
        "",
        "raw, xavier, kaiming = last_std(1.0), last_std((1 / n) ** 0.5), last_std((2 / n) ** 0.5)",
    )


STEP = Step(
    number=12,
    slug="whole-network",
    title="All of it together",
    question="Stack 100 layers x = ReLU(a @ x), each with a matrix of its own. Which weights carry "
    "a signal through: raw ones, Xavier's or Kaiming's?",
    guess=Guess(
        "With which weights does the signal hold for 100 layers?",
        "choice",
        options=(*_INITS.values(), "several", "none"),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, "kaiming_normal"),
    repeats="networks",
    repetitions=200,
    most_repetitions=2000,
)
