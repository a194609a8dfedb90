"""Formulas: numbers as people write them, such as ``5/3``, ``2**-0.5`` or ``1/sqrt(n)``.

Only what is listed here is ever computed. A text is read by Python's parser and never executed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

LONGEST = 60
"""Characters that a formula may have."""

_DEEPEST = 20  # operations inside one another
_LARGEST_POWER = 1000.0  # in magnitude: no number of this tool needs a larger exponent

_WRITTEN = {"−": "-", "√": "sqrt", "π": "pi", "·": "*", "×": "*", "^": "**"}
_ROOT_OF_ONE = re.compile(r"√\s*(\d+(?:\.\d*)?|[a-zL]+)")
_WORDS = re.compile(r"(?:[0-9.eEnL+\-*/() ]|sqrt|pi)+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d{1,4})?", re.ASCII)

_CONSTANTS = {"pi": math.pi, "e": math.e}
_OF_ONE: dict[type[ast.unaryop], Callable[[float], float]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_OF_TWO: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: lambda base, power: _power(base, power),
}


class _NoFormulaError(ValueError):
    """The text is no formula."""


def value_of(text: str, names: Mapping[str, float] | None = None) -> float | None:
    """The value of a formula of numbers, + − * / **, parentheses, sqrt, pi and e.

    Args:
        text: at most LONGEST characters. A decimal comma is read as a point.
        names: further names and what they stand for, such as n for the width.

    Returns:
        A finite number; None if the text is no such formula or has no finite value.
    """
    if len(text) > LONGEST:
        return None
    if _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    plain = _ROOT_OF_ONE.sub(r"√(\1)", text)
    for sign, word in _WRITTEN.items():
        plain = plain.replace(sign, word)
    if not plain.isascii() or not _WORDS.fullmatch(plain):
        return None
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
        return _finite(_value(tree, {**_CONSTANTS, **(names or {})}, _DEEPEST))
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr, names: Mapping[str, float], depth: int) -> float:
    """The value of a part of a formula; an error for everything that is not listed here."""
    if depth == 0:
        raise _NoFormulaError
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return _finite(float(node.value))  # powers of floats end at the range of float64
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OF_ONE:
        return _OF_ONE[type(node.op)](_value(node.operand, names, depth - 1))
    if isinstance(node, ast.BinOp) and type(node.op) in _OF_TWO:
        left, right = (_value(side, names, depth - 1) for side in (node.left, node.right))
        return _OF_TWO[type(node.op)](left, right)
    if isinstance(node, ast.Call) and _is_root(node):
        return math.sqrt(_value(node.args[0], names, depth - 1))
    raise _NoFormulaError


def _is_root(node: ast.Call) -> bool:
    """Whether a call is sqrt(…) of one thing."""
    named = isinstance(node.func, ast.Name) and node.func.id == "sqrt"
    return named and len(node.args) == 1 and not node.keywords


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise _NoFormulaError
    return value


def _power(base: float, power: float) -> float:
    if abs(power) > _LARGEST_POWER:
        raise _NoFormulaError
    return math.pow(base, power)
