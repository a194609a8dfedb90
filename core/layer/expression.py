"""Formulas in x that a viewer typed: read, checked part by part, and written again for PyTorch.

A text is read by Python's parser and never executed as it stands. Every part of it must be one that
is listed here. What is executed is written anew from those parts.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

import torch

from ..text import shown
from .refused import RefusedError

LONGEST = 120
"""Characters that a formula may have."""

_DEEPEST = 16  # parts inside one another
_MOST_PARTS = 60
_LARGEST = 1e6  # of a number, in magnitude
_LARGEST_EXTREME = 65504.0  # of a number in min and max, which torch takes in float16
_LARGEST_POWER = 4.0

_WRITTEN = {
    "−": "-",
    "√": "sqrt",
    "π": "pi",
    "·": "*",
    "×": "*",
    "^": "**",
    "²": "**2",
    "³": "**3",
    "≤": "<=",
    "≥": ">=",
}
_ROOT_OF_ONE = re.compile(r"√\s*(\d+(?:\.\d*)?|x)")
_CONSTANTS = {"pi": math.pi, "e": math.e}


@dataclass(frozen=True)
class _Function:
    """A function of one number that formulas may use.

    Attributes:
        code: its name in PyTorch.
        kinks: the arguments at which it is not smooth.
    """

    code: str
    kinks: tuple[float, ...] = ()


_F = "torch.nn.functional."
FUNCTIONS: dict[str, _Function] = {
    "abs": _Function("torch.abs", kinks=(0.0,)),
    "asinh": _Function("torch.asinh"),
    "atan": _Function("torch.atan"),
    "cos": _Function("torch.cos"),
    "cosh": _Function("torch.cosh"),
    "elu": _Function(_F + "elu", kinks=(0.0,)),
    "erf": _Function("torch.erf"),
    "exp": _Function("torch.exp"),
    "expm1": _Function("torch.expm1"),
    "gelu": _Function(_F + "gelu"),
    "hardtanh": _Function(_F + "hardtanh", kinks=(-1.0, 1.0)),
    "log": _Function("torch.log", kinks=(0.0,)),
    "log1p": _Function("torch.log1p", kinks=(-1.0,)),
    "mish": _Function(_F + "mish"),
    "relu": _Function("torch.relu", kinks=(0.0,)),
    "relu6": _Function(_F + "relu6", kinks=(0.0, 6.0)),
    "selu": _Function("torch.selu", kinks=(0.0,)),
    "sigmoid": _Function("torch.sigmoid"),
    "sign": _Function("torch.sign", kinks=(0.0,)),
    "silu": _Function(_F + "silu"),
    "sin": _Function("torch.sin"),
    "sinh": _Function("torch.sinh"),
    "softplus": _Function(_F + "softplus"),
    "softsign": _Function(_F + "softsign", kinks=(0.0,)),
    "sqrt": _Function("torch.sqrt", kinks=(0.0,)),
    "tanh": _Function("torch.tanh"),
}
"""Name in a formula -> the function; besides them there are min, max and where."""

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_EXTREMES: dict[str, tuple[Callable[..., float], str]] = {
    "min": (min, "torch.clamp_max"),
    "max": (max, "torch.clamp_min"),
}
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ALLOWED = (
    f"allowed are numbers, x, pi, e, + − * / **, {', '.join(FUNCTIONS)}, min, max and "
    "where(x > 0, …, …)"
)

Part = float | ast.expr
"""A number, or a part of a PyTorch expression that contains x."""


@dataclass(frozen=True)
class Expression:
    """A formula in x that was read.

    Attributes:
        text: the formula as links write it.
        tree: the formula, made of nothing but what is allowed.
        code: the same as a PyTorch expression of x.
        switches: PyTorch expressions of x; where one is zero the formula may have a kink.
        parts: how many parts it has.
        calls: how many of them are functions, or powers that are not whole.
    """

    text: str
    tree: ast.expr
    code: str
    switches: tuple[str, ...]
    parts: int
    calls: int


def read(text: str) -> Expression:
    """The expression that a text describes.

    Args:
        text: of any kind.

    Raises:
        RefusedError: a part is not accepted; says which one and what is allowed.
    """
    plain = _ROOT_OF_ONE.sub(r"√(\1)", text.strip())
    for sign, word in _WRITTEN.items():
        plain = plain.replace(sign, word)
    if len(plain) > LONGEST:
        raise RefusedError(f"it must have at most {LONGEST} characters, got {len(plain)}")
    strange = [c for c in plain if c == "#" or not (c.isascii() and c.isprintable())]
    if strange:
        raise RefusedError(f"{shown(strange[0])} is not allowed; {_ALLOWED}")
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = f" ({error.msg})" if isinstance(error, SyntaxError) else ""
        raise RefusedError(f"it is no formula{why}, such as 2*x or abs(x); {_ALLOWED}") from None
    reader = _Reader()
    made = reader.read(tree, _DEEPEST)
    if isinstance(made, float):
        raise RefusedError("it must contain x")
    switches = tuple(dict.fromkeys(reader.switches))
    text = ast.unparse(_Shortest().visit(tree)).replace(" ", "")
    if len(text) > LONGEST:
        raise RefusedError(f"it must have at most {LONGEST} characters, got {len(text)}: {text}")
    return Expression(text, tree, ast.unparse(made), switches, reader.parts, reader.calls)


class _Shortest(ast.NodeTransformer):
    """Writes whole numbers without a point: the text of a formula then reads as itself."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        value = node.value
        return ast.Constant(int(value)) if isinstance(value, float) and value % 1 == 0 else node


