"""The lesson's exercises, each a pure function of its size: ``STEPS``.

    step = STEPS["magic-number"]
    result = step.measure(step.setting(n=512, depth=100, seed=0))
    result.numbers, result.answer, step.snippet(result.setting), step.explore(result.setting)

Every number is measured here and now, beside the exact value and what the lesson printed.
"""

from __future__ import annotations

from ..reading.number import AGREES_WITHIN, Number
from .challenge import DEPTH, Outcome, check, task
from .exercises import (
    first_nan,
    layer_relu,
    magic_number,
    not_equal,
    one_product,
    one_product_relu,
    products,
    redraw,
    smaller_weights,
    strategies,
    sum_of_products,
    whole_network,
)
from .step import Counts, Curve, Guess, Result, Sentence, Setting, Step

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
    not_equal,
    smaller_weights,
    strategies,
    magic_number,
    sum_of_products,
    redraw,
    one_product,
    one_product_relu,
    layer_relu,
    whole_network,
)

STEPS: dict[str, Step] = {step.slug: step for module in _MODULES for step in module.STEPS}
"""Slug -> Step, in the order of the lesson."""
