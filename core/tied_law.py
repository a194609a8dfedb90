"""The law of lengths for one Gaussian matrix used at every step, without drawing the matrix.

In the basis that Aᵏx itself spans, A is upper Hessenberg: ‖Aᵏx‖ = ‖x‖·‖Hᵏe₁‖ for every k < n, with
independent N(0, s²) entries on and above the diagonal and s·χ_{n−j} below it (Householder's
reduction of a Gaussian matrix, one column for each new direction). k²/2 random numbers stand for
n² of them. The norm ‖Hᵏe₁‖ has no closed law: it is sampled, with numbers that never change.

Reference: Edelman & Rao 2005, Random matrix theory, Acta Numerica 14, section 4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.length_law import Array, LengthLaw

DEEPEST = 256
"""Products beyond which the sampling would cost too much."""

KEPT = 64
"""Widths and depths whose law is kept, each up to 2 MB."""

_WORK = 4.2e8  # multiply-adds
_FEWEST, _MOST = 500, 4096
_CHUNK = 64  # networks at once: their matrices stay in the cache
_ROUNDING_UP = 25  # layers: a step of the depth slider finds the law of a deeper network


def draws(depth: int) -> int:
    """How many networks the law at this depth is sampled from."""
    return int(np.clip(_WORK / (_rounded(depth) ** 3 / 6), _FEWEST, _MOST))


def _rounded(depth: int) -> int:
    return -(-depth // _ROUNDING_UP) * _ROUNDING_UP


def tied_law(width: int, depth: int) -> LengthLaw:
    """The law of log2 rms for x₀ ~ N(0, 1) and one Gaussian matrix of std 1/√width.

    Raises:
        ValueError: depth ≥ width, for which the law does not hold, or depth > DEEPEST.
    """
    if not depth < min(width, DEEPEST + 1):
        allowed = min(width - 1, DEEPEST)
        raise ValueError(f"depth must be at most {allowed} at width {width}, got {depth}")
    norms = _log2_norms(width, min(_rounded(depth), width - 1))[:, : depth + 1]
    rng = np.random.default_rng([1, width])
    start = 0.5 * np.log2(rng.chisquare(width, len(norms)) / width)
    points = np.sort(norms.T + start, axis=1)
    weights = np.full(len(norms), 1 / len(norms))
    return LengthLaw(list(points), [weights] * (depth + 1), np.zeros(depth + 1))


@lru_cache(maxsize=KEPT)
def _log2_norms(width: int, depth: int) -> Array:
    """log2 ‖Hᵏe₁‖, shape (draws, depth + 1)."""
    count = draws(depth)
    parts = [
        _chunk(width, depth, min(_CHUNK, count - done), np.random.default_rng([0, done]))
        for done in range(0, count, _CHUNK)
    ]
    return np.concatenate(parts)


def _chunk(width: int, depth: int, count: int, rng: np.random.Generator) -> Array:
    h = np.zeros((count, depth + 1, depth), np.float32)
    for column in range(depth):
        h[:, : column + 1, column] = rng.standard_normal((count, column + 1), np.float32)
        h[:, column + 1, column] = np.sqrt(rng.chisquare(width - column - 1, count))
    h *= np.float32(width**-0.5)
    norms = np.zeros((count, depth + 1))
    y = np.zeros((count, depth + 1, 1), np.float32)
    y[:, 0] = 1
    for k in range(1, depth + 1):
        y[:, : k + 1] = h[:, : k + 1, :k] @ y[:, :k]
        size = np.linalg.norm(y[:, : k + 1, 0], axis=1)
        norms[:, k] = norms[:, k - 1] + np.log2(size)
        y /= size[:, None, None]  # nothing overflows, however unstable the matrix
    return norms
