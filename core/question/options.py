"""The fields of an Experiment as options of a command line."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from .experiment import DEFAULTS, PARAMETERS, Experiment
from .parameter import refusals


def add_options(parser: ArgumentParser) -> None:
    """Add an option for every field, made from the field's description, to ``parser``."""
    for name, parameter in PARAMETERS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar=parameter.kind.upper(),
            help=f"{parameter.help} {_allowed(name)}. Default {DEFAULTS[name]}.",
        )


def _allowed(name: str) -> str:
    parameter = PARAMETERS[name]
    formula = ", or a formula such as 5/3 or 1/sqrt(n)" if parameter.kind == "real" else ""
    return parameter.allowed.capitalize() + formula


def experiment_of(options: Mapping[str, Any]) -> Experiment:
    """The Experiment that parsed options describe; stderr tells names that are called otherwise.

    Args:
        options: field -> text, or None for an option that was not given.

    Raises:
        ValueError: a value is not accepted; names the field, the value and what is allowed.
    """
    query = {name: options[name] for name in PARAMETERS if options[name] is not None}
    experiment, problems = Experiment.from_query(query)
    refused = refusals(problems)
    if refused:  # each ends in the value used instead, but a command uses none
        raise ValueError("; ".join(problem.rsplit(": ", 1)[0] for problem in refused))
    for note in problems:
        print(note, file=sys.stderr)
    return experiment
