"""The lesson's exercises, each a pure function of its size: ``STEPS``.

    step = STEPS["magic-number"]
    result = step.measure(step.setting(n=512, depth=100, seed=0))
    result.numbers, result.answer, step.snippet(result.setting), step.explore(result.setting)

Every number is measured when it is asked for; beside it stand the exact value and the number that
the lesson printed.
"""

from __future__ import annotations

from ..reading.number import AGREES_WITHIN, Number
from .challenge import DEPTH, Outcome, check, task
from .exercises import (
    batch_norm,
    branch_scale,
    first_nan,
    layer_relu,
    magic_number,
    norm_place,
    not_equal,
    one_product,
    one_product_relu,
    products,
    redraw,
    smaller_weights,
    strategies,
    sum_of_products,
    way_back,
    whole_network,
)
from .feedback import Feedback, feedback
from .glossary import GLOSSARY
from .result import Counts, Curve, GrowingSum, Result, Sentence, Shares
from .setting import SIZES, Setting, within_sizes
from .step import Guess, Step

__all__ = [
    "AGREES_WITHIN",
    "DEPTH",
    "GLOSSARY",
    "SIZES",
    "STEPS",
    "Counts",
    "Curve",
    "Feedback",
    "GrowingSum",
    "Guess",
    "Number",
    "Outcome",
    "Result",
    "Sentence",
    "Setting",
    "Shares",
    "Step",
    "check",
    "feedback",
    "task",
    "within_sizes",
]

_EXERCISES = (
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
    way_back,
    branch_scale,
    batch_norm,
    norm_place,
)

STEPS: dict[str, Step] = {module.STEP.slug: module.STEP for module in _EXERCISES}
"""Slug -> Step, in the order of the lesson; those for whoever wants more stand at its end."""
