"""Step 1: many products a @ x, and what is left of x."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from ...host.limits import cost
from ...reading.number import Number
from ...simulation.propagate import Run, propagate
from ...text import products
from ..result import WHY, Curve, Result, Sentence
from ..setting import Setting
from ..step import Guess, OnProgress, Step
from ..words import lesson_draws, lines, rounded, tex

_NEAR, _HUGE, _NAN, _ZERO = "mean near 0, std near 1", "huge numbers", "NaN", "exactly 0"
_LARGEST = float(torch.finfo(torch.float32).max)


class _Measured(NamedTuple):
    """A run, and torch's own words for its last x."""

    run: Run
    kind: str
    mean: float
    std: float


def _measured(setting: Setting, on_progress: OnProgress) -> _Measured:
    run = propagate(setting.experiment(), on_progress=on_progress)
    x = torch.from_numpy(run.final)
    return _Measured(run, x.type(), x.mean().item(), x.std().item())


def _room(n: int) -> float:
    """The number of factors √n that bring 1 to the largest float32 number."""
    return math.log(_LARGEST) / (math.log(n) / 2)


def _rows(setting: Setting, measured: _Measured) -> tuple[Number, ...]:
    # A tenth and one product beyond the room that there is on average, every run is NaN.
    lost = setting.depth > 1.1 * _room(setting.n) + 1
    return (
        Number(
            label="std after the first product",
            measured=float(measured.run.stats.std[1]),
            standard_error=1.0,
            exact=(setting.n - 1) ** 0.5,
            formula=r"\sqrt{n-1}",
            single=True,
        ),
        *(
            Number(
                label=f"{name} after {products(setting.depth)}",
                measured=value,
                exact=math.nan if lost else None,
                lesson=setting.printed(math.nan),
            )
            for name, value in (("mean", measured.mean), ("std", measured.std))
        ),
    )


def _sentences(setting: Setting, measured: _Measured) -> tuple[Sentence, ...]:
    n, room = setting.n, _room(setting.n)
    return (
        Sentence(
            f"After {products(setting.depth)} x is a `{measured.kind}` with mean "
            f"{rounded(measured.mean)} and std {rounded(measured.std)}."
        ),
        Sentence(
            "Each element of `a @ x` is a sum of n independent terms of variance 1, so one product "
            "multiplies the std by about √n. Here the std after the first product is "
            f"{rounded(float(measured.run.stats.std[1]))}.",
            rf"\sqrt n = \sqrt{{{n}}} = {tex(n**0.5)}",
        ),
        Sentence(
            f"The largest float32 number is {rounded(_LARGEST)}: there is room for about "
            f"{room:.0f} such factors.",
            rf"\frac{{\ln {tex(_LARGEST, 3)}}}{{\ln\sqrt{{{n}}}}} = {room:.1f}",
            fold=WHY,
        ),
    )


def _fate(std: float) -> str:
    """Which of the guess's options it is."""
    if math.isnan(std):
        return _NAN
    if std == 0:
        return _ZERO
    return _HUGE if std > 1000 else _NEAR


def _result(setting: Setting, on_progress: OnProgress) -> Result:
    measured = _measured(setting, on_progress)
    return Result(
        setting,
        _rows(setting, measured),
        _sentences(setting, measured),
        _fate(measured.std),
        {"kind": measured.kind, "mean": measured.mean, "std": measured.std},
        curves=(Curve("this run", measured.run.stats.log2_std),),
    )


def _work(setting: Setting) -> float:
    return cost(setting.experiment()).multiply_adds


def _snippet(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "kind, mean, std = x.type(), x.mean(), x.std()",
    )


STEP = Step(
    number=1,
    slug="products",
    title="100 products",
    question="Draw a vector x and a square matrix a from N(0, 1), and replace x by a @ x again "
    "and again. What is left of x after 100 products?",
    guess=Guess(
        "What are the mean and the std of x after 100 products?",
        "choice",
        options=(_NEAR, _HUGE, _NAN, _ZERO),
    ),
    compute=_result,
    work=_work,
    snippet=_snippet,
    explore=lambda setting: setting.experiment(),
)
