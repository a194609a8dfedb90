"""A layer's equation in LaTeX, from the layer's own operations."""

from __future__ import annotations

from dataclasses import dataclass

from ..layer.activations import ACTIVATIONS, Activation
from ..layer.bias import Bias
from ..layer.branches import NORMS
from ..layer.elementwise import Elementwise
from ..layer.norm import Norm
from ..layer.operation import Operation
from ..layer.product import Product
from ..layer.skip import Skip
from ..layer.stack import Layer
from ..question.experiment import Experiment
from ..question.naming import stop_name
from ..text import significant

_STOPS = {
    "1/√L": r"\tfrac{1}{\sqrt{L}}",
    "1/√(2L)": r"\tfrac{1}{\sqrt{2L}}",
    "1/L": r"\tfrac{1}{L}",
}


@dataclass(frozen=True)
class _Term:
    """A part of an equation, and whether it is a sum, which a factor needs in parentheses."""

    text: str
    is_sum: bool = False

    @property
    def factor(self) -> str:
        return f"({self.text})" if self.is_sum else self.text


def equation(experiment: Experiment) -> str:
    """The equation of one layer, such as ``x_k = \\varphi(a_k\\,x_{k-1})``.

    An operation that the layer does not have is not in it. Weights that every layer draws anew have
    the index k.

    Args:
        experiment: the question; its layer, its α and the name of its activation are written.

    Returns:
        LaTeX for KaTeX, without dollar signs.
    """
    layer = experiment.layer
    term = _after(layer, _Term("x_{k-1}"), experiment)
    named = ""
    if any(isinstance(op, Elementwise) for op in layer.leaves):
        named = rf",\quad {{{_named(experiment.phi)}}}"
    return f"x_k = {term.text}{named}"


def _named(phi: Activation) -> str:
    """φ by its name, or by its formula where it has a number of its own or was typed."""
    if phi.name not in ACTIVATIONS:
        return rf"\varphi(x) = {phi.formula}"
    return rf"\varphi = \text{{{_plain(phi.label)}}}"


def _plain(label: str) -> str:
    """A label without what it adds in parentheses, or between bars."""
    return label.split(" (")[0].split(" |")[0]


def _after(layer: Layer, x: _Term, e: Experiment) -> _Term:
    """The term for x after a list of operations."""
    for op in layer:
        x = _step(op, x, e)
    return x


def _step(op: Operation, x: _Term, e: Experiment) -> _Term:
    if isinstance(op, Product):
        return _Term(rf"{_indexed(op.name, e)}\,{x.factor}")
    if isinstance(op, Bias):
        return _Term(f"{x.text} + {_indexed(op.name, e)}", is_sum=True)
    if isinstance(op, Elementwise):
        return _Term(rf"\varphi({x.text})")
    if isinstance(op, Norm):
        return _Term(rf"\mathrm{{{NORMS[e.norm].symbol}}}({x.text})")
    if isinstance(op, Skip):
        branch = _after(op.branch, x, e)
        return _Term(f"{x.text} + {_scaled(branch, op.factor, e)}", is_sum=True)
    raise TypeError(f"{type(op).__name__} has no equation")


def _indexed(name: str, e: Experiment) -> str:
    """A variable of a script, such as a1, with the index k where each layer has its own."""
    letter, number = name[0], name[1:]
    index = ",".join([*([number] if number else []), *(["k"] if e.weights == "fresh" else [])])
    return f"{letter}_{{{index}}}" if index else letter


def _scaled(branch: _Term, factor: float, e: Experiment) -> str:
    """α·branch; α = 1 is left out."""
    if factor == 1:
        return branch.text
    stop = stop_name(e, "branch_scale")
    return rf"{_STOPS[stop] if stop else _number(factor)}\,{branch.factor}"


def _number(value: float) -> str:
    digits, e, exponent = significant(value).partition("e")
    return rf"{digits}\cdot 10^{{{int(exponent)}}}" if e else digits
