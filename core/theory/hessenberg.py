"""Lengths under one Gaussian matrix used at every step, sampled without drawing the matrix.

In the orthonormal basis of x, Ax, A²x, …, A is an upper Hessenberg matrix H, and
‖Aᵏx‖ = ‖x‖·‖Hᵏe₁‖. H has independent N(0, s²) entries on and above the diagonal, and s·χ_{n−j}
below it: Householder's reduction of a Gaussian matrix, with one column for each new direction.
k²/2 random numbers replace n² of them.

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

    All widths share the entries on and above the diagonal, so that the quantiles vary smoothly with
    the width. The numbers of one width and layer depend neither on the other widths nor on the
    depth.

    Args:
        widths: the widths n.
        depth: the number of products.
        count: the number of networks.
        stream: the number of the random stream.

    Returns:
        float32 of shape (count, widths, depth + 1).
    """
    rows = min(depth + 1, max(widths))  # directions: one per product, at most n
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
        known = min(k, rows)
        above = upper[:, :known, :known] @ y[:, :known]
        y[:, 1 : known + 1] = below[:, :known] * y[:, :-1][:, :known]
        y[:, 0] = 0
        y[:, :known] += above
        growth = np.linalg.norm(y[:, : known + 1], axis=1)
        y[:, : known + 1] /= growth[:, None]  # unit length: powers of A may grow without bound
        lengths[:, :, k] = lengths[:, :, k - 1] + np.log2(growth) - 0.5 * np.log2(widths)
    return lengths


def _upper(depth: int, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """The entries of H on and above the diagonal, for s = 1, shape (count, depth, depth)."""
    upper = np.zeros((count, depth, depth), np.float32)
    for column in range(depth):
        upper[:, : column + 1, column] = rng.standard_normal((count, column + 1), np.float32)
    return upper
