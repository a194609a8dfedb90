"""Step 15: behind a batch norm the signal looks right at every scale, and the gradient grows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...host.limits import backward_cost
from ...maths.arrays import Array
from ...question.experiment import SCALE_STOPS, Experiment
from ...reading.number import Number
from ...simulation.backward import Backward, backpropagate
from ...theory import mean_field
from ...theory.mean_field import Profile
from ..blocks import relu_network, size_sentence, within
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..snippet import head_lines
from ..step import Guess, OnProgress, Step
from ..words import lines, rounded, tex

_INPUTS = 64
_SCALES = ("1/√n", "√(2/n)", "1")
_SHRINKS, _HOLDS, _GROWS = "it shrinks", "it holds", "it grows"
_AT_LEAST = 1.1  # a factor per layer of the mean square that counts as growth


class _Measured(NamedTuple):
    """Runs with batch norm, there and back, and the growth of their gradient.

    Attributes:
        scales: name of a scale factor -> the run there and back, at the setting's seed.
        steps: log2 of the factor by which the gradient's rms grows at each layer on its way back
            to layer 1, in each of some networks, shape (networks, depth − 1).
        typical: for many units.
    """

    scales: dict[str, Backward]
    steps: Array
    typical: Profile

    @property
    def factor(self) -> float:
        """By how much the mean square of the gradient grows per layer."""
        return float(4 ** self.steps.mean())


def _size(setting: Setting) -> Setting:
    return within(setting, 128, 50)


def _network(setting: Setting, scale: str) -> Experiment:
    size = _size(setting)
    return relu_network(
        size,
        init="normal",
        scale=SCALE_STOPS[scale](size.n, size.depth),
        norm="batch",
        norm_place="inside",
        batch_size=_INPUTS,
        number_format="float64",  # rounding grows as the gradient does
    )


def _networks(setting: Setting) -> list[Experiment]:
    """All that are run: one with each scale factor, and the other networks with the second."""
    others = _network(setting, _SCALES[1])
    seeds = [(setting.seed + place) % 2**63 for place in range(1, setting.repetitions)]
    return [
        *(_network(setting, scale) for scale in _SCALES),
        *(others.replace(seed=seed) for seed in seeds),
    ]


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    found, networks = [], _networks(setting)
    for e in networks:
        found.append(backpropagate(e))
        on_progress(len(found) / len(networks))
    scales = dict(zip(_SCALES, found, strict=False))
    different = [scales[_SCALES[1]], *found[len(_SCALES) :]]
    steps = np.array([_steps(back.stats.log2_rms) for back in different])
    return _Measured(scales, steps, mean_field.profile(networks[1]))


def _steps(log2_rms: Array) -> Array:
    """The growth from layer to layer back to layer 1; the input is no output of a ReLU."""
    return -np.diff(log2_rms[1:])


def _rows(measured: _Measured) -> tuple[Number, ...]:
    exact = float(2 ** measured.typical.log2_rms[-1])
    return (*(_forward(*each, exact) for each in measured.scales.items()), _back(measured))


def _forward(scale: str, back: Backward, exact: float) -> Number:
    """The rms of x at the last layer, whose units are independent, beside that for many units."""
    squares = np.square(back.run.final.astype(np.float64)).mean(1)
    rms = float(back.run.stats.rms[-1])
    return Number(
        label=f"scale factor {scale}: rms of x at the last layer",
        measured=rms,
        standard_error=float(squares.std(ddof=1)) / len(squares) ** 0.5 / (2 * rms),
        exact=exact,
        formula=r"1/\sqrt2",
        single=True,
    )


def _back(measured: _Measured) -> Number:
    """The growth of the gradient; its steps scatter about theory's, from layer to layer."""
    theory = _steps(measured.typical.log2_gradient_rms)
    off = measured.steps - theory
    return Number(
        label=f"factor of the mean square of δ per layer, {len(off)} networks",
        measured=measured.factor,
        standard_error=float(4 ** (off.std(ddof=1) / off.size**0.5)),
        exact=float(4 ** theory.mean()),
        formula=r"\left(\mathbb E\delta_1^2/\mathbb E\delta_L^2\right)^{1/(L-1)}",
        factor=True,
    )


def _right(measured: _Measured) -> str:
    factor = measured.factor
    return _GROWS if factor > _AT_LEAST else _SHRINKS if factor < 1 / _AT_LEAST else _HOLDS


