"""The ways in which claims are measured: statistics of real runs, and of many networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.backward import Backward, backpropagate
from ..simulation.ensemble import Ensemble, sample_ensemble
from ..simulation.propagate import Run, propagate
from .claim import Measure

OfRun = Callable[[Run], Array | Sequence[float] | float]
OfBackward = Callable[[Backward], Array | Sequence[float] | float]
OfEnsemble = Callable[[Ensemble], Array]


def seeds(experiment: Experiment, networks: int) -> list[Experiment]:
    """The experiment with as many seeds, from its own on."""
    return [experiment.replace(seed=experiment.seed + k) for k in range(networks)]


def of_runs(numbers: OfRun) -> Measure:
    """Numbers of real runs forward."""

    def measure(experiment: Experiment, networks: int) -> Array:
        rows = [numbers(propagate(e)) for e in seeds(experiment, networks)]
        return np.array(rows, dtype=np.float64).reshape(networks, -1)

    return measure


def of_gradients(numbers: OfBackward) -> Measure:
    """Numbers of real runs there and back."""

    def measure(experiment: Experiment, networks: int) -> Array:
        rows = [numbers(backpropagate(e)) for e in seeds(experiment, networks)]
        return np.array(rows, dtype=np.float64).reshape(networks, -1)

    return measure


def of_ensemble(numbers: OfEnsemble, *, backward: bool = False) -> Measure:
    """Numbers of networks sampled at once, of shape (networks, numbers) or (networks,)."""

    def measure(experiment: Experiment, networks: int) -> Array:
        found = numbers(sample_ensemble(experiment, networks, backward=backward))
        return np.asarray(found, dtype=np.float64).reshape(networks, -1)

    return measure


def statistic(name: str, layers: Sequence[int]) -> Measure:
    """A statistic at some layers, such as "std"."""
    return of_runs(lambda run: run.stats.values[name][list(layers)])


def over(field: str, values: Sequence[object], measure: Measure) -> Measure:
    """The same number at several values of a field, one after the other."""

    def measured(experiment: Experiment, networks: int) -> Array:
        columns = [measure(experiment.replace(**{field: value}), networks) for value in values]
        return np.concatenate(columns, axis=1)

    return measured
