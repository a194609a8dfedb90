"""The law of lengths for one Gaussian matrix used at every step.

No closed form is known. Its quantiles were sampled once (`hessenberg`) on a grid of widths and
layers, and are stored in a table. They vary smoothly, and splines interpolate them between the
points of the grid. ``OPENBLAS_NUM_THREADS=1 python -m core.theory.tied_law`` computes the table
again, in eight minutes of processor time. Its numbers are then the same, except for single steps of
float16 where another CPU adds in another order.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.interpolate import CubicSpline

from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from .hessenberg import log2_lengths
from .length_law import LengthLaw

DEEPEST = 256
"""The largest depth in the table: beyond it, sampling the table would cost too much."""

DRAWS = 2**15
"""How many networks were sampled for each width."""

WIDTHS = tuple(range(2, 17)) + tuple(round(16 * 2 ** (i / 4)) for i in range(1, 41))
"""The widths of the table."""

LAYERS = tuple(range(17)) + tuple(round(16 * 2 ** (i / 8)) for i in range(1, 33))
"""The layers of the table."""

SCORES = np.linspace(-3.5, 3.5, 29)
"""The levels of the quantiles, each as the standard normal quantile of the same level."""

_PATH = Path(__file__).with_suffix(".npy")
_AT_ONCE = 32  # networks per stream: so few that their matrices stay in the cache
_FINE = np.linspace(SCORES[0], SCORES[-1], 113)
_WEIGHTS = np.diff(special.ndtr((_FINE[1:] + _FINE[:-1]) / 2), prepend=0.0, append=1.0)


def work(depth: int) -> float:
    """The multiply-adds of the law and of its quantiles, besides the splines."""
    return (250 + 25 * depth) * MICROSECOND


def tied_law(width: int, depth: int) -> LengthLaw:
    """The law of log2 rms for x₀ ~ N(0, 1) and one Gaussian matrix of std 1/√width.

    Args:
        width: n, at most the table's largest.
        depth: the number of products, below the width and at most DEEPEST.

    Raises:
        ValueError: width or depth is not in that range.
    """
    deepest = min(width - 1, DEEPEST)
    if not depth <= deepest:
        raise ValueError(f"depth must be at most {deepest} at width {width}, got {depth}")
    if width > WIDTHS[-1]:
        raise ValueError(f"width must be at most {WIDTHS[-1]}, got {width}")
    along_widths, along_layers, along_scores = _splines()
    quantiles = np.tensordot(along_widths(np.log(width)), _table(), 1)
    points = along_layers[: depth + 1] @ quantiles @ along_scores.T
    # Outer quantiles lie so close that sampling errors can reverse their order.
    points = np.maximum.accumulate(points, axis=1)
    return LengthLaw(list(points), [_WEIGHTS] * (depth + 1), np.zeros(depth + 1))


@cache
def _splines() -> tuple[CubicSpline, Array, Array]:
    """Splines from the table's widths, matrices to all layers, and to finer scores."""
    widths = CubicSpline(np.log(WIDTHS), np.eye(len(WIDTHS)))
    layers = CubicSpline(np.log1p(LAYERS), np.eye(len(LAYERS)))
    scores = CubicSpline(SCORES, np.eye(len(SCORES)))
    return widths, layers(np.log1p(np.arange(DEEPEST + 1))), scores(_FINE)


@cache
def _table() -> Array:
    """Quantiles of log2 rms, shape (widths, layers, scores)."""
    return np.asarray(np.load(_PATH), np.float64)


def sampled(
    widths: Sequence[int], layers: Sequence[int], executor: Executor | None = None
) -> Array:
    """Sample quantiles as those of the table were.

    Args:
        widths: the widths n.
        layers: the layers.
        executor: runs the random streams, if given.

    Returns:
        float64 of shape (widths, layers, scores), log2 rms.
    """
    lengths_of = partial(_lengths, widths, layers)
    streams = range(DRAWS // _AT_ONCE)
    parts = list(executor.map(lengths_of, streams) if executor else map(lengths_of, streams))
    return np.moveaxis(np.quantile(np.concatenate(parts), special.ndtr(SCORES), axis=0), 0, -1)


def _lengths(widths: Sequence[int], layers: Sequence[int], stream: int) -> NDArray[np.float32]:
    """log2 rms of the networks of one stream, shape (networks, widths, layers)."""
    lengths = log2_lengths(widths, max(layers), _AT_ONCE, stream=stream)
    return lengths[:, :, list(layers)]


def main() -> None:
    """Compute and store the table."""
    middle = len(WIDTHS) // 2  # two halves: narrow widths have small matrices
    with ProcessPoolExecutor() as processes:
        parts = [
            sampled(widths, LAYERS, processes) for widths in (WIDTHS[:middle], WIDTHS[middle:])
        ]
    np.save(_PATH, np.concatenate(parts).astype(np.float16))


if __name__ == "__main__":
    main()
