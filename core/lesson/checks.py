"""Four checks that stop the lesson's loop at the first NaN, and the index at which they do."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..layer.operation import MICROSECOND
from .networks import Floats, first_indices, work_of_networks
from .setting import Setting
from .step import OnProgress

Indices = NDArray[np.int_]

CHECKS: dict[str, str] = {
    "std": "`x.std()` is NaN",
    "mean": "`x.mean()` is NaN",
    "float64 std": "`x.double().std()` is NaN",
    "elements": "some element is Inf or NaN",
}
"""Check -> what is true of x when it fails."""

_OCTAVES = 128.0  # from 1 to where float32 ends
_ALL_FAIL_FROM = 12  # the width from which on nearly every network grows
_LOOK = 35.0  # microseconds of the four checks
_LARGEST = float(torch.finfo(torch.float32).max)


def _fails(x: Floats) -> tuple[bool, ...]:
    """Whether each check fails for one x of shape (n,), with torch's own mean and std."""
    tensor = torch.from_numpy(x)
    printed = (tensor.std(), tensor.mean(), tensor.double().std())
    return *(bool(value != value) for value in printed), not bool(tensor.isfinite().all())


def _failed(x: Floats) -> NDArray[np.bool_]:
    """Whether each check fails for each x, shape (checks, networks)."""
    failed = np.zeros((len(CHECKS), len(x)), dtype=bool)
    with np.errstate(invalid="ignore"):
        # Below this bound no sum of n elements overflows, so no check can fail.
        large = np.flatnonzero(~(np.abs(x).max(1) < _LARGEST / (2 * x.shape[1])))
    for row in large:
        failed[:, row] = _fails(np.ascontiguousarray(x[row]))
    return failed


def work_of_failures(setting: Setting) -> float:
    """The multiply-adds of `first_failures`.

    A wide network fails within a layer or two. In many narrow ones, those that have failed are
    looked at in every layer until all have.
    """
    n, count, depth = setting.n, setting.repetitions, setting.depth
    typical = 1 + int(_OCTAVES / (0.5 * np.log2(n)))
    if n < _ALL_FAIL_FROM:
        layers, looked = depth, max(0, depth - typical) / 2
    else:
        layers = min(depth, int(1.3 * typical))
        looked = max(0.0, layers - 0.9 * typical) / 2 + 2 * (depth > typical)
    return work_of_networks(n, count, layers) + _LOOK * count * looked * MICROSECOND


def first_failures(setting: Setting, on_progress: OnProgress) -> Indices:
    """The loop index i at which each of ``CHECKS`` first fails in each draw, or −1.

    Args:
        setting: n, depth, seed, and the number of draws of a and x.
        on_progress: called with the fraction that is done.

    Returns:
        Shape (4, repetitions).
    """
    e, draws = setting.experiment(), setting.repetitions
    return first_indices(e, draws, len(CHECKS), _failed, on_progress)
