"""Lengths under one Gaussian matrix used at every step, sampled without drawing the matrix.

In the basis that Aᵏx itself spans, A is upper Hessenberg: ‖Aᵏx‖ = ‖x‖·‖Hᵏe₁‖, with independent
N(0, s²) entries on and above the diagonal and s·χ_{n−j} below it (Householder's reduction of a
Gaussian matrix, one column for each new direction). k²/2 random numbers stand for n² of them.

Reference: Edelman & Rao 2005, Random matrix theory, Acta Numerica 14, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def log2_lengths(
    widths: Sequence[int], depth: int, count: int, *, stream: int
) -> NDArray[np.float32]:
    """log2 rms of x in networks with x₀ ~ N(0, 1) and one Gaussian matrix of std 1/√n.

    What lies above the subdiagonal is the same for all widths, so that a law moves smoothly from
    one to the next. Neither the other widths nor the depth change what a width and a layer get.

    Args:
        widths: each n.
        depth: how many products.
        count: how many networks.
        stream: which random numbers.

    Returns:
        Shape (count, widths, depth + 1).
    """
    rows = min(depth + 1, max(widths))  # as many directions as there are, or as are met
    upper = _upper(min(depth, rows), count, np.random.default_rng([stream]))
    below = np.empty((count, rows - 1, len(widths)), np.float32)
    lengths = np.empty((count, len(widths), depth + 1), np.float32)
    for place, width in enumerate(widths):
        rng = np.random.default_rng([stream, width])
        lengths[:, place, 0] = 0.5 * np.log2(2 / width * rng.standard_gamma(width / 2, count))
        free = np.maximum(width - 1 - np.arange(rows - 1), 0)
        below[:, :, place] = np.sqrt(2 * rng.standard_gamma(free[:, None] / 2, (rows - 1, count))).T
    y = np.zeros((count, rows, len(widths)), np.float32)
    y[:, 0] = 1
    for k in range(1, depth + 1):
        met = min(k, rows)
        above = upper[:, :met, :met] @ y[:, :met]
        y[:, 1 : met + 1] = below[:, :met] * y[:, :-1][:, :met]
        y[:, 0] = 0
        y[:, :met] += above
        growth = np.linalg.norm(y[:, : met + 1], axis=1)
        y[:, : met + 1] /= growth[:, None]  # nothing overflows, however unstable the matrix
        lengths[:, :, k] = lengths[:, :, k - 1] + np.log2(growth) - 0.5 * np.log2(widths)
    return lengths


def _upper(depth: int, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """What is on and above the diagonal, shape (count, depth, depth)."""
    upper = np.zeros((count, depth, depth), np.float32)
    for column in range(depth):
        upper[:, : column + 1, column] = rng.standard_normal((count, column + 1), np.float32)
    return upper
