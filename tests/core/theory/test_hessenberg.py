"""Lengths under one matrix, sampled in its Hessenberg form, against real matrices."""

import numpy as np
import pytest
from scipy import stats

from core.theory.hessenberg import log2_lengths


def test_lengths_have_the_law_of_real_matrices():
    n, networks, depth = 24, 4000, 40
    rng = np.random.default_rng(12)
    a = rng.standard_normal((networks, n, n)) / n**0.5
    x = rng.standard_normal((networks, n, 1))
    [ours] = np.moveaxis(log2_lengths([n], depth, networks, stream=0), 1, 0)
    for layer in range(depth + 1):
        if layer in (0, 1, 2, 5, 12, 23, 24, 40):
            octaves = np.log2(np.square(x).mean((1, 2))) / 2
            # Eight comparisons, of which any fails without cause with probability 0.001.
            assert stats.ks_2samp(octaves, ours[:, layer]).pvalue > 1.2e-4
        x = a @ x


def test_two_products_have_the_second_moment_of_wicks_theorem():
    # E‖A²x‖² = s⁴(n² + 2)‖x‖²: three pairings of four entries. ‖x‖² is a χ²_n of its own.
    n = 8
    square = 4.0 ** log2_lengths([n], 2, 20_000, stream=1)[:, 0, 1:]
    error = square.std(0) / len(square) ** 0.5
    assert (abs(square.mean(0) - (1, 1 + 2 / n**2)) < 4 * error).all()


@pytest.mark.parametrize("others", [(24,), (5, 24), (24, 100, 3)])
def test_other_widths_and_depths_change_nothing(others):
    [alone] = np.moveaxis(log2_lengths([24], 12, 30, stream=3), 1, 0)
    beside = log2_lengths(others, 30, 30, stream=3)[:, others.index(24), :13]
    # Sums in another order differ by a few roundings of float32 per product.
    np.testing.assert_allclose(alone, beside, atol=1e-5)
