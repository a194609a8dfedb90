"""An Experiment as options of a command line, each made from the field's own description."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from .experiment import DEFAULTS, PARAMETERS, Experiment


def add_options(parser: ArgumentParser) -> None:
    """Give a parser an option for every field of an Experiment."""
    for name, parameter in PARAMETERS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar=parameter.kind.upper(),
            help=f"{parameter.help} {parameter.allowed.capitalize()}. Default {DEFAULTS[name]}.",
        )


def experiment_of(options: Mapping[str, Any]) -> Experiment:
    """The Experiment that parsed options mean.

    Raises:
        ValueError: values are not accepted; says which, and what is allowed.
    """
    query = {name: options[name] for name in PARAMETERS if options[name] is not None}
    experiment, problems = Experiment.from_query(query)
    if problems:  # a link would say what is used instead; a command uses nothing
        raise ValueError("; ".join(problem.rsplit(": ", 1)[0] for problem in problems))
    return experiment
