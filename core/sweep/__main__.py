"""The command line: ``python -m core.sweep --x scale=1e-2..1e1:48 --y width=16..2048:48``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from ..question.options import add_options, experiment_of
from .axes import AXES, Axis, notes, parse
from .executors import chosen, setting_address
from .groups import ENGINES
from .measures import MEASURES, measure_of
from .result import SweepResult
from .run import sweep
from .table import WRITERS, save, writer_of


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Vary an experiment along one or two of its fields. An axis is "
        f"name=from..to:count or name=value,value,…; name is one of {', '.join(AXES)}. "
        "GOOD_INIT_DASK=tcp://… computes on a Dask cluster.",
    )
    parser.add_argument("--x", required=True, metavar="AXIS", help="scale=1e-2..1e1:48")
    parser.add_argument("--y", metavar="AXIS", help="width=16..2048:48")
    parser.add_argument(
        "--measure",
        default="first_nonfinite",
        help=f"{', '.join(MEASURES)}; a statistic is that of the last layer, rms@10 of layer 10",
    )
    parser.add_argument("--networks", type=int, default=1, help="in each cell; default 1")
    parser.add_argument(
        "--real", action="store_true", help="multiply real matrices, whatever is known"
    )
    parser.add_argument("--processes", type=int, default=1, help="of this machine; default 1")
    parser.add_argument("--out", metavar="FILE", help=f"a file that ends in {', '.join(WRITERS)}")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_options(parser)
    return parser


def _axes(options: Mapping[str, Any]) -> dict[str, Axis]:
    made = [parse(options[name]) for name in ("x", "y") if options[name]]
    if len({axis.name for axis in made}) < len(made):
        raise ValueError(f"x and y must be different fields, got {made[0].name} twice")
    for note in (note for name in ("x", "y") if options[name] for note in notes(options[name])):
        print(note, file=sys.stderr)
    return {axis.name: axis for axis in made}


def summary(result: SweepResult, seconds: float, where: str) -> str:
    """The cells, the seconds, the engines and the errors, in a few lines."""
    grid = " × ".join(str(size) for size in result.shape)
    per_cell = "" if result.measure.of_theory else f", {result.question.ensemble_size} per cell"
    lines = [
        f"{result.measure.label}: {grid} cells{per_cell}, {seconds:.1f} s, {where}",
        *(f"  numbers from: {ENGINES[name]}" for name in result.engine_names),  # type: ignore[index]
    ]
    for reason in dict.fromkeys(result.errors.values()):
        count = list(result.errors.values()).count(reason)
        lines.append(f"  {count} cells without a number: {reason}")
    return "\n".join(lines)


def _swept(options: Mapping[str, Any]) -> SweepResult:
    base, axes = experiment_of(options), _axes(options)
    measure_of(options["measure"])
    if options["out"]:
        writer_of(options["out"])
    address, processes = setting_address(), int(options["processes"])
    if processes < 1:
        raise ValueError(f"processes must be a whole number of at least 1, got {processes}")
    where = f"on {address}" if address else f"in {processes} process{'es' * (processes > 1)}"
    start = time.perf_counter()
    form = "{l_bar}{bar}| {elapsed}<{remaining}"
    with (
        tqdm(total=1.0, bar_format=form, disable=options["quiet"]) as bar,
        chosen(processes) as executor,
    ):
        result = sweep(
            base,
            {name: axis.values for name, axis in axes.items()},
            options["measure"],
            ensemble_size=options["networks"],
            real=options["real"],
            executor=executor,
            on_progress=lambda fraction: bar.update(fraction - bar.n),
        )
    print(summary(result, time.perf_counter() - start, where))
    if options["out"]:
        save(result, options["out"])
        print(f"  written: {options['out']}")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run it. Returns 2, with a message on stderr, if an option is refused; 1 if cells failed."""
    options = vars(_parser().parse_args(arguments))
    try:
        result = _swept(options)
    except (ValueError, OSError) as error:
        print(f"python -m {__package__}: {error}", file=sys.stderr)
        return 2
    return 1 if result.errors else 0


if __name__ == "__main__":
    sys.exit(main())