def compiled(code: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function of x that a PyTorch expression is; it must come from an `Expression`."""
    made: Callable[[torch.Tensor], torch.Tensor] = eval(f"lambda x: {code}", {"torch": torch})
    return made


@dataclass
class _Reader:
    """Turns the parts of a formula into parts of a PyTorch expression.

    Attributes:
        switches: PyTorch expressions of x that are zero where the formula may have a kink.
        parts: how many parts were read.
        calls: how many of them are functions, or powers that are not whole.
    """

    switches: list[str] = field(default_factory=list)
    parts: int = 0
    calls: int = 0

    def read(self, node: ast.expr, depth: int) -> Part:
        """A part as PyTorch has it; ``depth`` is how many more may be inside one another."""
        self.parts += 1
        if depth == 0 or self.parts > _MOST_PARTS:
            raise RefusedError(
                f"it must have at most {_MOST_PARTS} parts, and {_DEEPEST} inside one another"
            )
        if isinstance(node, ast.Constant):
            return _number(node.value, node)
        if isinstance(node, ast.Name):
            return ast.Name("x") if node.id == "x" else _number(_CONSTANTS.get(node.id), node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self.read(node.operand, depth - 1)
            sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
            return sign * inner if isinstance(inner, float) else ast.UnaryOp(node.op, inner)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return self._binary(node, *(self.read(e, depth - 1) for e in (node.left, node.right)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node, node.func.id, depth)
        raise _not_allowed(node)

    def _binary(self, node: ast.BinOp, left: Part, right: Part) -> Part:
        if isinstance(left, float) and isinstance(right, float):
            return _folded(_BINARY[type(node.op)], node, left, right)
        if isinstance(node.op, ast.Pow) and not isinstance(left, float):
            if not isinstance(right, float):
                raise RefusedError(f"in {_text(node)} the base or the exponent must be a number")
            if abs(right) > _LARGEST_POWER:
                most = f"{_LARGEST_POWER:g}"
                raise RefusedError(f"the exponent in {_text(node)} must be from −{most} to {most}")
            if right < 0 or right % 1:
                self._switch(left, 0.0)
                self.calls += 1
        return ast.BinOp(_node(left), node.op, _node(right))

    def _call(self, node: ast.Call, name: str, depth: int) -> Part:
        if name == "where":
            return self._where(node, depth)
        if name not in _EXTREMES and name not in FUNCTIONS:
            raise _not_allowed(node.func)
        given = [self.read(each, depth - 1) for each in node.args]
        if name in _EXTREMES:
            if len(given) < 2:
                raise RefusedError(f"{name} takes at least 2 arguments, got {_text(node)}")
            return reduce(lambda a, b: self._extreme(name, a, b), given)
        if len(given) != 1:
            raise RefusedError(f"{name} takes 1 argument, got {_text(node)}")
        function, argument = FUNCTIONS[name], given[0]
        if isinstance(argument, float):
            return _folded(lambda value: _at(function, value), node, argument)
        for kink in function.kinks:
            self._switch(argument, kink)
        self.calls += 1
        return _called(function.code, argument)

    def _extreme(self, name: str, a: Part, b: Part) -> Part:
        """The larger or the smaller of two parts."""
        if isinstance(a, float) and isinstance(b, float):
            return _EXTREMES[name][0](a, b)
        if isinstance(a, float):
            a, b = b, a
        if isinstance(b, float) and abs(b) > _LARGEST_EXTREME:
            most = f"from −{_LARGEST_EXTREME:g} to {_LARGEST_EXTREME:g}"
            raise RefusedError(f"a number in {name} must be {most}, got {b:g}")
        self._switch(a, b)
        of_number = _EXTREMES[name][1]
        return _called(of_number if isinstance(b, float) else f"torch.{name}imum", a, b)

    def _where(self, node: ast.Call, depth: int) -> Part:
        """where(condition, a, b), the condition being one comparison."""
        if len(node.args) != 3 or not isinstance(node.args[0], ast.Compare):
            raise RefusedError(f"where takes a comparison and 2 values, got {_text(node)}")
        test = node.args[0]
        if len(test.ops) != 1 or not isinstance(test.ops[0], _COMPARISONS):
            raise RefusedError(f"a comparison must have one of < <= > >=, got {_text(test)}")
        left, right = (self.read(each, depth - 1) for each in (test.left, *test.comparators))
        if isinstance(left, float) and isinstance(right, float):
            raise RefusedError(f"a comparison must contain x, got {_text(test)}")
        self._switch(left, right)
        a, b = (self.read(each, depth - 1) for each in node.args[1:])
        made = _called("torch.where", ast.Compare(_node(left), test.ops, [_node(right)]), a, b)
        if isinstance(a, float) and isinstance(b, float):  # torch would make them float32
            return ast.Call(ast.Attribute(made, "to"), [ast.Attribute(ast.Name("x"), "dtype")], [])
        return made

    def _switch(self, left: Part, right: Part) -> None:
        """Note that there may be a kink where two parts are equal."""
        self.switches.append(ast.unparse(ast.BinOp(_node(left), ast.Sub(), _node(right))))


def _node(part: Part) -> ast.expr:
    """A part as a piece of Python; a whole number without a point."""
    if not isinstance(part, float):
        return part
    size = ast.Constant(int(abs(part)) if part.is_integer() else abs(part))
    return ast.UnaryOp(ast.USub(), size) if part < 0 else size


def _called(name: str, *parts: Part) -> ast.Call:
    return ast.Call(ast.parse(name, mode="eval").body, [_node(part) for part in parts], [])


def _number(value: object, node: ast.expr) -> float:
    """The value of a number in a formula."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_allowed(node)
    if not abs(value) <= _LARGEST:  # before it is a float: a huge integer does not fit one
        most = f"from −{_LARGEST:g} to {_LARGEST:g}"
        raise RefusedError(f"a number must be {most}, got {_text(node)}")
    return float(value)


def _folded(function: Callable[..., float], node: ast.expr, *numbers: float) -> float:
    """A part that has no x as one number."""
    try:
        value = function(*numbers)
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise RefusedError(f"{_text(node)} has no finite value")
    return _number(value, node)


def _at(function: _Function, value: float) -> float:
    return compiled(f"{function.code}(x)")(torch.tensor(value, dtype=torch.float64)).item()


def _text(node: ast.AST) -> str:
    return shown(ast.unparse(node))


def _not_allowed(node: ast.AST) -> RefusedError:
    return RefusedError(f"{_text(node)} is not allowed; {_ALLOWED}")
