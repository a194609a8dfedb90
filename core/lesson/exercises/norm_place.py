"""Step 16: a layer norm in front of the branch, or behind the sum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ...host.limits import backward_cost
from ...question.experiment import Experiment
from ...question.streams import GRADIENT_STREAM
from ...reading.number import Number
from ...simulation.backward import Backward, backpropagate
from ...theory.finite_width import Prediction, predict
from ...theory.profile import profile
from ...theory.work import prediction_work
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..sizes import row
from ..step import Guess, OnProgress, Step
from ..words import lines, normal_draws, rounded, tex

_PLACES: dict[str, str] = {"in front": "before", "behind": "after"}
_NO_DIFFERENCE = "no difference"
_CLEAR = 1.0  # octaves by which one gradient has to change more than the other


class _Measured(NamedTuple):
    back: Backward
    law: Prediction

    @property
    def octaves(self) -> float:
        """By how much the gradient grows from the output to the input; infinite if it breaks."""
        size = self.back.stats.log2_rms
        change = float(size[0] - size[-1]) if self.back.stats.nonfinite[0] == 0 else np.inf
        return change if np.isfinite(change) else np.inf

    @property
    def rms(self) -> float:
        """The rms of the gradient at the input."""
        return float(torch.from_numpy(self.back.final).double().square().mean().sqrt())


def _network(setting: Setting, place: str) -> Experiment:
    return setting.experiment(
        init="kaiming_normal",
        activation="relu",
        weights="fresh",
        skip="identity",
        norm="layer",
        norm_place=_PLACES[place],
    )


def _rows(place: str, measured: _Measured) -> tuple[Number, Number]:
    back, law = measured.back, measured.law
    depth, broken = back.run.experiment.depth, back.events.first_nonfinite
    sizes = row(
        f"{place}: std of x at the last layer",
        float(back.run.stats.std[-1]),
        law.log2_std_quantiles,
        depth,
        r"\text{median}",
    )
    if broken is not None:
        label = f"{place}: the first layer, going back, with a gradient that is not finite"
        return sizes, Number(label=label, measured=broken)
    gradients = law.log2_gradient_rms_quantiles
    label = f"{place}: rms of δ at layer 0"
    return sizes, row(label, float(back.stats.rms[0]), gradients, 0, r"\text{median}")


def _sentences(measured: dict[str, _Measured]) -> tuple[Sentence, ...]:
    front, behind = (measured[place].back for place in _PLACES)
    theory = profile(behind.run.experiment).log2_gradient_rms
    per_layer = float(2.0 ** (2 * (theory[0] - theory[-1]) / (len(theory) - 1)))
    return (
        Sentence(
            "In front of the branch the norm gives it an input of std 1. Every layer then adds a "
            "branch of one size, and the variances add up: the std of x goes as √k, here to "
            f"{rounded(float(front.run.stats.std[-1]))}. A layer matters less and less beside such "
            "an x, so the gradient grows by a power of the depth alone, here to "
            f"{rounded(float(front.stats.rms[0]))}.",
            r"x_k = x_{k-1} + \operatorname{ReLU}(a_k \operatorname{LN}(x_{k-1}))",
        ),
        Sentence(
            "Behind the sum the norm keeps the std of x at "
            f"{rounded(float(behind.run.stats.std[-1]))}, so that every layer matters as much as "
            "the first. But the gradient is multiplied by the same number in each: the mean square "
            f"by {tex(per_layer)} in a wide network, taken over all layers. Here it ends at "
            f"{rounded(float(behind.stats.rms[0]))}.",
            r"x_k = \operatorname{LN}(x_{k-1} + \operatorname{ReLU}(a_k x_{k-1}))",
        ),
        Sentence(
            "ReLU gives the sum a mean, and the norm takes it off. What is left has a variance of "
            "2 − 1/π, while a gradient goes back through the sum with a factor of 2.",
            r"\frac{\mathbb E[\delta_{k-1}^2]}{\mathbb E[\delta_k^2]} \to "
            r"\frac{2}{2 - 1/\pi} \approx 1.189",
            fold=WHY,
        ),
        Sentence(
            "The first Transformer had its norms behind the sums, and its training had to begin "
            "with tiny steps. GPT-2 and most later ones have them in front (Xiong et al. 2020).",
            fold="Which do Transformers use?",
        ),
    )


def _right(measured: dict[str, _Measured]) -> str:
    """The place with which the gradient changes less."""
    front, behind = (abs(measured[place].octaves) for place in _PLACES)
    if front == behind or abs(front - behind) <= _CLEAR:
        return _NO_DIFFERENCE
    return "in front" if front < behind else "behind"


def _curves(place: str, measured: _Measured) -> tuple[Curve, Curve]:
    back = measured.back
    size = np.where(np.isfinite(back.stats.log2_rms), back.stats.log2_rms, np.nan)
    return (
        Curve(f"x, {place}", back.run.stats.log2_std),
        Curve(f"δ, {place}", size, goes_back=True),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = {}
    for count, place in enumerate(_PLACES):
        e = _network(setting, place)
        measured[place] = _Measured(backpropagate(e), predict(e.replace(seed=0)))
        on_progress((count + 1) / len(_PLACES))
    right = _right(measured)
    front, behind = (rounded(float(measured[place].back.stats.rms[0])) for place in _PLACES)
    return Result(
        setting,
        tuple(number for place, each in measured.items() for number in _rows(place, each)),
        _sentences(measured),
        right,
        {"before": measured["in front"].rms, "after": measured["behind"].rms},
        curves=tuple(curve for place, each in measured.items() for curve in _curves(place, each)),
        curve_axis="std of x and rms of δ",
        brief=f"The gradient at the input has an rms of {front} with the norm in front, "
        f"of {behind} with the norm behind.",
    )


def _work(setting: Setting) -> float:
    networks = [_network(setting, place) for place in _PLACES]
    return sum(backward_cost(e).multiply_adds + prediction_work(e) for e in networks)


_BOTH_WAYS = (
    "x, kept = normal(0, n), []",
    "for i in range(depth):",
    "    u, inverse = norm(x)",
    "    h = matrix(i) @ u",
    "    kept.append((u, inverse, h))",
    "    x = x + h.clamp_min(0.0)",
    f"g = normal({GRADIENT_STREAM}, n)  # at the output; a random stream of its own",
    "for i, (u, inverse, h) in reversed(list(enumerate(kept))):",
    "    g = g + norm_back(matrix(i).T @ g.masked_fill(h <= 0, 0.0), u, inverse)",
    "before = rms(g)",
    "",
    "x, kept = normal(0, n), []",
    "for i in range(depth):",
    "    h = matrix(i) @ x",
    "    x, inverse = norm(x + h.clamp_min(0.0))",
    "    kept.append((x, inverse, h))",
    f"g = normal({GRADIENT_STREAM}, n)",
    "for i, (u, inverse, h) in reversed(list(enumerate(kept))):",
    "    g = norm_back(g, u, inverse)",
    "    g = g + matrix(i).T @ g.masked_fill(h <= 0, 0.0)",
    "after = rms(g)",
)


def _snippet(setting: Setting) -> str:
    return lines(
        *normal_draws(setting.experiment()),
        "def matrix(i):",
        "    return normal(i + 1, n, n) * (2 / n) ** 0.5",
        "",
        "",
        "def norm(x):",
        "    x = x - x.mean(0, keepdim=True)",
        "    inverse = (x.square().mean(0, keepdim=True) + 1e-5).rsqrt()",
        "    return x * inverse, inverse",
        "",
        "",
        "def norm_back(g, u, inverse):",
        "    along = u * (u * g).mean(0, keepdim=True)",
        "    return (g - g.mean(0, keepdim=True) - along) * inverse",
        "",
        "",
        "def rms(g):",
        "    return g.double().square().mean().sqrt()",
        "",
        "",
        *_BOTH_WAYS,
    )


STEP = Step(
    number=16,
    slug="norm-place",
    title="Pre-norm and post-norm",
    question="Each of 100 layers adds a branch ReLU(a @ x) to x. A layer norm stands in front of "
    "the branch, or behind the sum. Where does the gradient keep its size better?",
    guess=Guess(
        "With the norm in which place does the gradient change less?",
        "choice",
        options=(*_PLACES, _NO_DIFFERENCE),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, "in front"),
)
