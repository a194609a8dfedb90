"""Step 13: the gradient through the same layers, from the last one back to the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from ...host.limits import backward_cost
from ...maths.arrays import Array
from ...question.experiment import Experiment
from ...question.streams import GRADIENT_STREAM
from ...reading.diagnosis import Kind
from ...reading.gradient import gradient_verdict
from ...reading.number import Number
from ...simulation.backward import Backward, backpropagate
from ...theory.finite_width import LEVELS, predict
from ...theory.work import prediction_work
from ..quantiles import factor_of_spread
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..snippet import head_lines
from ..step import Guess, OnProgress, Step
from ..words import lines, rounded, tex

_STDS: dict[str, str] = {"xavier_normal": "1/√n", "kaiming_normal": "√(2/n)", "normal": "1"}
_FACTORS: dict[str, str] = {"xavier_normal": "1/2", "kaiming_normal": "1", "normal": "n/2"}
_OUTPUTS: dict[str, str] = {"xavier_normal": "xavier", "kaiming_normal": "kaiming", "normal": "raw"}


class _Measured(NamedTuple):
    """A run there and back with weights of some std.

    Attributes:
        back: at the setting's seed.
        kind: the word for the gradient.
        law: level -> log2 of that quantile of the rms of δ at layers 0 … depth.
    """

    back: Backward
    kind: Kind
    law: Mapping[float, Array]


def _network(setting: Setting, init: str) -> Experiment:
    return setting.experiment(init=init, activation="relu", weights="fresh")


def _measured(setting: Setting, on_progress: OnProgress) -> dict[str, _Measured]:
    """Initialiser -> what was measured with it."""
    measured = {}
    for place, init in enumerate(_STDS):
        e = _network(setting, init)
        back = backpropagate(e)
        law = predict(e.replace(seed=0)).log2_gradient_rms_quantiles
        measured[init] = _Measured(back, gradient_verdict(back).kind, law)
        on_progress((place + 1) / len(_STDS))
    return measured


def _row(init: str, measured: _Measured) -> Number:
    """The size of the gradient at the input; the layer at which it breaks, if it does."""
    back, law = measured.back, measured.law
    name, broken = f"std {_STDS[init]}", back.events.first_nonfinite
    if broken is not None:
        label = f"{name}: the first layer, going back, with a gradient that is not finite"
        return Number(label=label, measured=broken)
    low, middle, high = (float(law[level][0]) for level in (LEVELS[0], 0.5, LEVELS[-1]))
    known = bool(np.isfinite(low)) and back.stats.rms[0] > 0  # a narrow network may be born dead
    return Number(
        label=f"{name}: rms of δ at layer 0",
        measured=float(back.stats.rms[0]),
        standard_error=factor_of_spread(low, high) if known else None,
        exact=2**middle if known else None,
        formula=r"\text{median of }\tfrac{\chi_n}{\sqrt n}\textstyle\prod_l"
        r"\sqrt{\tfrac{\sigma_w^2}{n}\chi^2_{K_l}}",
        factor=True,
        single=True,
    )


def _sentence_of(init: str, measured: _Measured) -> Sentence:
    back = measured.back
    e, broken = back.run.experiment, back.events.first_nonfinite
    factor, value = _FACTORS[init], tex(e.sigma_w**2 / 2)
    equal = "" if factor == value else f" = {value}"
    formula = (
        rf"\frac{{n\,\sigma^2}}{{2}} = {factor}{equal}\text{{ per layer for }}\mathbb E[\delta^2]"
    )
    if broken is not None:
        end = f"going back, the first element that is not finite comes at layer {broken}"
    else:
        end = f"its rms at the input is {rounded(float(back.stats.rms[0]))}"
    return Sentence(f"Weights of std {_STDS[init]}: the gradient {measured.kind}; {end}.", formula)


def _sentences(measured: dict[str, _Measured]) -> tuple[Sentence, ...]:
    return (
        Sentence(
            "δ at layer k is the gradient of the loss with respect to x at layer k. It starts at "
            "the last layer, here with N(0, 1) numbers, and goes back through ReLU and the "
            "transposed matrix of every layer. In the figure x starts on the left, δ on the right.",
            r"\delta_{k-1} = a_k^\top\,\big(\operatorname{ReLU}'(a_k x_{k-1}) \circ \delta_k\big)",
        ),
        *(_sentence_of(init, each) for init, each in measured.items()),
        Sentence(
            "Forward, an element of a @ x adds up a row of a; back, an element of aᵀδ adds up a "
            "column. In a square layer both have n weights, fan-in = fan-out. ReLU halves E[x²], "
            "and going back it sets half of the δ to 0. So x and δ have the same factor, and one "
            "σ holds both.",
            r"\frac{\mathbb E[x_k^2]}{\mathbb E[x_{k-1}^2]} = \frac{n_\text{in}\,\sigma^2}{2}"
            r"\qquad\allowbreak "
            r"\frac{\mathbb E[\delta_{k-1}^2]}{\mathbb E[\delta_k^2]} = "
            r"\frac{n_\text{out}\,\sigma^2}{2}",
            fold=WHY,
        ),
        Sentence(
            "Not every activation halves both. With tanh at its critical gain the signal holds and "
            "the gradient grows: tanh makes x smaller by more than its slope makes δ smaller.",
            r"\mathbb E[\varphi(h)^2] < \mathbb E[h^2]\;\mathbb E[\varphi'(h)^2]",
            fold=WHY,
        ),
        Sentence(
            "In a layer with another number of outputs than inputs no σ holds both ways. x asks "
            "for one over the number of inputs as the variance of a weight, δ for one over the "
            "number of outputs; with ReLU each is doubled. Glorot and Bengio divide by the mean of "
            "the two numbers, so that neither way is far off.",
            r"\sigma^2 = \frac{1}{\tfrac12(n_\text{in}+n_\text{out})} = "
            r"\frac{2}{n_\text{in}+n_\text{out}}",
            fold="What does Glorot’s rule average?",
        ),
    )


def _right(measured: dict[str, _Measured]) -> str:
    """The std with which the gradient holds."""
    holding = [_STDS[init] for init, each in measured.items() if each.kind == "holds"]
    return holding[0] if len(holding) == 1 else "several" if holding else "none"


def _curves(init: str, measured: _Measured) -> tuple[Curve, Curve]:
    """The signal; its gradient, and the band of nine networks in ten as far as it is finite."""
    back, name = measured.back, _STDS[init]
    size = back.stats.log2_rms
    low, high = (
        np.where(np.isfinite(size), measured.law[level], np.nan)
        for level in (LEVELS[0], LEVELS[-1])
    )
    return (
        Curve(f"x, std {name}", back.run.stats.log2_rms),
        Curve(f"δ, std {name}", size, low, high, goes_back=True),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    fates = "; ".join(
        f"std {_STDS[init]}: the gradient {each.kind}" for init, each in measured.items()
    )
    return Result(
        setting,
        tuple(_row(init, each) for init, each in measured.items()),
        _sentences(measured),
        _right(measured),
        {
            _OUTPUTS[init]: float(torch.from_numpy(each.back.final).double().square().mean().sqrt())
            for init, each in measured.items()
        },
        curves=tuple(curve for init, each in measured.items() for curve in _curves(init, each)),
        curve_axis="rms of x and of δ: this run, and nine networks in ten",
        brief=f"{fates[0].upper()}{fates[1:]}.",
    )


def _work(setting: Setting) -> float:
    networks = [_network(setting, init) for init in _STDS]
    return sum(backward_cost(e).multiply_adds + prediction_work(e) for e in networks)


def _snippet(setting: Setting) -> str:
    return lines(
        *head_lines(setting),
        "def gradient_rms(weight_std):",
        "    x, before_relu = normal(0, n), []",
        "    for i in range(depth):",
        "        h = normal(i + 1, n, n) * weight_std @ x",
        "        before_relu.append(h)",
        "        x = h.clamp_min(0.0)",
        f"    delta = normal({GRADIENT_STREAM}, n)  # at the output; a random stream of its own",
        "    for i in reversed(range(depth)):",
        "        a = normal(i + 1, n, n) * weight_std  # the same matrix once more",
        "        delta = a.T @ delta.masked_fill(before_relu[i] <= 0, 0.0)",
        "    return delta.double().square().mean().sqrt()",
        "",
        "",
        "xavier, kaiming, raw = map(gradient_rms, [(1 / n) ** 0.5, (2 / n) ** 0.5, 1.0])",
    )


STEP = Step(
    number=13,
    slug="way-back",
    title="The way back",
    question="A network learns from gradients. Pass one back through 100 layers x = ReLU(a @ x), "
    "from the last to the first. With which std of the weights does it arrive as large as it left?",
    guess=Guess(
        "With which std does the gradient hold for 100 layers?",
        "choice",
        options=(*_STDS.values(), "several", "none"),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, "kaiming_normal"),
)
