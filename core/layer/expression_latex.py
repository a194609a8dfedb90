"""A formula in x, as LaTeX."""

from __future__ import annotations

import ast

from ..text import format_number

_NAMES = {"pi": r"\pi", "e": "e", "x": "x"}
_FUNCTIONS = {"log": r"\ln", "atan": r"\arctan"} | {
    name: rf"\{name}" for name in ("cos", "cosh", "exp", "max", "min", "sin", "sinh", "tanh")
}
_SIGNS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 1),
    ast.Sub: ("-", 1),
    ast.Mult: (r"\,", 2),
}
_RELATIONS = {ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge"}
_OF_SIGN, _ATOM = 2, 4  # how closely a part holds together: a sum 1, a product 2, a power 3


def latex(node: ast.AST) -> str:
    """A formula in LaTeX.

    Args:
        node: the tree of an `expression.Expression`.
    """
    return _part(node)[0]


def _part(node: ast.AST) -> tuple[str, int]:
    """A part in LaTeX, and how closely it holds together."""
    if isinstance(node, ast.Constant):
        text = _number(float(node.value))  # type: ignore[arg-type]
        return text, _ATOM if text.replace(".", "").isdigit() else 2
    if isinstance(node, ast.Name):
        return _NAMES[node.id], _ATOM
    if isinstance(node, ast.UnaryOp):
        sign = "-" if isinstance(node.op, ast.USub) else "+"
        return sign + _inside(node.operand, _OF_SIGN), 1
    if isinstance(node, ast.BinOp):
        return _binary(node)
    if isinstance(node, ast.Compare):
        relation = _RELATIONS[type(node.ops[0])]
        return f"{latex(node.left)} {relation} {latex(node.comparators[0])}", 0
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return _call(node.func.id, [latex(each) for each in node.args]), _ATOM


def _binary(node: ast.BinOp) -> tuple[str, int]:
    if isinstance(node.op, ast.Div):
        return rf"\frac{{{latex(node.left)}}}{{{latex(node.right)}}}", 3
    if isinstance(node.op, ast.Pow):
        return f"{_inside(node.left, _ATOM)}^{{{latex(node.right)}}}", 3
    sign, level = _SIGNS[type(node.op)]
    if isinstance(node.op, ast.Mult) and _inside(node.right, level)[:1].isdigit():
        sign = r"\cdot "
    beyond = level if isinstance(node.op, ast.Add) else level + (isinstance(node.op, ast.Sub))
    left = latex(node.left) if isinstance(node.left, ast.UnaryOp) else _inside(node.left, level)
    return f"{left}{sign}{_inside(node.right, beyond)}", level


def _inside(node: ast.AST, level: int) -> str:
    """A part, in parentheses if it holds together less closely than ``level``."""
    text, own = _part(node)
    return rf"\left({text}\right)" if own < level else text


def _call(name: str, arguments: list[str]) -> str:
    if name == "abs":
        return rf"\left|{arguments[0]}\right|"
    if name == "sqrt":
        return rf"\sqrt{{{arguments[0]}}}"
    if name == "where":
        condition, a, b = arguments
        return rf"\begin{{cases}}{a} & {condition}\\{b} & \text{{else}}\end{{cases}}"
    function = _FUNCTIONS.get(name, rf"\operatorname{{{name}}}")
    return rf"{function}\left({', '.join(arguments)}\right)"


def _number(value: float) -> str:
    digits, _, power = format_number(value).partition("e")
    return rf"{digits}\cdot 10^{{{int(power)}}}" if power else digits
