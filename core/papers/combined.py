"""Numbers of several experiments, or of several kinds, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment


def beside(*measures: Callable[..., Array]) -> Callable[..., Array]:
    """Several measures, or exacts, of one experiment, one after the other."""

    def all_of_them(experiment: Experiment, *networks: int) -> Array:
        return np.concatenate([each(experiment, *networks) for each in measures], axis=-1)

    return all_of_them


def over(
    numbers: Callable[..., Array], changes: Sequence[Mapping[str, object]]
) -> Callable[..., Array]:
    """The same numbers of several experiments, one after the other.

    Args:
        numbers: a `Measure`, or an `Exact`.
        changes: for each experiment, the fields in which it differs from the claim's.
    """

    def all_of_them(experiment: Experiment, *networks: int) -> Array:
        found = [numbers(experiment.replace(**each), *networks) for each in changes]
        return np.concatenate(found, axis=-1)

    return all_of_them
