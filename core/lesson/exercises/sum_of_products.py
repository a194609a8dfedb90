"""Step 7: one element of a @ x is a sum of n products."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...host.limits import cost
from ...host.threads import single_threaded
from ...maths.arrays import Array
from ...question.experiment import Experiment
from ...reading.number import Number
from ...simulation.propagate import draw_input, draw_layer
from ..result import WHY, GrowingSum, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import decimals, lesson_draws, lines, rounded, share, tex

_ROW = 1
_ALWAYS, _SOMETIMES, _NEVER = "always", "for some i, not for others", "never"
_LESSON_Y = -1.8616
_LESSON_X_STD = 1.7585952281951904  # of the x that it multiplied
_SUMS = 6.0  # multiply-adds for a weight in each of five sums
_UNIT_ROUNDOFF = 2.0**-24
_CPU = torch.device("cpu")


class _Measured(NamedTuple):
    """One element of a @ x, and how far both ways of adding it up differ.

    Attributes:
        row: the i of the element.
        product: (a @ x)[i].
        by_hand: the same, added up in a loop.
        exact: the same in float64.
        bound: the most by which rounding can make the two differ.
        spread: the std of the element over all a, given x.
        sums: the sum of the first 0, 1, … n products of the element, in float64.
        spreads: the std of such a sum over all a, given x.
        furthest: the largest difference over all i.
        equal: the share of all i for which both agree to the last bit.
    """

    row: int
    product: float
    by_hand: float
    exact: float
    bound: float
    spread: float
    sums: Array
    spreads: Array
    furthest: float
    equal: float


def _experiment(setting: Setting) -> Experiment:
    return setting.experiment(scale=float(setting.n**-0.5))


def _row(setting: Setting) -> int:
    return min(_ROW, setting.n - 1)


def _in_order(a: Tensor, x: Tensor) -> Tensor:
    """Every Σ_k a_ik x_k, added up from left to right as a loop does; shape (n,)."""
    return torch.from_numpy(np.add.accumulate((a * x).numpy(), axis=1)[:, -1].copy())


def _measured(setting: Setting) -> _Measured:
    e, n, row = _experiment(setting), setting.n, _row(setting)
    with torch.inference_mode(), single_threaded():
        x, (a,) = draw_input(e, _CPU), draw_layer(e, 1, _CPU)
        product, by_hand = a @ x, _in_order(a, x)
        exact = a.double() @ x.double()
        terms = (a.double() * x.double()).abs().sum(1)
        products = (a[row].double() * x.double()).numpy()
    return _Measured(
        row,
        float(product[row]),
        float(by_hand[row]),
        float(exact[row]),
        # Either way of adding up is off by at most n u Σ|a_ik x_k| (Higham 2002, section 4.2).
        bound=2 * n * _UNIT_ROUNDOFF * float(terms[row]),
        spread=float(x.double().square().sum().sqrt()) / n**0.5,
        sums=np.concatenate([[0.0], products.cumsum()]),
        spreads=np.concatenate([[0.0], np.sqrt(x.double().square().cumsum(0).numpy() / n)]),
        furthest=float((product - by_hand).abs().max()),
        equal=float((product == by_hand).double().mean()),
    )


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    row, bound = measured.row, measured.bound
    return (
        Number(
            label=f"element {row} of `a @ x`",
            measured=measured.product,
            standard_error=measured.spread,
            exact=0.0,
            formula=r"\mathbb E[y_i] = 0",
            lesson=setting.printed(_LESSON_Y),
            lesson_error=_LESSON_X_STD,
            single=True,
        ),
        Number(
            label=f"Σ a[{row}, k]·x[k], added in a loop, ± the bound on rounding",
            measured=measured.by_hand,
            standard_error=bound,
            exact=measured.exact,
            formula=r"\textstyle\sum_k a_{1k}x_k\text{ in float64}",
        ),
        Number(
            label="their difference",
            measured=measured.by_hand - measured.product,
            standard_error=bound,
            exact=0.0,
            formula="0",
            lesson=setting.printed(0.0),
            lesson_error=5e-5,
        ),
        Number(label="largest difference over all i", measured=measured.furthest),
        Number(label="share of i for which they agree to the last bit", measured=measured.equal),
    )


def _sentences(setting: Setting, measured: _Measured) -> tuple[Sentence, ...]:
    row, product = measured.row, measured.product
    return (
        Sentence(
            f"Element {row} of `a @ x` is {decimals(product, 4)}. Its {setting.n} products, added "
            f"up in a loop, make {decimals(measured.by_hand, 4)}.",
            rf"y_{{{row}}} = \sum_{{k=0}}^{{n-1}} a_{{{row},k}}\,x_k = {tex(product, 5)}",
        ),
        Sentence(
            f"The two need not agree to the last bit. {_agreement(measured)}",
        ),
        Sentence(
            "float32 rounds after every addition, and `a @ x` adds in another order, with several "
            "partial sums side by side. The size of the difference has a bound.",
            rf"\text{{size}} \le n\,2^{{-23}} \sum_k |a_{{{row},k}}\,x_k| = "
            + tex(measured.bound, 2),
            fold=WHY,
        ),
        Sentence(
            "Each of the n products has mean 0, so their sum has mean 0. Their variances add up, "
            "so the std of the sum is the length of x times the std of a weight.",
            r"\operatorname{std} y_i = \frac{\lVert x\rVert}{\sqrt n} = " + tex(measured.spread),
            fold=WHY,
        ),
    )


def _agreement(measured: _Measured) -> str:
    """For how many elements both ways of adding up agree."""
    return (
        f"Here they agree exactly for {share(measured.equal)} of the i, and differ by at most "
        f"{rounded(measured.furthest)}."
    )


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting)
    equal = measured.equal
    return Result(
        setting,
        _rows(setting, measured),
        _sentences(setting, measured),
        _ALWAYS if equal == 1 else _NEVER if equal == 0 else _SOMETIMES,
        {"y_i": measured.product, "by_hand": measured.by_hand},
        growing_sum=GrowingSum(f"element {measured.row} of y", measured.sums, measured.spreads),
        brief=_agreement(measured),
    )


def _work(setting: Setting) -> float:
    return cost(_experiment(setting).replace(depth=1)).multiply_adds + 5 * _SUMS * setting.n**2


def _snippet(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        "a = a / n**0.5",
        f"i = {_row(setting)}",
        "y_i = (a @ x)[i]",
        "by_hand = sum(a_ik * x_k for a_ik, x_k in zip(a[i], x))",
    )


STEP = Step(
    number=7,
    slug="sum-of-products",
    title="One element is a sum",
    question="One element of y = a @ x is a sum of n products. Write that sum in code for one i. "
    "Does it agree with (a @ x)[i]?",
    guess=Guess(
        "Do the sum by hand and (a @ x)[i] agree to the last bit?",
        "choice",
        options=(_ALWAYS, _SOMETIMES, _NEVER),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: _experiment(setting).replace(depth=1),
)
