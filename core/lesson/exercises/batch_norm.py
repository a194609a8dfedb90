"""Step 15: batch norm makes the signal look alike at every scale; the gradient shows the rest."""

from __future__ import annotations

import numpy as np
import torch

from ...host.limits import backward_cost, cost
from ...question.experiment import Experiment
from ...question.streams import GRADIENT_STREAM
from ...reading.number import Number
from ...simulation.backward import Backward, backpropagate
from ...simulation.propagate import Run, propagate
from ...theory.profile import profile
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lines, normal_draws, rounded, tex

_INPUTS, _LARGER = 64, 10.0
_SAME, _TIMES, _MORE = "about the same", "10 times as large", "far larger"
_ALIKE = 1.5  # the ratio up to which two stds are about the same


def _network(setting: Setting, scale: float) -> Experiment:
    return setting.experiment(
        init="kaiming_normal",
        scale=scale,
        activation="relu",
        weights="fresh",
        batch_size=_INPUTS,
        norm="batch",
        norm_place="inside",
    )


def _std(run: Run) -> float:
    return float(torch.from_numpy(run.final).double().std())


def _rms(back: Backward) -> float:
    return float(torch.from_numpy(back.final).double().square().mean().sqrt())


def _gradient_row(back: Backward) -> Number:
    broken = back.events.first_nonfinite
    if broken is not None:
        label = "the first layer, going back, with a gradient that is not finite"
        return Number(label=label, measured=broken)
    return Number(label="scale 1: rms of δ at layer 0", measured=float(back.stats.rms[0]))


def _sentences(back: Backward, larger: Run) -> tuple[Sentence, ...]:
    run, depth = back.run, back.run.experiment.depth
    theory = profile(run.experiment).log2_gradient_rms
    per_layer = float(2.0 ** (2 * (theory[0] - theory[-1]) / depth))
    end = f"its rms at the input is {rounded(float(back.stats.rms[0]))}"
    if back.events.first_nonfinite is not None:
        end = f"at layer {back.events.first_nonfinite} it is not finite any more"
    one, other = (rounded(float(each.stats.std[-1])) for each in (run, larger))
    return (
        Sentence(
            f"At scale 1 the std of x ends at {one}, with weights ten times as large at {other}. "
            "The norm divides each unit by its own std over the inputs, so a factor on the "
            "weights is gone before ReLU sees it.",
            r"\operatorname{BN}(s\,a x) = \operatorname{BN}(a x)",
        ),
        Sentence(
            f"The gradient starts at the last layer with an rms of 1; {end}. In a wide network "
            f"each layer multiplies its mean square by {tex(per_layer)}, taken over all layers.",
            r"\frac{\mathbb E[\delta_{k-1}^2]}{\mathbb E[\delta_k^2]} \to "
            r"\frac{\pi}{\pi - 1} \approx 1.467\text{ for many inputs}",
        ),
        Sentence(
            "Through ReLU a signal becomes more alike from input to input, for all outputs are "
            "positive. The norm takes off what the inputs share, and enlarges what is left. So it "
            "enlarges the gradient in every layer, whatever the weights.",
            fold=WHY,
        ),
        Sentence(
            "A skip beside the norm bounds it: then a layer multiplies the gradient by hardly more "
            "than 1. This is why deep networks with batch norm have skips.",
            fold="What helps?",
        ),
    )


def _right(one: float, ten: float) -> str:
    ratio = ten / one if one > 0 else 1.0
    if 1 / _ALIKE <= ratio <= _ALIKE:
        return _SAME
    return _TIMES if ratio <= 2 * _LARGER else _MORE


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    larger = propagate(_network(setting, _LARGER))
    on_progress(0.3)
    back = backpropagate(_network(setting, 1.0))
    on_progress(1.0)
    one, ten = _std(back.run), _std(larger)
    right = _right(one, ten)
    size = np.where(np.isfinite(back.stats.log2_rms), back.stats.log2_rms, np.nan)
    return Result(
        setting,
        (
            Number(label="scale 1: std of x at the last layer", measured=one),
            Number(label="scale 10: std of x at the last layer", measured=ten),
            _gradient_row(back),
        ),
        _sentences(back, larger),
        right,
        {"one": one, "ten": ten, "gradient": _rms(back)},
        curves=(
            Curve("x, scale 1", back.run.stats.log2_rms),
            Curve("δ, scale 1", size, goes_back=True),
            Curve("x, scale 10", larger.stats.log2_rms),
        ),
        curve_axis="rms of x and of δ",
        brief=f"With weights ten times as large the std of x ends {right}: from "
        f"{rounded(one)} to {rounded(ten)}.",
    )


def _work(setting: Setting) -> float:
    one, other = (_network(setting, scale) for scale in (1.0, _LARGER))
    return backward_cost(one).multiply_adds + cost(other).multiply_adds


def _snippet(setting: Setting) -> str:
    return lines(
        *normal_draws(setting.experiment()),
        "def matrix(i, scale):",
        "    return normal(i + 1, n, n) * (2 / n) ** 0.5 * scale",
        "",
        "",
        "def there_and_back(scale):",
        f"    x, kept = normal(0, n, {_INPUTS}), []",
        "    for i in range(depth):",
        "        h = (x.T @ matrix(i, scale).T).T",
        "        h = h - h.mean(1, keepdim=True)  # over the inputs, for each unit",
        "        inverse = (h.square().mean(1, keepdim=True) + 1e-5).rsqrt()",
        "        h = h * inverse",
        "        kept.append((h, inverse))",
        "        x = h.clamp_min(0.0).contiguous()",
        f"    g = normal({GRADIENT_STREAM}, n, {_INPUTS})  # at the output; a stream of its own",
        "    for i, (h, inverse) in reversed(list(enumerate(kept))):",
        "        g = g.masked_fill(h <= 0, 0.0)",
        "        along = h * (h * g).mean(1, keepdim=True)",
        "        g = (g - g.mean(1, keepdim=True) - along) * inverse",
        "        g = (g.T @ matrix(i, scale)).T",
        "    return x.double().std(), g.double().square().mean().sqrt()",
        "",
        "",
        "one, gradient = there_and_back(1.0)",
        "ten, _ = there_and_back(10.0)",
    )


STEP = Step(
    number=15,
    slug="batch-norm",
    title="What batch norm hides",
    question="64 inputs go through 100 layers x = ReLU(norm(a @ x)); the norm gives each unit mean "
    "0 and std 1 over the inputs. What if all weights are ten times as large?",
    guess=Guess(
        "The std of x at the last layer is then …?",
        "choice",
        options=(_SAME, _TIMES, _MORE),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, 1.0),
)
