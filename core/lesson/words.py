"""How the lesson's answers write numbers, and how its snippets draw them."""

from __future__ import annotations

import math
from decimal import Decimal

from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..reading.number import value_text
from ..text import format_number, with_minus

_LARGEST_LOG = 700.0  # a little less than the log of the largest float


def tex(value: float, digits: int = 4) -> str:
    """A number in LaTeX with so many significant digits, its power of ten written out."""
    if math.isnan(value):
        return r"\text{NaN}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    text = f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa}\times 10^{{{int(exponent)}}}" if exponent else mantissa


def tex_exp(log: float, digits: int) -> str:
    """e to a power in LaTeX, also where it is beyond any float."""
    if abs(log) < _LARGEST_LOG:
        return tex(math.exp(log), digits)
    mantissa, _, exponent = f"{Decimal(log).exp():.{digits - 1}e}".partition("e")
    return rf"{mantissa}\times 10^{{{int(exponent)}}}"


def rounded(value: float) -> str:
    """A number in a sentence: three significant digits, or NaN."""
    return value_text(value, digits=3)


def decimals(value: float, places: int) -> str:
    """A number in a sentence with so many decimals."""
    return with_minus(f"{value:z.{places}f}")


def answer_text(right: float | str) -> str:
    """The right answer to a guess as the page writes it."""
    if isinstance(right, str):
        return right
    return "never" if math.isinf(right) else rounded(right)


def share(part: float) -> str:
    """A fraction as a whole percentage."""
    return f"{100 * part:.0f} %"


def generator(seed: int, layer: int) -> str:
    """Python code for the generator of one of a run's random streams."""
    return f"torch.Generator().manual_seed({stream_seed(seed, layer)})"


def lesson_draws(e: Experiment, matrix: str = "a") -> list[str]:
    """Lines of Python that draw the x and the one matrix of a float32 Experiment, bit for bit."""
    times = "" if e.scale == 1 else f" * {format_number(e.scale)}"
    return [
        "import torch",
        "",
        f"n = {e.width}",
        f"x = torch.randn(n, generator={generator(e.seed, 0)})",
        f"{matrix} = torch.randn(n, n, generator={generator(e.seed, 1)}){times}",
    ]


def lines(*parts: str) -> str:
    """Lines of Python as a snippet."""
    return "\n".join(parts) + "\n"
