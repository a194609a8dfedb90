"""Step 16: a layer norm in front of each branch, or behind each sum."""

from __future__ import annotations

import math
from itertools import count
from typing import NamedTuple

import numpy as np

from ...host.limits import backward_cost, ensemble_work
from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.backward import Backward, backpropagate
from ...simulation.ensemble import Ensemble, sample_ensemble
from ...theory import mean_field
from ...theory.finite_width import Prediction, predict
from ...theory.mean_field import Profile
from ...theory.work import prediction_work
from ..blocks import curve, median_row, relu_network, size_sentence, within
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..snippet import head_lines
from ..step import Guess, OnProgress, Step
from ..words import lines, rounded, tex

_BEFORE, _BEHIND = "in front of the branch", "behind the sum"
_NAMES: dict[str, str] = {_BEFORE: "pre-norm", _BEHIND: "post-norm"}
_BRANCHES: dict[str, str] = {_BEFORE: "preactivation", _BEHIND: "product"}
_FACTOR = 2 / (2 - 1 / math.pi)  # of the mean square of δ at each layer, behind the sum


class _Measured(NamedTuple):
    """Networks with the norm at some place.

    Attributes:
        back: the run at the setting's seed, and its gradient.
        many: networks there and back.
        law: of the same width.
        typical: for many units.
    """

    back: Backward
    many: Ensemble
    law: Prediction
    typical: Profile

    @property
    def last(self) -> float:
        """The rms of x at the last layer, the median of the networks."""
        return float(2 ** np.median(self.many.log2_rms[:, -1]))

    @property
    def arrives(self) -> float:
        """The rms of δ at layer 0, the median of the networks."""
        assert self.many.log2_gradient_rms is not None  # it was asked for
        return float(2 ** np.median(self.many.log2_gradient_rms[:, 0]))


def _size(setting: Setting) -> Setting:
    return within(setting, 256, 50)


def _network(setting: Setting, place: str) -> Experiment:
    return relu_network(
        _size(setting),
        branch=_BRANCHES[place],
        skip="identity",
        norm="layer",
        norm_place="before" if place == _BEFORE else "after",
    )


def _measured(setting: Setting, on_progress: OnProgress) -> dict[str, _Measured]:
    """Place of the norm -> what was measured with it."""
    measured = {}
    for done, place in enumerate(_NAMES):
        e = _network(setting, place)
        many = sample_ensemble(e, setting.repetitions, seed=setting.seed, backward=True)
        law = predict(e.replace(seed=0))
        measured[place] = _Measured(backpropagate(e), many, law, mean_field.profile(e))
        on_progress((done + 1) / len(_NAMES))
    return measured


def _rows(measured: dict[str, _Measured]) -> tuple[Number, ...]:
    before, behind = measured[_BEFORE], measured[_BEHIND]
    networks = f"median of {len(before.many.log2_rms)} networks"

    def back(place: str, each: _Measured, formula: str) -> Number:
        assert each.many.log2_gradient_rms is not None  # it was asked for
        sizes, law = each.many.log2_gradient_rms[:, 0], each.law.log2_gradient_rms_quantiles
        label = f"{_NAMES[place]}: rms of δ at layer 0, {networks}"
        return median_row(label, sizes, law, 0, formula)

    return (
        median_row(
            f"{_NAMES[_BEFORE]}: rms of x at the last layer, {networks}",
            before.many.log2_rms[:, -1],
            before.law.log2_rms_quantiles,
            -1,
            r"\text{median near }\sqrt{1+L}",
        ),
        back(_BEFORE, before, r"\text{median near }\sqrt{1+L}"),
        back(_BEHIND, behind, r"\text{median near }\left(\tfrac{2}{2-1/\pi}\right)^{L/2}"),
    )


def _sentences(setting: Setting, measured: dict[str, _Measured]) -> tuple[Sentence, ...]:
    before, behind = measured[_BEFORE], measured[_BEHIND]
    each_layer = rounded(behind.arrives ** (2 / _size(setting).depth))
    return (
        Sentence(
            "Pre-norm, x + a @ ReLU(norm(x)): each branch gets a normalised x, so each adds the "
            "same, and the second moment of the stream grows by 1 at each layer. The rms ends at "
            f"{rounded(before.last)}. The gradient starts at the last layer with rms 1 and arrives "
            f"with {rounded(before.arrives)}: it grows as the root of the depth.",
            r"\mathbb E[x_k^2] = 1+k\qquad\allowbreak "
            r"\frac{\operatorname{rms}\delta_k}{\operatorname{rms}\delta_L} = "
            r"\sqrt{\frac{1+L}{1+k}}\qquad\allowbreak "
            rf"\sqrt{{1+L}} = {tex(float(2 ** before.typical.log2_rms[-1]), 3)}",
        ),
        Sentence(
            "Post-norm, norm(x + ReLU(a @ x)): the stream is brought back to 1 at each layer; its "
            f"rms ends at {rounded(behind.last)}. But the gradient arrives with "
            f"{rounded(behind.arrives)}: its mean square grows by a factor of {each_layer} at each "
            "layer.",
            rf"\frac{{2}}{{2-1/\pi}} = {tex(_FACTOR)}\text{{ per layer for }}\mathbb E[\delta^2]"
            r"\qquad\allowbreak "
            r"\left(\frac{2}{2-1/\pi}\right)^{L/2} = "
            rf"{tex(float(2 ** behind.typical.log2_gradient_rms[0]), 3)}",
        ),
        Sentence(
            "Try another depth, up to 50 layers. A power overtakes a root, but late: with many "
            f"units the gradient is larger behind the sum from {_overtakes()} layers on, and "
            "smaller before.",
            r"\left(\frac{2}{2-1/\pi}\right)^L > 1+L",
        ),
        size_sentence(setting, _size(setting)),
        *_reasons(),
    )


