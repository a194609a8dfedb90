"""Many of the lesson's networks in float32, several in one product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..host.limits import WorkLimit
from ..host.threads import keep_freed_memory
from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.propagate import layer_generator
from .draws import at_once, batches
from .step import OnProgress

Floats = NDArray[np.float32]

_SEEDS = 2**63
# Microseconds: of a network's streams and a drawn weight; of a layer's calls, and for each network
# those of a column, of a number that is looked at, and of a weight in a product.
_DRAWS, _DRAWN = 40.0, 0.0045
_LAYER, _COLUMN, _SEEN, _MULTIPLIED = 12.0, 0.3, 0.003, 1.6e-4
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Networks:
    """Some of many networks, on their way through the layers.

    Attributes:
        places: theirs among all networks.
        layers: yields x after every product, shape (networks, n).
    """

    places: slice
    layers: Iterator[Floats]


def work_of_networks(n: int, count: int, layers: int) -> float:
    """The multiply-adds of ``count`` networks through so many layers, at width n."""
    matrix = float(n) ** 2
    each = _DRAWS + _DRAWN * matrix + layers * (_COLUMN + _SEEN * n + _MULTIPLIED * matrix)
    batches = -(-count // at_once(n, count))
    return (batches * layers * _LAYER + count * each) * MICROSECOND


def one_matrix_each(
    experiment: Experiment, count: int, on_progress: OnProgress
) -> Iterator[Networks]:
    """``count`` networks, each with one matrix for all its products.

    Network k is the Experiment with k added to its seed: the same input and the same weights.
    Its sums may be added up in another order than ``propagate``'s.

    Args:
        experiment: tied, float32, linear, init "normal", one input, no bias.
        count: the number of networks.
        on_progress: called with the fraction that is done.

    Raises:
        WorkLimitError: the host does not allow so much work.
    """
    work = work_of_networks(experiment.width, count, experiment.depth)
    what = f"an ensemble of {count} networks"
    WorkLimit.from_environment().check_work(what, work, "width, depth or repetitions")
    keep_freed_memory()
    n = experiment.width
    for places, a in batches(n, count):
        x = torch.empty(len(a), n)
        for row, place in enumerate(range(places.start, places.stop)):
            e = experiment.replace(seed=(experiment.seed + place) % _SEEDS)
            torch.randn(n, generator=layer_generator(e, 0, _CPU), out=x[row])
            torch.randn(n, n, generator=layer_generator(e, 1, _CPU), out=a[row])
        if experiment.scale != 1:
            a.mul_(experiment.scale)
        yield Networks(places, _products(a.numpy(), x.numpy(), experiment.depth))
        on_progress(places.stop / count)


def _products(a: Floats, x: Floats, depth: int) -> Iterator[Floats]:
    column = x[:, :, None]
    for _ in range(depth):
        with np.errstate(over="ignore", invalid="ignore"):
            column = a @ column
        yield column[:, :, 0]


def last_stds(experiment: Experiment, count: int, on_progress: OnProgress) -> Array:
    """The std of the last x of ``count`` networks, float64 of shape (count,).

    NaN for a network that overflowed.
    """
    stds = []
    for networks in one_matrix_each(experiment, count, on_progress):
        *_, last = networks.layers
        with np.errstate(invalid="ignore"):
            stds.append(last.astype(np.float64).std(1, ddof=1))
    return np.concatenate(stds)


def first_indices(
    experiment: Experiment,
    count: int,
    events: int,
    happened: Callable[[Floats], NDArray[np.bool_]],
    on_progress: OnProgress,
) -> NDArray[np.int_]:
    """The loop index at which each of some events first happens in each network.

    Args:
        experiment, count, on_progress: as of ``one_matrix_each``.
        events: the number of events.
        happened: from x of shape (networks, n) to whether each event happens there, shape
            (events, networks).

    Returns:
        Shape (events, count); −1 for an event that never happens.
    """
    found = np.full((events, count), -1)
    for networks in one_matrix_each(experiment, count, on_progress):
        first = found[:, networks.places]
        for i, x in enumerate(networks.layers):
            first[happened(x) & (first < 0)] = i
            if (first >= 0).all():
                break
    return found
