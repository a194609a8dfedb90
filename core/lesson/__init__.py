"""The lesson's exercises, each a pure function of its size: ``STEPS``.

    step = STEPS["magic-number"]
    result = step.measure(step.setting(n=512, depth=100, seed=0))
    result.numbers, result.answer, step.snippet(result.setting), step.explore(result.setting)

Every number is measured here and now, beside the exact value and what the lesson printed.
"""

from __future__ import annotations

from core.lesson import (
    first_nan,
    layer,
    magic,
    nan,
    one_product,
    one_product_relu,
    one_sum,
    products,
    redraw,
    strategies,
    underflow,
    whole,
)
from core.lesson.challenge import DEPTH, Outcome, check, task
from core.lesson.number import AGREES_WITHIN, Number
from core.lesson.step import Counts, Curve, Guess, Result, Sentence, Setting, Step

__all__ = [
    "AGREES_WITHIN",
    "DEPTH",
    "STEPS",
    "Counts",
    "Curve",
    "Guess",
    "Number",
    "Outcome",
    "Result",
    "Sentence",
    "Setting",
    "Step",
    "check",
    "task",
]

_MODULES = (
    products,
    first_nan,
    nan,
    underflow,
    strategies,
    magic,
    one_sum,
    redraw,
    one_product,
    one_product_relu,
    layer,
    whole,
)

STEPS: dict[str, Step] = {step.slug: step for module in _MODULES for step in module.STEPS}
"""Slug -> Step, in the order of the lesson."""
