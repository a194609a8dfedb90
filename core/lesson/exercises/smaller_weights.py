"""Step 4: weights a tenth, and a hundredth, as large."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...host.limits import cost
from ...reading.diagnosis import kind_of
from ...reading.number import Number, average
from ...simulation.propagate import Run, propagate
from ...text import products
from ...theory.finite_width import Prediction, predict
from ...theory.work import prediction_work
from ..networks import Floats, first_indices, work_of_networks
from ..quantiles import spread_factor
from ..result import WHY, Counts, Curve, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lesson_draws, lines, rounded, tex, tex_exp

_TENTH, _HUNDREDTH = 0.1, 0.01
_UNTIL_ZERO = 150.0  # octaves from 1 to where float32 ends
_NORMAL = float(np.finfo(np.float32).smallest_normal)
_LESSON_STD, _LESSON_MEAN = 2.1790210271840137e36, 7.452759524637429e34
_FATES = {
    "explodes": "it grows and overflows",
    "grows": "it grows, but stays finite",
    "holds": "it keeps its size",
    "shrinks": "it shrinks, but not to zero",
    "settles": "it shrinks, but not to zero",
    "stuck": "it shrinks, but not to zero",
    "vanishes": "it becomes exactly 0",
}


class _Measured(NamedTuple):
    """Runs with both scale factors, their laws, and when x vanishes in many networks.

    Attributes:
        tenth, hundredth: the run with that scale factor.
        law: of the tenth.
        subnormal, zero: with a hundredth, the loop index at which no element of x is a normal
            number any more, and at which all are 0; −1 for never; shape (repetitions,).
        expected_zero: the mean of ``zero`` by the law, None where there is none.
    """

    tenth: Run
    hundredth: Run
    law: Prediction
    subnormal: NDArray[np.int_]
    zero: NDArray[np.int_]
    expected_zero: float | None


def _vanished(x: Floats) -> NDArray[np.bool_]:
    """Whether all elements are subnormal, and whether all are 0, shape (2, networks)."""
    largest = np.abs(x).max(1)
    zero = largest == 0
    return np.stack([(largest < _NORMAL) & ~zero, zero])


def _expected_zero(law: Prediction) -> float | None:
    pmf = law.all_zero_pmf
    return sum(i * p for i, p in pmf.items()) if sum(pmf.values()) > 0.99 else None


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    tenth, hundredth = (setting.experiment(scale=scale) for scale in (_TENTH, _HUNDREDTH))
    subnormal, zero = first_indices(
        hundredth, setting.repetitions, 2, _vanished, lambda done: on_progress(0.3 * done)
    )
    law = predict(tenth.replace(seed=0))
    on_progress(0.7)
    expected_zero = _expected_zero(predict(hundredth.replace(seed=0)))
    runs = propagate(tenth), propagate(hundredth)
    on_progress(1.0)
    return _Measured(*runs, law, subnormal, zero, expected_zero)


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    ends = (
        ("no element is normal any more", measured.subnormal, None),
        ("every element is 0", measured.zero, measured.expected_zero),
    )
    return (
        *_rows_of_a_tenth(setting, measured),
        *(
            average(f"× 0.01: first i at which {label}", i, exact=exact, formula=r"\mathbb E[i]")
            for label, i, exact in ends
            if (i >= 0).all()
        ),
    )


def _rows_of_a_tenth(setting: Setting, measured: _Measured) -> tuple[Number, Number]:
    """The lesson's own run."""
    stats, law, root_n = measured.tenth.stats, measured.law, setting.n**0.5
    std, known = float(stats.std[-1]), law.std_known
    factor = spread_factor(law, setting.depth) if known else None
    return (
        Number(
            label=f"× 0.1: std after {products(setting.depth)}",
            measured=std,
            standard_error=factor,
            exact=float(2 ** law.log2_std_quantiles[0.5][-1]) if known else None,
            formula=r"\text{median of }\operatorname{std}(a^{k} x)",
            lesson=setting.printed(_LESSON_STD),
            lesson_error=factor,
            factor=True,
            single=True,
        ),
        Number(
            label=f"× 0.1: mean after {products(setting.depth)}",
            measured=float(stats.mean[-1]),
            standard_error=std / root_n,
            exact=0.0,
            formula="0",
            lesson=setting.printed(_LESSON_MEAN),
            lesson_error=_LESSON_STD / root_n,
            single=True,
        ),
    )


