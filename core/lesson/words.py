"""How the lesson's answers write numbers, and how its snippets draw them."""

from __future__ import annotations

import math

from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..text import format_number, significant


def tex(value: float, digits: int = 4) -> str:
    """A number in LaTeX, with so many significant digits; powers of ten written out."""
    if math.isnan(value):
        return r"\text{NaN}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    text = f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa}\times 10^{{{int(exponent)}}}" if exponent else mantissa


def said(value: float) -> str:
    """A number in a sentence: three digits, or NaN by its name."""
    return "NaN" if math.isnan(value) else significant(value)


def share(part: float) -> str:
    """A fraction as a whole percentage."""
    return f"{100 * part:.0f} %"


def generator(seed: int, layer: int) -> str:
    """The generator of a run's own stream, as Python."""
    return f"torch.Generator().manual_seed({stream_seed(seed, layer)})"


def lesson_draws(e: Experiment, matrix: str = "a") -> list[str]:
    """Lines that draw the x and the one matrix of a float32 Experiment, to the last bit."""
    times = "" if e.scale == 1 else f" * {format_number(e.scale)}"
    return [
        "import torch",
        "",
        f"n = {e.width}",
        f"x = torch.randn(n, generator={generator(e.seed, 0)})",
        f"{matrix} = torch.randn(n, n, generator={generator(e.seed, 1)}){times}",
    ]


def lines(*parts: str) -> str:
    """A snippet of these lines."""
    return "\n".join(parts) + "\n"
