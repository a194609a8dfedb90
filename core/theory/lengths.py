"""The sizes of a signal at infinite width, layer by layer, beyond the range of float64 too."""

from __future__ import annotations

import numpy as np

from ..layer.operation import LogMoments
from ..layer.stack import Layer
from ..maths.arrays import LOG2, Array

_SETTLED = 1e-13  # octaves: a smaller step is rounding


def log2_rms(layer: Layer, depth: int, *, start: float = 0.0) -> Array:
    """log2 rms of x at every layer, for weights of one std in all layers.

    The second moment changes as q → σ_w² E[φ(√q z)²] + σ_b². E φ² is interpolated in a table, which
    costs less than 1e-4 octaves a layer.

    Args:
        layer: the operations, the same in every layer.
        depth: the number of layers.
        start: log2 rms of the input.

    Returns:
        float64 of shape (depth + 1,); −inf where the signal is zero, inf where even the logarithm
        of its size has no float64.
    """
    found = np.empty(depth + 1)
    found[0] = start
    for k in range(1, depth + 1):
        before = found[k - 1]
        found[k] = layer.log_square(np.array([2 * before]), LOG2)[0] / 2
        if not np.isfinite(found[k]) or abs(found[k] - before) < _SETTLED:
            found[k:] = found[k]
            break
    return found


def log2_gradient_rms(layer: Layer, sizes: Array) -> Array:
    """log2 rms of the gradient at every layer, of one whose rms at the output is 1.

    Args:
        layer: the operations, the same in every layer.
        sizes: log2 rms of the signal at layers 0 … depth.

    Returns:
        float64 of shape (depth + 1,), in the order of the layers.
    """
    before = LogMoments(2 * sizes[:-1])
    with np.errstate(invalid="ignore"):  # −∞ + ∞, of a signal that is zero
        factor = layer.log_gradient_factor(before, LOG2)
        octaves = np.broadcast_to(factor, before.square.shape) / 2
    return np.concatenate([np.cumsum(octaves[::-1])[::-1], [0.0]])
