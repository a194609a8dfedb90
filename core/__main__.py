"""The command line: ``python -m core --width 512 --scale 0.01 --format json``."""

from __future__ import annotations

import argparse
import sys

from .question.options import add_options, experiment_of
from .reading.records import FILE_FORMATS
from .simulation.backward import backpropagate
from .simulation.propagate import propagate


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Push a signal through many layers x = a @ x and measure every layer.",
    )
    add_options(parser)
    parser.add_argument(
        "--backward", action="store_true", help="pass a gradient back through the layers too"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or auto")
    parser.add_argument("--format", choices=FILE_FORMATS, default="table", help="default table")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run it; 2 and a message on stderr for what is not accepted."""
    options = vars(_parser().parse_args(arguments))
    try:
        compute = backpropagate if options.pop("backward") else propagate
        found = compute(experiment_of(options), options["device"])
    except ValueError as error:
        print(f"python -m {__package__}: {error}", file=sys.stderr)
        return 2
    sys.stdout.write(FILE_FORMATS[options["format"]](found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
