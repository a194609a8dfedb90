"""Step 7: one element of a @ x is a sum of n products."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...host.threads import single_threaded
from ...reading.number import Number
from ...simulation.propagate import draw_input, draw_layer
from ..step import Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lesson_draws, lines, said, share, tex

_ROW = 1
_ALWAYS, _SOMETIMES, _NEVER = "always", "for some i, not for others", "never"
_LESSON_Y = -1.8616
_LESSON_X_STD = 1.7585952281951904  # of the x that it multiplied
_UNIT_ROUNDOFF = 2.0**-24
_CPU = torch.device("cpu")


def _in_order(a: Tensor, x: Tensor) -> Tensor:
    """Every Σ_k a_ik x_k, added up from left to right as a loop does; shape (n,)."""
    return torch.from_numpy(np.add.accumulate((a * x).numpy(), axis=1)[:, -1].copy())


def _sum(setting: Setting, on_progress: OnProgress) -> Result:
    e = setting.experiment(scale=float(setting.n**-0.5))
    with torch.inference_mode(), single_threaded():
        x, (a,) = draw_input(e, _CPU), draw_layer(e, 1, _CPU)
        product, by_hand = a @ x, _in_order(a, x)
        exact = a.double() @ x.double()
        terms = (a.double() * x.double()).abs().sum(1)
    row = min(_ROW, setting.n - 1)
    y, loop, true = (float(each[row]) for each in (product, by_hand, exact))
    # Either way of adding up is off by at most n u Σ|a_ik x_k| (Higham 2002, section 4.2).
    bound = 2 * setting.n * _UNIT_ROUNDOFF * float(terms[row])
    equal = float((product == by_hand).double().mean())
    spread = float(x.double().square().sum().sqrt()) / setting.n**0.5
    furthest = float((product - by_hand).abs().max())
    lesson = setting.printed(_LESSON_Y)
    numbers = (
        Number(
            label=f"(a @ x)[{row}] (exact: its mean over all a)",
            measured=y,
            standard_error=spread,
            exact=0.0,
            formula=r"\mathbb E[y_i] = 0",
            lesson=lesson,
            lesson_error=_LESSON_X_STD,
        ),
        Number(
            label=f"Σ a[{row}, k]·x[k], added in a loop (± the bound on rounding)",
            measured=loop,
            standard_error=bound,
            exact=true,
            formula=r"\textstyle\sum_k a_{1k}x_k\text{ in float64}",
        ),
        Number(
            label="their difference",
            measured=loop - y,
            standard_error=bound,
            exact=0.0,
            formula="0",
            lesson=setting.printed(0.0),
            lesson_error=5e-5,
        ),
        Number(label="largest difference over all i", measured=furthest),
        Number(label="share of i for which they agree to the last bit", measured=equal),
    )
    answer = (
        Sentence(
            f"Element {row} of `a @ x` is {y:.4f}, and so is the sum of its {setting.n} products "
            f"added up in a loop: {loop:.4f}.",
            rf"y_{{{row}}} = \sum_{{k=0}}^{{n-1}} a_{{{row},k}}\,x_k = {tex(y, 5)}",
        ),
        Sentence(
            "They need not agree to the last bit: float32 rounds after every addition, and `a @ x` "
            "adds in another order, several partial sums side by side. Here they agree exactly for "
            f"{share(equal)} of the i, and differ by at most {said(furthest)}.",
            rf"|\text{{difference}}| \le 2\,n\,2^{{-24}} \sum_k |a_{{{row},k}}\,x_k| = "
            + tex(bound, 2),
        ),
        Sentence(
            "Each of the n products has mean 0, and so has their sum; their variances add up, "
            "which is why its std is the length of x times the std of a weight.",
            rf"\operatorname{{std}} y_i = \frac{{\lVert x\rVert}}{{\sqrt n}} = {tex(spread)}",
        ),
    )
    right = _ALWAYS if equal == 1 else _NEVER if equal == 0 else _SOMETIMES
    outputs: dict[str, float | str] = {"y_i": y, "by_hand": loop}
    return Result(setting, numbers, answer, right, outputs)


def _sum_code(setting: Setting) -> str:
    e = setting.experiment()
    row = min(_ROW, setting.n - 1)
    return lines(
        *lesson_draws(e),
        "a = a / n**0.5",
        f"i = {row}",
        "y_i = (a @ x)[i]",
        "by_hand = sum(a_ik * x_k for a_ik, x_k in zip(a[i], x))",
    )


STEPS = (
    Step(
        number=7,
        slug="sum-of-products",
        title="One element is a sum",
        question="An element of y = a @ x is a sum of n products. Write it in code for one i. Does "
        "it agree with (a @ x)[i]?",
        guess=Guess(
            "Do the sum by hand and (a @ x)[i] agree to the last bit?",
            "choice",
            options=(_ALWAYS, _SOMETIMES, _NEVER),
        ),
        compute=_sum,
        snippet=_sum_code,
        explore=lambda setting: setting.experiment(scale=float(setting.n**-0.5), depth=1),
    ),
)
