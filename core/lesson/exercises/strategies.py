"""Step 5: four ways to choose weights that neither blow a signal up nor put it out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...layer.initializers import INITIALIZERS
from ...layer.lsuv import TOLERANCE
from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.propagate import Run, propagate
from ...text import products
from ...theory.finite_width import predict
from ..quantiles import spread_factor
from ..step import Curve, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lesson_draws, lines, said, tex

STRATEGIES: dict[str, str] = {
    "xavier_normal": "scaling",
    "orthogonal": "orthogonal",
    "spectral": "spectral normalisation",
    "lsuv": "LSUV",
}
"""Initialiser -> what the strategy is called."""

_FEW_LAYERS = 10
_WIDE = 128  # the limit of infinite width is not exact below
_DIVISORS: dict[str, Callable[[int], float]] = {
    "the width n": lambda n: float(n),
    "√n": lambda n: float(n**0.5),
    "n²": lambda n: float(n**2),
    "its largest singular value, about 2√n": lambda n: 2 * n**0.5,
}


def _divides_by(n: int) -> str:
    """Which of the options it is that Xavier's rule divides N(0, 1) by in a square layer."""
    divisor = 1 / INITIALIZERS["xavier_normal"].weight_std(n, n, Experiment().phi)
    return min(_DIVISORS, key=lambda name: abs(_DIVISORS[name](n) / divisor - 1))


def _with_relu(setting: Setting) -> tuple[Number, Number]:
    """Orthogonal and LSUV weights with ReLU, a new matrix for each of a few layers."""
    relu = setting.experiment(
        activation="relu", weights="fresh", depth=min(setting.depth, _FEW_LAYERS)
    )
    orthogonal, lsuv = (propagate(relu.replace(init=name)) for name in ("orthogonal", "lsuv"))
    law = predict(orthogonal.experiment.replace(seed=0))
    return (
        Number(
            label=f"orthogonal with ReLU: rms after {products(relu.depth)}",
            measured=float(orthogonal.stats.rms[-1]),
            standard_error=spread_factor(law, relu.depth),
            exact=float(2 ** law.log2_rms_quantiles[0.5][-1]),
            formula=rf"2^{{-{relu.depth}/2}}",
            factor=True,
        ),
        Number(
            label=f"LSUV with ReLU: rms after {products(relu.depth)}",
            measured=float(lsuv.stats.rms[-1]),
            # Half the tolerance of the variance, and an rms of n values of E φ⁴/(E φ²)² = 6.
            standard_error=1 + TOLERANCE / 2 + (5 / setting.n) ** 0.5 / 2,
            exact=0.5**0.5 if setting.n >= _WIDE else None,
            formula=r"\sqrt{1/2}",
            factor=True,
        ),
    )


def _strategies(setting: Setting, on_progress: OnProgress) -> Result:
    runs = {}
    for done, name in enumerate(STRATEGIES):
        runs[name] = propagate(setting.experiment(init=name))
        on_progress((done + 1) / (len(STRATEGIES) + 2))
    by_n = propagate(setting.experiment(scale=1 / setting.n))
    n, depth = setting.n, setting.depth
    numbers = [
        Number(
            label=f"{name}: std after {products(depth)}",
            measured=float(run.stats.std[-1]),
            standard_error=(1 + 1 / n) if init == "orthogonal" else None,
            # Every length is kept; the mean, about 1/√n, is what a std leaves out.
            exact=float(run.stats.rms[0]) if init == "orthogonal" else None,
            formula=r"\lVert x_0\rVert/\sqrt n" if init == "orthogonal" else "",
            factor=True,
        )
        for (init, name), run in zip(STRATEGIES.items(), runs.values(), strict=True)
    ]
    shrinks = runs["spectral"].stats.std[1] / runs["spectral"].stats.std[0]
    numbers += [
        Number(
            label="spectral normalisation: factor of the first product",
            measured=float(shrinks),
            standard_error=0.5 / n**0.5,
            exact=0.5,
            formula=r"\frac{\sqrt n}{2\sqrt n}",
        ),
        Number(
            label=f"divided by n instead of √n: std after {products(depth)}",
            measured=float(by_n.stats.std[-1]),
        ),
    ]
    numbers += _with_relu(setting)
    outputs: dict[str, float | str] = {
        STRATEGIES[name].split()[0].lower(): float(run.stats.std[-1]) for name, run in runs.items()
    }
    curves = tuple(Curve(STRATEGIES[name], run.stats.log2_std) for name, run in runs.items())
    curves += (Curve("divided by n", by_n.stats.log2_std),)
    on_progress(1.0)
    answer = _told(setting, runs, by_n, numbers[-1].measured)
    return Result(setting, tuple(numbers), answer, _divides_by(n), outputs, curves=curves)


