"""Many of the lesson's networks, multiplied out for real, several in one product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..host.limits import WorkLimit
from ..host.threads import keep_freed_memory
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.propagate import layer_generator
from .step import OnProgress

Floats = NDArray[np.float32]

_AT_ONCE = 2**20  # weights: several matrices that stay in the cache
_SEEDS = 2**63
_CPU = torch.device("cpu")


def neighbours(experiment: Experiment, count: int) -> list[Experiment]:
    """The same experiment with this seed and the ones that follow it."""
    seeds = ((experiment.seed + place) % _SEEDS for place in range(count))
    return [experiment.replace(seed=seed) for seed in seeds]


@dataclass(frozen=True, eq=False)
class Networks:
    """Some networks on their way: real float32 numbers, as in the lesson's own loop.

    Attributes:
        place: of the first of them among all.
        layers: yields x after every product, shape (networks, n).
    """

    place: int
    layers: Iterator[Floats]


def one_matrix_each(
    experiment: Experiment, count: int, on_progress: OnProgress
) -> Iterator[Networks]:
    """``count`` networks with neighbouring seeds, each with one matrix for all its products.

    Every network is the Experiment of its seed: same input, same weights. Sums may add up in
    another order than ``propagate``'s.

    Args:
        experiment: tied, float32, linear, init "normal", one input, no bias.
        count: how many networks.
        on_progress: hears the fraction done.

    Raises:
        WorkLimitError: the host does not allow so much work.
    """
    work = float(count) * experiment.width**2 * (experiment.depth + 16)
    WorkLimit.from_environment().check_ensemble(work, count)
    keep_freed_memory()
    n, everyone = experiment.width, neighbours(experiment, count)
    at_once = min(count, max(1, _AT_ONCE // n**2))
    a, x = torch.empty(at_once, n, n), torch.empty(at_once, n)
    for start in range(0, count, at_once):
        some = everyone[start : start + at_once]
        for place, e in enumerate(some):
            torch.randn(n, generator=layer_generator(e, 0, _CPU), out=x[place])
            torch.randn(n, n, generator=layer_generator(e, 1, _CPU), out=a[place])
        if experiment.scale != 1:
            a.mul_(experiment.scale)
        weights, inputs = a[: len(some)].numpy(), x[: len(some)].numpy()
        yield Networks(start, _products(weights, inputs, experiment.depth))
        on_progress((start + len(some)) / count)


def _products(a: Floats, x: Floats, depth: int) -> Iterator[Floats]:
    column = x[:, :, None]
    for _ in range(depth):
        with np.errstate(over="ignore", invalid="ignore"):
            column = a @ column
        yield column[:, :, 0]


def last_sizes(experiment: Experiment, count: int, on_progress: OnProgress) -> tuple[Array, Array]:
    """Mean and std of the last x of ``count`` networks, float64 of shape (count,)."""
    means, stds = [], []
    for networks in one_matrix_each(experiment, count, on_progress):
        *_, last = networks.layers
        wide = last.astype(np.float64)
        means.append(wide.mean(1))
        stds.append(wide.std(1, ddof=1))
    return np.concatenate(means), np.concatenate(stds)
