"""Step 12: a hundred layers with ReLU, and three ways to draw their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch

from ...maths.arrays import Array
from ...question.experiment import Experiment
from ...reading.diagnosis import Kind, kind_of
from ...reading.number import Number
from ...simulation.ensemble import sample_ensemble
from ...simulation.propagate import Run, propagate
from ...simulation.script import stream_seed_lines
from ...theory.finite_width import LEVELS, predict
from ..step import Curve, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lines, said, tex

INITS: dict[str, str] = {
    "normal": "raw N(0, 1)",
    "xavier_normal": "Xavier",
    "kaiming_normal": "Kaiming",
}
"""Initialiser -> what it is called here."""

_LOG10_2 = math.log10(2)
_KEPT: dict[str, str] = {"normal": "n/2", "xavier_normal": "1/2", "kaiming_normal": "1"}


def _network(setting: Setting, init: str) -> Experiment:
    return setting.experiment(init=init, activation="relu", weights="fresh")


def _scaled(e: Experiment) -> Experiment:
    """The same weights as raw ones with a scale factor."""
    return e.replace(init="normal", scale=e.weight_std)


def _whole(setting: Setting, on_progress: OnProgress) -> Result:
    experiments = {init: _network(setting, init) for init in INITS}
    reference = _scaled(experiments["kaiming_normal"])
    many = sample_ensemble(
        reference,
        setting.repetitions,
        seed=setting.seed,
        on_progress=lambda done: on_progress(0.4 * done),
    )
    numbers, curves, runs = [], [], {}
    for place, (init, e) in enumerate(experiments.items()):
        runs[init] = propagate(e)
        law = predict(e.replace(seed=0)).log2_rms_quantiles
        sizes = many.at(_scaled(e)).log2_rms[:, -1]
        alive = sizes[np.isfinite(sizes)]  # a narrow network may be born dead
        error = (alive.var(ddof=1) * np.pi / 2 / len(sizes)) ** 0.5 if len(alive) > 1 else None
        numbers.append(
            Number(
                label=f"{INITS[init]}: log10 of the rms after {setting.depth} layers, median",
                measured=float(np.median(sizes)) * _LOG10_2,
                standard_error=None if error is None else float(error) * _LOG10_2,
                exact=float(law[0.5][-1]) * _LOG10_2,
                formula=r"\text{median of }\tfrac12\textstyle\sum_l\log_{10}"
                r"\tfrac{\sigma_w^2}{n}\chi^2_{K_l}",
            )
        )
        curves.append(_curve(runs[init], law))
        on_progress(0.4 + 0.2 * (place + 1))
    outputs: dict[str, float | str] = {
        name: float(torch.from_numpy(runs[init].final).std())
        for init, name in zip(INITS, ("raw", "xavier", "kaiming"), strict=True)
    }
    kinds = {init: kind_of(run) for init, run in runs.items()}
    holding = [INITS[init] for init, kind in kinds.items() if kind == "holds"]
    right = holding[0] if len(holding) == 1 else "several" if holding else "none"
    answer = tuple(_told(setting, init, runs[init], kinds[init]) for init in INITS)
    ends = (0.05, 0.95)
    low, high = 2 ** np.quantile(many.log2_rms[:, -1], ends, method="closest_observation")
    closing = Sentence(
        "It holds on average over networks, not in every single one: over "
        f"{setting.repetitions} networks with Kaiming's weights the rms after {setting.depth} "
        f"layers runs from {said(float(low))} to "
        f"{said(float(high))} in nine of ten.",
        r"\operatorname{Var}\frac{\lVert x_L\rVert^2}{\lVert x_0\rVert^2} = "
        r"\left(1+\frac{5}{n}\right)^L - 1 = " + tex((1 + 5 / setting.n) ** setting.depth - 1, 3),
    )
    curve_axis = "rms of x: this run, and nine networks in ten"
    return Result(
        setting,
        tuple(numbers),
        (*answer, closing),
        right,
        outputs,
        curves=tuple(curves),
        curve_axis=curve_axis,
    )


def _curve(run: Run, law: Mapping[float, Array]) -> Curve:
    """The run on top of the band of nine in ten, which ends where the run's numbers do."""
    size = run.stats.log2_rms
    low, high = (
        np.where(np.isfinite(size), law[level], np.nan) for level in (LEVELS[0], LEVELS[-1])
    )
    return Curve(INITS[run.experiment.init], size, low, high)


def _told(setting: Setting, init: str, run: Run, kind: Kind) -> Sentence:
    factor, kept = run.experiment.sigma_w**2 / 2, _KEPT[init]
    equal = "" if kept == tex(factor) else f" = {tex(factor)}"
    formula = rf"\frac{{n\,\sigma^2}}{{2}} = {kept}{equal}\text{{ per layer for }}\mathbb E[x^2]"
    end = f"the std after {setting.depth} layers is {said(float(run.stats.std[-1]))}"
    if run.events.first_nonfinite is not None:
        end = f"the first element that is not finite comes at i = {run.events.first_nonfinite}"
    return Sentence(f"{INITS[init]}: the signal {kind}; {end}.", formula)


def _code(setting: Setting) -> str:
    return lines(
        "import torch",
        "",
        f"n, depth, seed = {setting.n}, {setting.depth}, {setting.seed}",
        "torch.set_num_threads(1)",
        "",
        "",
        *stream_seed_lines(),
        "",
        "",
        "def normal(layer, *shape):",
        "    stream = torch.Generator().manual_seed(stream_seed(seed, layer))",
        "    return torch.randn(*shape, generator=stream)",
        "",
        "",
        "def last_std(weight_std):",
        "    x = normal(0, n)",
        "    for i in range(depth):",
        "        x = (normal(i + 1, n, n) * weight_std @ x).clamp_min(0.0)",
        "    return x.std()",
        "",
        "",
        "raw, xavier, kaiming = last_std(1.0), last_std((1 / n) ** 0.5), last_std((2 / n) ** 0.5)",
    )


STEPS = (
    Step(
        number=12,
        slug="whole-network",
        title="All of it together",
        question="Stack layers x = ReLU(a @ x), each with a matrix of its own. Which weights carry "
        "a signal through: raw ones, Xavier's or Kaiming's?",
        guess=Guess(
            "Which weights hold the signal?",
            "choice",
            options=(*INITS.values(), "several", "none"),
        ),
        compute=_whole,
        snippet=_code,
        explore=lambda setting: _network(setting, "kaiming_normal"),
        repeats="networks",
        repetitions=200,
        most_repetitions=2000,
    ),
)