def _told(
    setting: Setting, runs: dict[str, Run], by_n: Run, with_relu: float
) -> tuple[Sentence, ...]:
    n = setting.n
    ends = {name: said(float(run.stats.std[-1])) for name, run in runs.items()}
    slower = np.log2(float(by_n.stats.std[1] / by_n.stats.std[0]))
    return (
        Sentence(
            "Scaling, Xavier's way: choose the std of the weights so that a @ x is as large as x. "
            "Glorot and Bengio want that forwards and backwards at once, and take the mean of both "
            "fans; in a square layer that divides by √n, not by n. The std in the end is "
            f"{ends['xavier_normal']}.",
            r"\sigma = \sqrt{\frac{2}{n_\text{in}+n_\text{out}}} = "
            rf"\frac{{1}}{{\sqrt{{{n}}}}} = {tex(n**-0.5)}",
        ),
        Sentence(
            "Divided by n itself, as the lesson's answer can be read, every product multiplies the "
            f"std by {said(2.0**slower)}: it ends at {said(float(by_n.stats.std[-1]))}.",
            rf"\frac{{\sqrt n}}{{n}} = \frac{{1}}{{\sqrt{{{n}}}}} = {tex(n**-0.5)}",
        ),
        Sentence(
            "Orthogonal: a rotation keeps every length exactly, so the std stays at "
            f"{ends['orthogonal']}.",
            r"a^\top a = I \;\Rightarrow\; \lVert a x\rVert = \lVert x\rVert",
        ),
        Sentence(
            "Spectral normalisation, a third one for the lesson's blank: divide by the largest "
            "singular value, so that nothing can grow. But only one direction keeps its length; a "
            f"random vector is halved by every product, and ends at {ends['spectral']}.",
            rf"\lVert a\rVert_2 \approx 2\sqrt{{{n}}} = {tex(2 * n**0.5)}",
        ),
        Sentence(
            "LSUV, a fourth: start orthogonal, send data through, and divide each layer's weights "
            "by the std of its output until the variance is 1 within 0.1. It needs no formula for "
            f"the activation: the std here is {ends['lsuv']}, and with ReLU and a new matrix for "
            f"each layer the rms stays at {said(with_relu)}, where orthogonal weights alone lose "
            "half the second moment at every layer.",
            r"W \leftarrow W / \operatorname{std}(W x)",
        ),
    )


def _code(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        "q, r = torch.linalg.qr(a)",
        "rotation = q * r.diagonal().sign()",
        "std = (rotation @ x).std(correction=0)",
        "matrices = {",
        '    "scaling": a / n**0.5,',
        '    "orthogonal": rotation,',
        '    "spectral": a / torch.linalg.matrix_norm(a, 2),',
        '    "lsuv": rotation if abs(std**2 - 1) < 0.1 else rotation / std,',
        "}",
        "",
        "",
        "def after_all(w):",
        "    y = x",
        f"    for i in range({setting.depth}):",
        "        y = w @ y",
        "    return y.std()",
        "",
        "",
        "scaling, orthogonal, spectral, lsuv = map(after_all, matrices.values())",
    )


STEPS = (
    Step(
        number=5,
        slug="strategies",
        title="Strategies to initialise",
        question="Name three strategies to initialise a weight matrix. Which of them is Xavier's?",
        guess=Guess(
            "What does Xavier's rule divide N(0, 1) weights of a square layer by?",
            "choice",
            options=tuple(_DIVISORS),
        ),
        compute=_strategies,
        snippet=_code,
        explore=lambda setting: setting.experiment(init="orthogonal"),
    ),
)
