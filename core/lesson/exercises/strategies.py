"""Step 5: four strategies for weights with which a signal neither explodes nor vanishes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...host.limits import cost
from ...layer.lsuv import TOLERANCE
from ...reading.number import Number
from ...simulation.propagate import Run, propagate
from ...text import products
from ...theory.finite_width import Prediction, predict
from ...theory.work import prediction_work
from ..quantiles import spread_factor
from ..result import Curve, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lesson_draws, lines, rounded, tex

_STRATEGIES: dict[str, str] = {
    "xavier_normal": "scaling",
    "orthogonal": "orthogonal",
    "spectral": "spectral normalisation",
    "lsuv": "LSUV",
}
_FEW_LAYERS = 10
_WIDE = 128  # width from which on the limit of infinite width is close enough
_ROOT = "√n"
_DIVISORS = ("the width n", _ROOT, "n²", "its largest singular value, about 2√n")


class _Measured(NamedTuple):
    """A run with each strategy, and what the answer sets beside them.

    Attributes:
        runs: initialiser -> its run.
        by_n: the run with N(0, 1) weights divided by n.
        orthogonal_relu, lsuv_relu: with ReLU, and a new matrix for each of a few layers.
        law: of ``orthogonal_relu``.
    """

    runs: dict[str, Run]
    by_n: Run
    orthogonal_relu: Run
    lsuv_relu: Run
    law: Prediction


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    runs = {}
    for done, init in enumerate(_STRATEGIES):
        runs[init] = propagate(setting.experiment(init=init))
        on_progress((done + 1) / (len(_STRATEGIES) + 2))
    by_n = propagate(setting.experiment(scale=1 / setting.n))
    depth = min(setting.depth, _FEW_LAYERS)
    relu = setting.experiment(activation="relu", weights="fresh", depth=depth)
    orthogonal, lsuv = (propagate(relu.replace(init=init)) for init in ("orthogonal", "lsuv"))
    law = predict(orthogonal.experiment.replace(seed=0))
    on_progress(1.0)
    return _Measured(runs, by_n, orthogonal, lsuv, law)


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    n, spectral = setting.n, measured.runs["spectral"].stats.std
    after = f"std after {products(setting.depth)}"
    return (
        *(_row_of(_STRATEGIES[init], run, after) for init, run in measured.runs.items()),
        Number(
            label="spectral normalisation: factor of the first product",
            measured=float(spectral[1] / spectral[0]),
            standard_error=0.5 / n**0.5,
            exact=0.5,
            formula=r"\frac{\sqrt n}{2\sqrt n}",
        ),
        Number(
            label=f"divided by n instead of √n: {after}",
            measured=float(measured.by_n.stats.std[-1]),
        ),
        *_rows_with_relu(measured),
    )


def _row_of(name: str, run: Run, after: str) -> Number:
    keeps_lengths = run.experiment.init == "orthogonal"
    return Number(
        label=f"{name}: {after}",
        measured=float(run.stats.std[-1]),
        # A std leaves out the mean, which is about 1/√n.
        standard_error=(1 + 1 / run.experiment.width) if keeps_lengths else None,
        exact=float(run.stats.rms[0]) if keeps_lengths else None,
        formula=r"\lVert x_0\rVert/\sqrt n" if keeps_lengths else "",
        factor=True,
    )


def _rows_with_relu(measured: _Measured) -> tuple[Number, Number]:
    orthogonal, lsuv, law = measured.orthogonal_relu, measured.lsuv_relu, measured.law
    n, depth = orthogonal.experiment.width, orthogonal.experiment.depth
    return (
        Number(
            label=f"orthogonal with ReLU: rms after {products(depth)}",
            measured=float(orthogonal.stats.rms[-1]),
            standard_error=spread_factor(law, depth),
            exact=float(2 ** law.log2_rms_quantiles[0.5][-1]),
            formula=rf"2^{{-{depth}/2}}",
            factor=True,
        ),
        Number(
            label=f"LSUV with ReLU: rms after {products(depth)}",
            measured=float(lsuv.stats.rms[-1]),
            # Half the tolerance of the variance, and an rms of n values of E φ⁴/(E φ²)² = 6.
            standard_error=1 + TOLERANCE / 2 + (5 / n) ** 0.5 / 2,
            exact=0.5**0.5 if n >= _WIDE else None,
            formula=r"\sqrt{1/2}",
            factor=True,
        ),
    )


def _sentences(setting: Setting, measured: _Measured) -> tuple[Sentence, ...]:
    n = setting.n
    ends = {init: rounded(float(run.stats.std[-1])) for init, run in measured.runs.items()}
    return (
        Sentence(
            "Scaling, which is Xavier's strategy: choose the std of the weights so that a @ x is "
            "as large as x. Glorot and Bengio want this both forwards and backwards, so they "
            "divide by the root of the mean of fan-in and fan-out. In a square layer that is √n, "
            f"not n. The std ends at {ends['xavier_normal']}.",
            r"\sigma = \sqrt{\frac{2}{n_\text{in}+n_\text{out}}} = "
            rf"\frac{{1}}{{\sqrt{{{n}}}}} = {tex(n**-0.5)}",
        ),
        Sentence(
            "Orthogonal: an orthogonal matrix keeps the length of every vector, so the std stays "
            f"at {ends['orthogonal']}.",
            r"a^\top a = I \;\Rightarrow\; \lVert a x\rVert = \lVert x\rVert",
        ),
        Sentence(
            "Spectral normalisation, a third strategy (the notebook left “???”): divide by the "
            "largest singular value, so that no vector can grow. But only one direction keeps its "
            "length. Every product halves a random vector, and the std ends at "
            f"{ends['spectral']}.",
            rf"\lVert a\rVert_2 \approx 2\sqrt{{{n}}} = {tex(2 * n**0.5)}",
        ),
        *_folded(n, measured, ends["lsuv"]),
    )


def _folded(n: int, measured: _Measured, end_of_lsuv: str) -> tuple[Sentence, Sentence]:
    """A strategy more, and how the notebook's answer can be misread."""
    by_n = measured.by_n.stats.std
    factor = 2.0 ** np.log2(float(by_n[1] / by_n[0]))
    with_relu = rounded(float(measured.lsuv_relu.stats.rms[-1]))
    return (
        Sentence(
            "LSUV: start with orthogonal weights, send data through, and divide each layer's "
            "weights by the std of its output until the variance is 1 within 0.1. No formula for "
            f"the activation is needed. The std here ends at {end_of_lsuv}. With ReLU and a new "
            f"matrix for each layer the rms stays at {with_relu}, while orthogonal weights alone "
            "lose half of the second moment at every layer.",
            r"W \leftarrow W / \operatorname{std}(W x)",
            fold="A fourth strategy: LSUV",
        ),
        Sentence(
            "The notebook's answer can be read as dividing by n itself. Then every product "
            f"multiplies the std by {rounded(factor)}, and it ends at {rounded(float(by_n[-1]))}.",
            rf"\frac{{\sqrt n}}{{n}} = \frac{{1}}{{\sqrt{{{n}}}}} = {tex(n**-0.5)}",
            fold="Why √n, not n?",
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    runs = {_STRATEGIES[init]: run for init, run in measured.runs.items()}
    return Result(
        setting,
        _rows(setting, measured),
        _sentences(setting, measured),
        _ROOT,
        {name.split()[0].lower(): float(run.stats.std[-1]) for name, run in runs.items()},
        curves=(
            *(Curve(name, run.stats.log2_std) for name, run in runs.items()),
            Curve("divided by n", measured.by_n.stats.log2_std),
        ),
        brief="Xavier's rule divides by √n: each product adds up n terms, and the root of n brings "
        "their sum back to the size of one.",
    )


def _work(setting: Setting) -> float:
    e = setting.experiment()
    relu = e.replace(activation="relu", weights="fresh", depth=min(e.depth, _FEW_LAYERS))
    tied = [e.replace(init=init) for init in _STRATEGIES]
    fresh = [relu.replace(init=init) for init in ("orthogonal", "lsuv")]
    runs = sum(cost(each).multiply_adds for each in (e, *tied, *fresh))
    return runs + prediction_work(fresh[0])


def _snippet(setting: Setting) -> str:
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


STEP = Step(
    number=5,
    slug="strategies",
    title="Strategies to initialise",
    question="Name three strategies to initialise a weight matrix. Which of them is Xavier's?",
    guess=Guess(
        "By what does Xavier's rule divide the N(0, 1) weights of a square layer?",
        "choice",
        options=_DIVISORS,
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(init="orthogonal"),
)
