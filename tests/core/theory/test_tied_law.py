"""The table of the law of one matrix, against other draws, exact laws and a new computation."""

import numpy as np
import pytest
from scipy import special, stats

from core.theory.hessenberg import log2_lengths
from core.theory.homogeneous_law import homogeneous_law
from core.theory.tied_law import DEEPEST, DRAWS, LAYERS, SCORES, WIDTHS, sampled, tied_law

OTHER = 2**20  # streams that the table was not made from
NETWORKS, AT_ONCE = 2000, 40
# Widths in the table and between its widths, with layers up to the largest allowed.
PLACES = {
    2: (1,),
    5: (1, 3, 4),
    17: (2, 16),
    21: (10, 20),
    64: (20, 63),
    100: (34, 99),
    235: (18, 150),
    330: (256,),
    512: (28, 100),
    1111: (70,),
    5000: (100,),
    16384: (30,),
}
# The probability that any one of all comparisons fails without cause (Bonferroni).
FAMILY_LEVEL = 0.01
COMPARISONS = sum(map(len, PLACES.values()))


def drawn(width, depth):
    """log2 rms in fresh networks, shape (networks, depth + 1)."""
    streams = range(OTHER, OTHER + NETWORKS // AT_ONCE)
    return np.concatenate([log2_lengths([width], depth, AT_ONCE, stream=i)[:, 0] for i in streams])


@pytest.mark.parametrize("width", PLACES)
def test_other_draws_have_the_same_law(width):
    layers = PLACES[width]
    law = tied_law(width, max(layers))
    lengths = drawn(width, max(layers))
    for layer in layers:
        points, weights = law.points[layer], law.weights[layer]
        below = np.interp(lengths[:, layer], points, np.cumsum(weights) - weights / 2)
        distance = stats.kstest(below, "uniform").statistic
        # The table has sampling errors of its own: two samples are compared.
        p = stats.kstwobign.sf(distance / (1 / NETWORKS + 1 / DRAWS) ** 0.5)
        assert p > FAMILY_LEVEL / COMPARISONS, (width, layer, p)


@pytest.mark.parametrize("width", [2, 3, 8, 16, 20, 64, 99, 512, 2000, 16384])
def test_up_to_the_first_product_it_is_the_exact_law(width):
    # One matrix that is used once is a fresh one.
    exact = homogeneous_law(width, 1, 1, above=1.0, below=1.0, gaussian=True)
    law = tied_law(width, 1)
    for layer in (0, 1):
        levels = special.ndtr([-2, -1, 0, 1, 2])
        found = law.quantiles(levels)[:, layer]
        points, weights = exact.points[layer], exact.weights[layer]
        there = np.interp(found, points, np.cumsum(weights) - weights / 2)
        # Four standard errors of a sample quantile, and the errors of splines and float16.
        error = np.sqrt(levels * (1 - levels) / DRAWS)
        assert (abs(there - levels) < 4 * error + 1e-3).all()


@pytest.mark.parametrize("width", [5, 45])
def test_the_table_is_what_its_own_making_gives(width):
    layers = [layer for layer in LAYERS if layer < width]
    law = tied_law(width, layers[-1])
    points = np.array(law.points)[layers][:, :: (len(law.points[0]) - 1) // (len(SCORES) - 1)]
    assert width in WIDTHS
    # Half a step of float16, and another half where float32's rounding crosses its midpoint.
    np.testing.assert_allclose(points, sampled([width], layers)[0], rtol=2**-10, atol=2e-5)


def test_quantiles_rise_with_the_level_everywhere():
    for width in (2, 9, 40, 333, 4444):
        points = np.array(tied_law(width, min(width - 1, DEEPEST)).points)
        assert (np.diff(points, axis=1) >= 0).all()


def test_depth_and_width_are_bounded():
    with pytest.raises(ValueError, match="depth must be at most 15 at width 16, got 16"):
        tied_law(16, 16)
    with pytest.raises(ValueError, match=f"depth must be at most {DEEPEST} at width 512, got 300"):
        tied_law(512, 300)
    with pytest.raises(ValueError, match="width must be at most 16384, got 20000"):
        tied_law(20000, 3)
