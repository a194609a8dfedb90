"""Check a model from the command line: ``python -m good_init.probe models:build --input 8x784``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..layer.number_formats import NUMBER_FORMATS
from ..text import with_minus
from .check import MOST_SEEDS, check_built, format_of_model
from .inputs import batch_of, tensor_of
from .measure import Ask, CheckError
from .report import Report

HEALTHY, FINDINGS, COULD_NOT = 0, 1, 2
"""Exit statuses."""
_MOST_PLACES = 3  # of a rule that are printed
_NAME = f"python -m {__package__}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_NAME,
        description="Run a model there and back before its first step, and say which part of it "
        "explodes, vanishes, is dead, saturated, or out of its number format.",
        epilog="The exit status is 0 if the model is healthy, 1 if there are findings, and 2 if it "
        "could not be run.",
    )
    add = parser.add_argument
    add("model", metavar="package.module:build", help="what is called to build the model")
    add(
        "--input",
        metavar="SHAPE",
        action="append",
        required=True,
        help="8x3x224x224, float16:8x784, int64:8x128:50257 for integers below 50257, or "
        "name=SHAPE for a keyword; once for each argument",
    )
    add(
        "--target",
        metavar="SHAPE",
        help="labels for the cross-entropy, such as int64:8:1000; else the gradient at the end "
        "is random",
    )
    add("--seeds", type=int, default=3, help="how often the model is built; default 3")
    add("--number-format", metavar="NAME", help=f"one of {', '.join(NUMBER_FORMATS)}")
    add("--html", type=Path, metavar="FILE", help="write a page that needs no network")
    add("--json", type=Path, metavar="FILE", help="write a file for the page Your model")
    add("--fix", action="store_true", help="judge the model with the factors, and print them")
    return parser


def build_of(text: str) -> Callable[[], Any]:
    """What "package.module:build" names, as a function without arguments.

    Raises:
        ValueError: there is no such module or name, or it builds nothing.
    """
    place, _, name = text.partition(":")
    if not place or not name:
        raise ValueError(f"the model must be named as package.module:build, got {text!r}")
    try:
        found = import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not (place == error.name or place.startswith(f"{error.name}.")):
            raise
        raise ValueError(f"there is no module {place!r} here or among those installed") from None
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"the module {place} has no {name!r}")
        found = getattr(found, part)
    if not callable(found) or isinstance(found, nn.Module):
        raise ValueError(f"{text} must be a function or a class that builds the model anew")
    return found


def _checked(options: argparse.Namespace) -> Report:
    build = build_of(options.model)

    def built(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        model = build()
        if not isinstance(model, nn.Module):
            raise ValueError(f"{options.model} must build a module, got {type(model).__name__}")
        return model

    if not 1 <= options.seeds <= MOST_SEEDS:
        raise ValueError(f"--seeds must be from 1 to {MOST_SEEDS}, got {options.seeds}")
    generator = torch.Generator().manual_seed(0)
    batch = batch_of(options.input, generator)
    target = None if options.target is None else tensor_of(options.target, generator)[1]
    name = options.number_format or format_of_model(built(0))
    ask = Ask(batch, None, target, name)
    return check_built(built, ask, seeds=options.seeds, tell=_progress(options.seeds + 1))


def _progress(runs: int) -> Callable[[float], None]:
    """A line on stderr about how far it is, written over where there is a screen."""

    def tell(fraction: float) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{round(fraction * runs)} of at most {runs} runs", end=end, file=sys.stderr)

    return tell


def text_of(report: Report) -> str:
    """The verdict and the findings, in lines."""
    lines = [report.verdict]
    places: dict[str, int] = {}
    for each in report.findings:
        places[each.rule] = places.get(each.rule, 0) + 1
        if places[each.rule] <= _MOST_PLACES:
            at = f"{each.module}: " if each.module else ""
            lines.append(f"  {each.rule}  {at}{each.number}; allowed: {each.threshold}")
        if places[each.rule] == 1:
            lines.append(f"    {each.why} {each.todo}")
    lines += [
        f"  {rule}  at {count - _MOST_PLACES} more"
        for rule, count in places.items()
        if count > _MOST_PLACES
    ]
    return with_minus("\n".join(lines))


def main(arguments: list[str] | None = None) -> int:
    """Check a model; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        report = _checked(options)
        if options.html is not None:
            report.to_html(options.html)
        if options.json is not None:
            report.save(options.json)
    except (ValueError, CheckError, OSError) as error:
        print(f"{_NAME}: {error}", file=sys.stderr)
        return COULD_NOT
    except Exception as error:  # of the model's own module or function
        print(f"{_NAME}: {options.model} raised {type(error).__name__}: {error}", file=sys.stderr)
        return COULD_NOT
    print(text_of(report))
    if options.fix and report.after is not None:
        print(f"\nWith the factors:\n{text_of(report.after)}\n\n{report.lines}")
        report = report.after
    return HEALTHY if report.is_healthy else FINDINGS


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main())
