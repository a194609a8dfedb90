"""Step 1: a hundred products, and what is left of x."""

from __future__ import annotations

import math

import torch

from ...reading.number import Number
from ...simulation.propagate import propagate
from ...text import products
from ..step import Curve, Guess, OnProgress, Result, Sentence, Setting, Step
from ..words import lesson_draws, lines, said, tex

_NEAR, _HUGE, _NAN, _ZERO = "mean near 0, std near 1", "huge numbers", "NaN", "exactly 0"
_LARGEST = float(torch.finfo(torch.float32).max)


def _fate(std: float) -> str:
    if math.isnan(std):
        return _NAN
    if std == 0:
        return _ZERO
    return _HUGE if std > 1000 else _NEAR


def _products(setting: Setting, on_progress: OnProgress) -> Result:
    e, n = setting.experiment(), setting.n
    run = propagate(e, on_progress=on_progress)
    x = torch.from_numpy(run.final)
    mean, std = x.mean().item(), x.std().item()
    room = math.log(_LARGEST) / (math.log(n) / 2)
    lost = setting.depth > 1.1 * room + 1
    numbers = (
        Number(
            label="std after the first product",
            measured=float(run.stats.std[1]),
            standard_error=1.0,
            exact=(n - 1) ** 0.5,
            formula=r"\sqrt{n-1}",
        ),
        Number(
            label=f"mean after {products(setting.depth)}",
            measured=mean,
            exact=math.nan if lost else None,
            lesson=setting.printed(math.nan),
        ),
        Number(
            label=f"std after {products(setting.depth)}",
            measured=std,
            exact=math.nan if lost else None,
            lesson=setting.printed(math.nan),
        ),
    )
    answer = (
        Sentence(
            f"After {products(setting.depth)} x is a `{x.type()}` with mean {said(mean)} and std "
            f"{said(std)}."
        ),
        Sentence(
            "Each element of `a @ x` adds up n products of independent numbers of variance 1, so "
            f"one product multiplies the std by about √n. Here the first made it "
            f"{said(float(run.stats.std[1]))}.",
            rf"\sqrt n = \sqrt{{{n}}} = {tex(n**0.5)}",
        ),
        Sentence(
            f"float32 ends at {said(_LARGEST)}: there is room for about {room:.0f} such factors.",
            rf"\frac{{\ln {tex(_LARGEST, 3)}}}{{\ln\sqrt{{{n}}}}} = {room:.1f}",
        ),
    )
    outputs = {"kind": x.type(), "mean": mean, "std": std}
    curves = (Curve("this run", run.stats.log2_std),)
    return Result(setting, numbers, answer, _fate(std), outputs, curves=curves)


def _products_code(setting: Setting) -> str:
    return lines(
        *lesson_draws(setting.experiment()),
        f"for i in range({setting.depth}):",
        "    x = a @ x",
        "kind, mean, std = x.type(), x.mean(), x.std()",
    )


STEPS = (
    Step(
        number=1,
        slug="products",
        title="A hundred products",
        question="Draw a vector x and a square matrix a from N(0, 1), and replace x by a @ x again "
        "and again. What is left after a hundred times?",
        guess=Guess(
            "What do mean and std of x look like in the end?",
            "choice",
            options=(_NEAR, _HUGE, _NAN, _ZERO),
        ),
        compute=_products,
        snippet=_products_code,
        explore=lambda setting: setting.experiment(),
    ),
)