def _overtakes() -> int:
    """The least depth at which the gradient of many units is larger with the norm behind."""
    return next(depth for depth in count(1) if _FACTOR**depth > 1 + depth)


def _reasons() -> tuple[Sentence, ...]:
    return (
        Sentence(
            "Behind the sum: the gradient comes back along the skip and through the branch, and "
            "their mean squares add up to 2. The norm divides by the variance of the sum. The "
            "branch ends with ReLU, whose mean the norm takes off: the variance is less than 2.",
            r"\operatorname{Var}[x+\operatorname{ReLU}(a\,x)] = 1 + 1 - \tfrac1\pi",
            fold=WHY,
        ),
        Sentence(
            "In front of the branch: the norm divides by the rms of the stream, which is larger at "
            "each layer. So a late branch changes the gradient less and less, and the skip carries "
            "it back untouched.",
            r"\frac{\mathbb E[\delta_{k-1}^2]}{\mathbb E[\delta_k^2]} = 1 + \frac1k",
            fold=WHY,
        ),
        Sentence(
            "The first transformers were post-norm and needed a learning rate that starts small. "
            "GPT-2 and most that followed are pre-norm, with one more norm behind the last layer.",
            fold="Which one do transformers use?",
        ),
    )


def _curves(place: str, each: _Measured) -> tuple[Curve, Curve]:
    size, law = each.back.stats.log2_rms, each.law.log2_gradient_rms_quantiles
    return (
        Curve(f"x, {_NAMES[place]}", each.back.run.stats.log2_rms),
        curve(f"δ, {_NAMES[place]}", size, law, goes_back=True),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    arrives = {place: rounded(each.arrives) for place, each in measured.items()}
    return Result(
        setting,
        _rows(measured),
        _sentences(setting, measured),
        max(measured, key=lambda place: measured[place].arrives),
        {
            "before": float(measured[_BEFORE].back.stats.rms[0]),
            "behind": float(measured[_BEHIND].back.stats.rms[0]),
        },
        curves=tuple(each for item in measured.items() for each in _curves(*item)),
        curve_axis="rms of x and of δ: this run, and nine networks in ten",
        brief=f"Back through {_size(setting).depth} layers the gradient arrives at "
        f"{arrives[_BEFORE]} times its size with the norm {_BEFORE}, and at {arrives[_BEHIND]} "
        f"times with the norm {_BEHIND}.",
    )


def _work(setting: Setting) -> float:
    return sum(
        backward_cost(e).multiply_adds
        + prediction_work(e)
        + ensemble_work(e, setting.repetitions, backward=True)
        for e in (_network(setting, place) for place in _NAMES)
    )


def _snippet(setting: Setting) -> str:
    return lines(
        *head_lines(_size(setting)),
        "def norm(x):",
        "    return torch.nn.functional.layer_norm(x, x.shape)",
        "",
        "",
        "def gradient_rms(layer):",
        "    start = x = normal(0, n).requires_grad_()",
        "    for i in range(depth):",
        "        x = layer(normal(i + 1, n, n) * (2 / n) ** 0.5, x)",
        "    x.backward(normal(2**40, n))  # at the output; a random stream of its own",
        "    return start.grad.double().square().mean().sqrt()",
        "",
        "",
        "before = gradient_rms(lambda a, x: x + a @ norm(x).relu())",
        "behind = gradient_rms(lambda a, x: norm(x + (a @ x).relu()))",
    )


STEP = Step(
    number=16,
    slug="norm-place",
    title="Pre-norm and post-norm",
    question="A layer with a skip can have its layer norm in front of the branch (pre-norm) or "
    "behind the sum (post-norm). With which is the gradient larger after its way back through "
    "100 layers?",
    guess=Guess(
        "With the norm at which place is the gradient larger, back through 100 layers?",
        "choice",
        options=tuple(_NAMES),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _network(setting, _BEHIND),
    repeats="networks",
    repetitions=100,
    most_repetitions=1000,
    more=True,
)