def _sentences(setting: Setting, measured: _Measured) -> tuple[Sentence, ...]:
    n, depth = setting.n, setting.depth
    tenth, hundredth = (scale * n**0.5 for scale in (_TENTH, _HUNDREDTH))
    return (
        Sentence(
            "With weights times 0.1 one product multiplies the std by 0.1·√n, which is "
            f"{'still above' if tenth > 1 else 'below'} 1: after {products(depth)} the std is "
            f"{rounded(float(measured.tenth.stats.std[-1]))}.",
            rf"0.1\sqrt{{{n}}} = {tex(tenth)},\qquad\allowbreak {tex(tenth)}^{{{depth}}} = "
            + tex_exp(depth * math.log(tenth), 2),
        ),
        Sentence(
            f"The original notebook asks for weights times 0.01 too, but does not run them. With "
            f"these one product multiplies the std by {rounded(hundredth)}: "
            f"{_fate(measured.hundredth)}",
            rf"0.01\sqrt{{{n}}} = {tex(hundredth)}",
        ),
        *_underflow(measured.hundredth),
    )


def _fate(run: Run) -> str:
    """The fate of x, as the end of a sentence."""
    if run.events.all_zero is not None:
        return f"every element is exactly 0 from i = {run.events.all_zero} on."
    last, fate = rounded(float(run.stats.std[-1])), _FATES.get(kind_of(run), _FATES["holds"])
    return f"{fate}; after {products(run.experiment.depth)} the std of x is {last}."


def _underflow(run: Run) -> tuple[Sentence, ...]:
    """How x becomes exactly 0, if it does."""
    subnormal = run.events.all_subnormal
    if run.events.all_zero is None:
        return ()
    through = f" Here no element is normal any more at i = {subnormal}."
    return (
        Sentence(
            "Below its smallest normal number float32 still has the subnormal numbers, with fewer "
            f"and fewer digits.{'' if subnormal is None else through} No NaN warns of the end.",
            rf"\text{{smallest normal }} {tex(_NORMAL, 3)}\qquad\allowbreak "
            rf"\text{{smallest subnormal }} {tex(2.0**-149, 2)}",
            fold=WHY,
        ),
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    tenth, hundredth = measured.tenth, measured.hundredth
    zero = hundredth.events.all_zero
    return Result(
        setting,
        _rows(setting, measured),
        _sentences(setting, measured),
        _FATES.get(kind_of(hundredth), _FATES["holds"]),
        {"grown": float(tenth.stats.std[-1]), "all_zero": float(-1 if zero is None else zero)},
        counts=(Counts.of_indices("every element is 0", measured.zero),),
        curves=(
            Curve("× 0.1", tenth.stats.log2_std),
            Curve("× 0.01", hundredth.stats.log2_std),
        ),
        brief=f"With weights times 0.01 {_fate(hundredth)}",
    )


def _work(setting: Setting) -> float:
    tenth, hundredth = (setting.experiment(scale=scale) for scale in (_TENTH, _HUNDREDTH))
    octaves = max(0.1, -float(np.log2(_HUNDREDTH * setting.n**0.5)))  # lost by every layer
    layers = min(setting.depth, 1 + int(_UNTIL_ZERO / octaves))
    networks = work_of_networks(setting.n, setting.repetitions, layers)
    laws = prediction_work(tenth) + prediction_work(hundredth)
    return networks + laws + 2 * cost(tenth).multiply_adds


def _snippet(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment(), matrix="drawn"),
        "torch.set_num_threads(1)",
        "a, y = drawn * 0.1, x",
        f"for i in range({setting.depth}):",
        "    y = a @ y",
        "grown = y.std()",
        "a, all_zero = drawn * 0.01, -1",
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "    if (x == 0).all():",
        "        all_zero = i",
        "        break",
    )


STEP = Step(
    number=4,
    slug="smaller-weights",
    title="Smaller weights",
    question="Multiply the weights by 0.1, then by 0.01. What becomes of x after 100 products?",
    guess=Guess(
        "What happens to x within 100 products when the weights are multiplied by 0.01?",
        "choice",
        options=tuple(dict.fromkeys(_FATES.values())),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(scale=_HUNDREDTH),
    repeats="networks",
    repetitions=32,
    most_repetitions=500,
)
