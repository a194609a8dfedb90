"""An Experiment as a standalone PyTorch script, in the style of the lesson."""

from __future__ import annotations

import ast
import inspect

from ..layer.arithmetic import Rounded
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..statistics.layer_stats import EVENTS

_CHECKS = {name: event.check for name, event in EVENTS.items() if event.check}


def stream_seed_lines() -> list[str]:
    """The source of ``stream_seed`` with its docstring left out: one definition, two homes."""
    function = ast.parse(inspect.getsource(stream_seed)).body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = function.body[1:]
    for argument in function.args.args:
        argument.annotation = None
    function.returns = None
    return ast.unparse(function).splitlines()


def _check_lines(e: Experiment) -> list[str]:
    native = e.format.dtype == e.format.product_dtype
    x = "x" if native else "x.float()"
    std = f"{x}.std()" if e.width * e.batch_size > 1 else "float('nan')"
    tiny = f"torch.finfo({e.format.dtype}).smallest_normal"
    lines = []
    for event, check in _CHECKS.items():
        lines += [
            f"if {check.format(x=x, std=std, tiny=tiny)}:",
            f"    first.setdefault({event!r}, i)",
        ]
    return lines


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _head_lines(e: Experiment) -> list[str]:
    return [
        "import torch",
        "",
        f"n, depth, seed = {e.width}, {e.depth}, {e.seed}",
        'device = "cpu"  # or "cuda"',
        "torch.set_default_device(device)",
        "torch.set_num_threads(1)  # one order of adding up: the same bits on any number of cores",
        "",
        "",
        *stream_seed_lines(),
        "",
        "",
        "def stream(layer):",
        "    return torch.Generator(device).manual_seed(stream_seed(seed, layer))",
        "",
        "",
    ]


def _loop_lines(e: Experiment) -> list[str]:
    shape = "n" if e.batch_size == 1 else f"n, {e.batch_size}"
    start = "" if e.number_format == "float32" else f".to({e.format.dtype})"
    code = e.layer.code(e.shape, Rounded(e.format))
    tied = e.weights == "tied"
    draw = [f"generator = stream({'1' if tied else 'i + 1'})", *code.draw]
    before, inside = (draw, []) if tied else ([], draw)
    return [
        f"x = torch.randn({shape}, generator=stream(0)){start}",
        *before,
        "first = {}",
        "for i in range(depth):",
        *_indented(inside + code.step + _check_lines(e)),
        "",
        f"for event in {tuple(_CHECKS)}:",
        '    print(f"{event}: {first.get(event)}")',
        "",
    ]


_LAST_MEAN_AND_STD = [
    "# mean and std in float64, scaled by an exact power of two so that no square overflows",
    "y = x.double()",
    "e = min(max(torch.frexp(y.abs().max()).exponent.item(), -1000), 1000)",
    "y = y * 2.0 ** -e",
    "mean = y.sum(-1).sum() / y.numel()",
    "variance = (y - mean).square().sum(-1).sum() / (y.numel() - 1)  # unbiased, as x.std()",
    'print(f"mean: {(mean * 2.0 ** e).item()}, std: {variance.item() ** 0.5 * 2.0 ** e}")',
]


def to_script(experiment: Experiment) -> str:
    """A Python script that repeats the run of ``experiment`` with torch alone.

    It draws the same numbers as ``propagate`` and prints the same events, each as a loop index i or
    None. On the same device it prints the mean and std of the last x, equal to the last bit.
    """
    lines = [*_head_lines(experiment), *_loop_lines(experiment), *_LAST_MEAN_AND_STD]
    return "\n".join(lines) + "\n"