def _sentences(setting: Setting, measured: _Measured) -> tuple[Sentence, ...]:
    sizes = [rounded(float(back.run.stats.rms[-1])) for back in measured.scales.values()]
    arrives = [rounded(float(back.stats.rms[1])) for back in measured.scales.values()]
    limit = math.pi / (math.pi - 1)
    return (
        Sentence(
            f"Forward nothing is wrong: with the scale factors {_SCALES[0]}, {_SCALES[1]} and "
            f"{_SCALES[2]} the rms of x ends at {sizes[0]}, {sizes[1]} and {sizes[2]}. The norm "
            "divides by the std, whatever it is, and the scale factor is gone. It leaves "
            "a second moment of 1, and ReLU half of it.",
            r"x_k = \operatorname{ReLU}\!\left(\operatorname{norm}(a_k x_{k-1})\right)"
            r"\qquad\allowbreak "
            r"\operatorname{norm}(s\,a\,x) = \operatorname{norm}(a\,x)",
        ),
        Sentence(
            f"Going back, the mean square of the gradient grows by {rounded(measured.factor)} at "
            f"each layer: δ leaves the last layer with rms 1; at layer 1 it has {arrives[0]}, "
            f"{arrives[1]} and {arrives[2]}. No scale factor helps, for the gradient does not see "
            "it either. They differ a little because the norm adds ε = 1e−5 to the variance, which "
            "weighs more beside small weights.",
            rf"\frac{{\pi}}{{\pi-1}} = {tex(limit)}\text{{ per layer for many inputs}}"
            rf"\qquad\allowbreak {tex(_settled(measured), 4)}"
            rf"\text{{ for }}{_INPUTS}\text{{ and many units}}",
        ),
        size_sentence(setting, _size(setting)),
        Sentence(
            "ReLU passes half of the mean square of δ. The norm then divides it by the variance "
            "over the inputs, and that is less than the second moment: ReLU gives every unit a "
            "mean, which the norm takes off. What is left is too small to hold the gradient.",
            r"\frac{\tfrac12}{\tfrac12\left(1-\tfrac1\pi\right)} = \frac{\pi}{\pi-1}",
            fold=WHY,
        ),
        Sentence(
            "In a deep network without skips the first layers get a gradient that is far larger "
            "than that of the last ones, and a look at the activations shows nothing. A skip "
            "beside each branch is what lets deep networks with batch norm train.",
            fold="What does one do about it?",
        ),
    )


def _settled(measured: _Measured) -> float:
    """Theory's factor at the layer next to the first, farthest from the last one."""
    return float(4 ** _steps(measured.typical.log2_gradient_rms)[0])


def _curves(measured: _Measured) -> tuple[Curve, ...]:
    """Signal and gradient at the smallest and at the largest scale factor, which coincide."""
    found = []
    for scale in (_SCALES[0], _SCALES[-1]):
        back = measured.scales[scale]
        found += [
            Curve(f"x, scale {scale}", back.run.stats.log2_rms),
            Curve(f"δ, scale {scale}", back.stats.log2_rms, goes_back=True),
        ]
    return tuple(found)


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    first = measured.scales[_SCALES[0]]
    return Result(
        setting,
        _rows(measured),
        _sentences(setting, measured),
        _right(measured),
        {"x_rms": float(first.run.stats.rms[-1]), "delta_rms": float(first.stats.rms[0])},
        curves=_curves(measured),
        curve_axis="rms of x and of δ",
        brief="At every scale factor x keeps its rms, while the mean square of δ changes by a "
        f"factor of {rounded(measured.factor)} per layer.",
    )


def _snippet(setting: Setting) -> str:
    return lines(
        *head_lines(_size(setting)),
        f"inputs, scale = {_INPUTS}, (1 / n) ** 0.5  # any other scale does the same",
        "start = x = normal(0, n, inputs).double().requires_grad_()",
        "for i in range(depth):",
        "    x = normal(i + 1, n, n).double() * scale @ x",
        "    x = torch.nn.functional.batch_norm(x.T, None, None, training=True).T.relu()",
        "x.backward(normal(2**40, n, inputs).double())  # a random stream of its own",
        "x_rms = x.detach().square().mean().sqrt()",
        "delta_rms = start.grad.square().mean().sqrt()",
    )


STEP = Step(
    number=15,
    slug="batch-norm",
    title="What BatchNorm hides",
    question="Put a batch norm between the product and ReLU. Then x has the same rms at each "
    "layer, with small weights and with large ones. What becomes of the gradient on its way back?",
    guess=Guess(
        "What becomes of the gradient on its way from the last layer to the first?",
        "choice",
        options=(_SHRINKS, _HOLDS, _GROWS),
    ),
    compute=_result,
    work=lambda setting: sum(backward_cost(e).multiply_adds for e in _networks(setting)),
    snippet=_snippet,
    explore=lambda setting: _network(setting, _SCALES[1]),
    repeats="networks",
    repetitions=3,
    most_repetitions=40,
    more=True,
)
