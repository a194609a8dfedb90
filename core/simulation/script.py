"""An Experiment as a standalone PyTorch script, in the style of the lesson."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable

from ..layer.multiplication import Function
from ..layer.operation import Code
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..statistics.layer_stats import EVENTS
from ..text import format_number
from .backward import BackwardEvents

_CHECKS = {name: event.check for name, event in EVENTS.items() if event.check}
_BACKWARD = tuple(BackwardEvents.__dataclass_fields__)


def source_lines(known: Function) -> list[str]:
    """The source of a function, its docstring and types left out: one definition, two homes."""
    function = ast.parse(inspect.getsource(known)).body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = function.body[1:]
    for argument in function.args.args:
        argument.annotation = None
    function.returns = None
    return ast.unparse(function).splitlines()


def _check_lines(e: Experiment, name: str, events: Iterable[str], first: str, at: str) -> list[str]:
    """Lines that note in the dictionary ``first`` where each event first happens to ``name``."""
    native = e.format.dtype == e.format.product_dtype
    x = name if native else f"{name}.float()"
    std = f"{x}.std()" if e.width * e.batch_size > 1 else "float('nan')"
    tiny = f"torch.finfo({e.format.dtype}).smallest_normal"
    lines = []
    for event in events:
        lines += [
            f"if {_CHECKS[event].format(x=x, std=std, tiny=tiny)}:",
            f"    {first}.setdefault({event!r}, {at})",
        ]
    return lines


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _functions(e: Experiment) -> list[str]:
    """The functions that the script needs, each with two empty lines below."""
    known = (stream_seed, *e.format.functions)
    return [line for function in known for line in (*source_lines(function), "", "")]


def _head_lines(e: Experiment) -> list[str]:
    return [
        "import torch",
        "",
        f"n, depth, seed = {e.width}, {e.depth}, {e.seed}",
        *([f"m = {e.expansion} * n  # hidden units"] if e.branch == "mlp" else []),
        'device = "cpu"  # or "cuda"',
        "torch.set_default_device(device)",
        "torch.set_num_threads(1)  # one order of adding up: the same bits on any number of cores",
        "",
        "",
        *_functions(e),
        "def stream(layer):",
        "    return torch.Generator(device).manual_seed(stream_seed(seed, layer))",
        "",
        "",
    ]


def _mean_and_std_lines(name: str, label: str = "") -> list[str]:
    return [
        "# mean and std in float64, scaled by an exact power of two so that no square overflows",
        f"y = {name}.double()",
        "e = min(max(torch.frexp(y.abs().max()).exponent.item(), -1000), 1000)",
        "y = y * 2.0 ** -e",
        "mean = y.sum(-1).sum() / y.numel()",
        "variance = (y - mean).square().sum(-1).sum() / (y.numel() - 1)  # unbiased, as x.std()",
        f'print(f"{label}mean: {{(mean * 2.0 ** e).item()}}, '
        'std: {variance.item() ** 0.5 * 2.0 ** e}")',
    ]


def _normal(e: Experiment, layer: str, factor: float = 1.0) -> str:
    """A normal tensor shaped like x in the number format, as an expression."""
    shape = "n" if e.batch_size == 1 else f"n, {e.batch_size}"
    drawn = f"torch.randn({shape}, generator=stream({layer}))"
    if factor != 1:
        drawn = f"({drawn} * {format_number(factor)})"
    return e.format.cast_code(drawn)


def _input(e: Experiment) -> str:
    """The input in the number format, as an expression."""
    inputs = 1 if e.batch_size == 1 else e.batch_size
    size = "n" if e.batch_size == 1 else f"n, {e.batch_size}"
    drawn = e.source.code.format(size=size, inputs=inputs, stream="stream(0)")
    if e.batch_size == 1 and e.input == "one_hot":
        drawn += ".squeeze(1)"
    if e.input_scale != 1:
        drawn = f"({drawn} * {format_number(e.input_scale)})"
    return e.format.cast_code(drawn)


def _forward_lines(e: Experiment, code: Code, *, keeps: bool) -> list[str]:
    tied = e.weights == "tied"
    draw = [f"generator = stream({'1' if tied else 'i + 1'})", *code.draw]
    before, inside = (draw, []) if tied else ([], draw)
    checks = _check_lines(e, "x", _CHECKS, "first", "i")
    return [
        f"x = {_input(e)}",
        *before,
        *(["tape = []  # what the way back needs"] if keeps else []),
        "first = {}",
        "for i in range(depth):",
        *_indented(inside + (code.traced if keeps else code.step) + checks),
        "",
        f"for event in {tuple(_CHECKS)}:",
        '    print(f"{event}: {first.get(event)}")',
        "",
        *_mean_and_std_lines("x"),
    ]


def _backward_lines(e: Experiment, code: Code) -> list[str]:
    checks = _check_lines(e, "g", _BACKWARD, "first_back", "k")
    return [
        "",
        "# The gradient of a loss whose gradient at the output is normal, layer by layer back.",
        f"g = {_normal(e, '2**40', e.loss_scale)}",
        "first_back = {}",
        "for k in range(depth, -1, -1):",
        "    if k < depth:",
        *_indented(_indented(code.back)),
        *_indented(checks),
        "",
        f"for event in {_BACKWARD}:",
        '    print(f"gradient {event}: {first_back.get(event)}")',
        "",
        *_mean_and_std_lines("g", "gradient "),
    ]


def to_script(experiment: Experiment, *, backward: bool = False) -> str:
    """A Python script that repeats the run of ``experiment`` with torch alone.

    It draws the same numbers as ``propagate`` and prints the same events, each as a loop index i or
    None. On the same device it prints the mean and std of the last x, equal to the last bit.

    Args:
        experiment: the question.
        backward: whether the script goes back too, as ``backpropagate`` does: with the transposed
            matrices and without autograd. Its events are layers k, its mean and std those of δ_0.
    """
    e = experiment
    code = e.layer.code(e.shape, e.arithmetic)
    lines = [*_head_lines(e), *_forward_lines(e, code, keeps=backward)]
    if backward:
        lines += _backward_lines(e, code)
    return "\n".join(lines) + "\n"
