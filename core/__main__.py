"""The command line: ``python -m core --width 512 --scale 0.01 --format json``."""

from __future__ import annotations

import argparse
import sys

from core.experiment import DEFAULTS, PARAMETERS, Experiment
from core.propagate import propagate
from core.records import FILE_FORMATS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Push a signal through many layers x = a @ x and measure every layer.",
    )
    for name, parameter in PARAMETERS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar=parameter.kind.upper(),
            help=f"{parameter.help} {parameter.allowed.capitalize()}. Default {DEFAULTS[name]}.",
        )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or auto")
    parser.add_argument("--format", choices=FILE_FORMATS, default="table", help="default table")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run it; 2 and a message on stderr for what is not accepted."""
    options = vars(_parser().parse_args(arguments))
    query = {name: options[name] for name in PARAMETERS if options[name] is not None}
    experiment, problems = Experiment.from_query(query)
    try:
        if problems:
            raise ValueError("; ".join(problem.rsplit(": ", 1)[0] for problem in problems))
        run = propagate(experiment, options["device"])
    except ValueError as error:
        print(f"python -m core: {error}", file=sys.stderr)
        return 2
    sys.stdout.write(FILE_FORMATS[options["format"]](run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
