"""The typical size of a signal where a number format saturates: it holds at its largest value.

Such a format turns φ into φ cut off at ±max. Where that matters no law of a finite width is known.
The typical size follows from the length map at infinite width, with the moments of the cut φ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from ..layer.operation import MICROSECOND
from ..maths.arrays import LOG2, Array, log2
from ..maths.quadrature import gaussian_expectation_at
from ..question.experiment import Experiment
from .range_events import reaching

_ROOM = 2.0  # octaves below max: an rms above it has elements that the format cuts off
_SETTLES, _PER_LAYER = 7, 700.0  # layers that it mostly takes, and microseconds of each
_SETTLED = 1e-12  # octaves: a smaller step is rounding


def reaches_the_end(e: Experiment, octaves: Array) -> bool:
    """Whether a format cuts elements off at one of these log2 rms, of any shape."""
    return bool((octaves > np.log2(e.format.max) - _ROOM).any())


def held(
    e: Experiment,
    rms: Array,
    std: Array,
    on_progress: Callable[[float], object] = lambda done: None,
) -> tuple[Array, Array, int | None]:
    """Quantiles of the sizes, led into the largest value of a format that saturates.

    From the layer on at which the format cuts elements off, all quantiles are the typical size.

    Args:
        e: the question, in a format that saturates.
        rms: quantiles of log2 rms without limits to the range, shape (levels, depth + 1).
        std: the same of log2 std; or no levels at all, shape (0, depth + 1).
        on_progress: called after every layer with the fraction that is done.

    Returns:
        rms and std, and that layer, or None if there is none.
    """
    full = np.flatnonzero([reaches_the_end(e, sizes) for sizes in rms.T])
    if not full.size:
        return rms, std, None
    start = max(1, int(full[0]))
    before = rms[:, start - 1]
    alive = before[np.isfinite(before)]
    sizes = _typical(e, float(np.median(alive)), e.depth + 1 - start, on_progress)
    rms, std = rms.copy(), std.copy()
    for quantiles, typical in zip((rms, std), sizes, strict=True):
        later = quantiles[:, start:]
        later[:] = np.where(np.isneginf(later), -np.inf, typical)
    return rms, std, start


def work(e: Experiment, sizes: Array) -> float:
    """The multiply-adds of ``held``, for typical log2 rms ``sizes`` at layers 0 … depth."""
    full = np.flatnonzero(sizes > np.log2(e.format.max) - _ROOM)
    layers = min(e.depth + 1 - max(1, int(full[0])), _SETTLES) if full.size else 0
    return _PER_LAYER * layers * MICROSECOND


def _typical(
    e: Experiment, before: float, layers: int, on_progress: Callable[[float], object]
) -> tuple[Array, Array]:
    """log2 rms and log2 std of the next layers at infinite width, from the log2 rms before."""
    phi, most = e.phi, e.format.max
    sides = [side * reaching(phi.name, side, most) for side in (-1.0, 1.0)]
    breaks = (*phi.kinks, *(h for h in sides if np.isfinite(h)))

    def cut(h: Tensor) -> Tensor:
        return phi(h).clamp(-most, most)

    found = np.empty((2, layers))
    rms = before
    for layer in range(layers):
        q = np.exp2(e.layer.affine.log_square(np.array([2 * rms]), LOG2))
        square = gaussian_expectation_at(lambda h: cut(h) ** 2, q, breaks=breaks)
        mean = gaussian_expectation_at(cut, q, breaks=breaks)
        found[:, layer] = log2(np.concatenate([square, np.maximum(square - mean**2, 0)])) / 2
        if abs(found[0, layer] - rms) < _SETTLED:
            found[:, layer:] = found[:, layer : layer + 1]
            break
        rms = float(found[0, layer])
        on_progress((layer + 1) / layers)
    return found[0], found[1]
