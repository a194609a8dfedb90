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


def _seeds(experiment: Experiment, networks: int) -> list[Experiment]:
    """The experiment with as many seeds, from its own on."""
    return [experiment.replace(seed=experiment.seed + k) for k in range(networks)]


def of_runs(numbers: OfRun) -> Measure:
    """Numbers of real runs forward."""

    def measure(experiment: Experiment, networks: int) -> Array:
        rows = [numbers(propagate(e)) for e in _seeds(experiment, networks)]
        return np.array(rows, dtype=np.float64).reshape(networks, -1)

    return measure


def of_gradients(numbers: OfBackward) -> Measure:
    """Numbers of real runs there and back."""

    def measure(experiment: Experiment, networks: int) -> Array:
        rows = [numbers(backpropagate(e)) for e in _seeds(experiment, networks)]
        return np.array(rows, dtype=np.float64).reshape(networks, -1)

    return measure


def of_ensemble(numbers: OfEnsemble, *, backward: bool = False) -> Measure:
    """Numbers of networks sampled at once, of shape (networks, numbers) or (networks,)."""

    def measure(experiment: Experiment, networks: int) -> Array:
        found = numbers(sample_ensemble(experiment, networks, backward=backward))
        return np.asarray(found, dtype=np.float64).reshape(networks, -1)

    return measure


def statistic(name: str, layers: Sequence[int]) -> Measure:
    """A statistic of real runs at some layers, such as "std"."""
    return of_runs(lambda run: run.stats.values[name][list(layers)])


def size(name: str, layers: Sequence[int]) -> Measure:
    """The size of x or of δ at some layers, in networks sampled at once.

    Args:
        name: "rms", "std" or "gradient_rms".
        layers: their numbers.
    """

    def numbers(many: Ensemble) -> Array:
        octaves: Array = getattr(many, f"log2_{name}")
        return np.exp2(octaves[:, list(layers)])

    return of_ensemble(numbers, backward=name.startswith("gradient"))
