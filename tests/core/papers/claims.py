"""Claims made up for tests: their numbers are chosen, and no network is drawn."""

from __future__ import annotations

import numpy as np

from core import Experiment
from core.papers import Claim, Source

SOURCE = Source(authors="Nobody", year=2000, title="Nothing", where="nowhere", place="page 1")


def networks_around(center, spread):
    """A measure: numbers that scatter around ``center`` with exactly this mean and spread."""

    def measure(experiment, networks):
        z = np.random.default_rng(experiment.seed).standard_normal((networks, np.size(center)))
        z = (z - z.mean(0)) / z.std(0, ddof=1)
        return np.asarray(center) + spread * z

    return measure


def claim(printed, center=1.0, spread=0.01, **changes):
    """A claim of which ``printed`` was printed, and around ``center`` is measured."""
    numbers = (printed,) if isinstance(printed, str) else printed
    fields = {
        "name": "made-up",
        "topic": "Gains",
        "title": "made up",
        "source": SOURCE,
        "asked": "?",
        "found": ".",
        "seen": ".",
        "at": tuple(f"number {k}" for k in range(len(numbers))),
        "printed": numbers,
        "experiment": Experiment(depth=1),
        "measure": networks_around(np.broadcast_to(center, len(numbers)), spread),
        "networks": 400,
        "few": 16,
    }
    return Claim(**(fields | changes))
