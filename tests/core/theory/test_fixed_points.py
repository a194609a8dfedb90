"""Lengths: fixed points against iteration, closed forms and published constants."""

import math

import numpy as np
import pytest

from core import ACTIVATIONS
from core.theory import mean_field as mf

EACH = pytest.mark.parametrize("name", ACTIVATIONS)


@EACH
def test_a_fixed_point_is_one_and_iteration_comes_to_it(name):
    sigma_w, sigma_b = np.array([0.7, 1.2, 1.3]), np.array([0.3, 0.1, 0.0])
    q = mf.fixed_point(name, sigma_w, sigma_b)
    walk = np.ones(3)
    for _ in range(200):
        walk = np.minimum(mf.length_map(name, walk, sigma_w, sigma_b), 1e20)
    rests = ~np.isnan(q)
    there = mf.length_map(name, q[rests], sigma_w[rests], sigma_b[rests])
    np.testing.assert_allclose(there, q[rests], rtol=1e-10)
    np.testing.assert_allclose(walk[rests], q[rests], rtol=1e-4, atol=1e-9)
    further = mf.length_map(name, walk[~rests], sigma_w[~rests], sigma_b[~rests])
    assert (walk[~rests] > 100).all() and (further > walk[~rests]).all()


@pytest.mark.parametrize("name, gain_squared", [("linear", 1.0), ("relu", 0.5), ("abs", 1.0)])
@pytest.mark.parametrize("sigma_b", [1e-8, 0.1, 3.0])
def test_fixed_points_of_straight_pieces(name, gain_squared, sigma_b):
    sigma_w = 0.8 / math.sqrt(gain_squared)
    expected = sigma_b**2 / (1 - 0.64)
    assert mf.fixed_point(name, sigma_w, sigma_b) == pytest.approx(expected, rel=1e-10, abs=0)


def test_what_dies_out_and_what_grows():
    assert mf.fixed_point("tanh", 0.9, 0.0) == 0.0
    assert mf.fixed_point("tanh", 1.0, 0.0) == 0.0  # as 1/k, too slowly for any iteration
    assert mf.fixed_point("relu", 1.4, 0.0) == 0.0
    assert mf.fixed_point("relu", 1.5, 0.0) is None
    assert mf.fixed_point("relu", 2**0.5, 0.1) is None  # q grows by σ_b² a layer
    assert mf.fixed_point("relu_squared", 1.0, 0.0) is None
    both = mf.fixed_point("relu", [1.4, 1.5], 0.0)
    assert both[0] == 0.0 and math.isnan(both[1])


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu", "abs"])
def test_where_every_length_is_fixed_a_unit_signal_keeps_its_own(name):
    assert mf.fixed_point(name, mf.gain(name), 0.0) == 1.0
    assert mf.fixed_points(name, mf.gain(name), 0.0) == [mf.FixedPoint(1.0, 1.0, False)]


def test_slow_fixed_points_beside_criticality():
    # tanh² h = h² − 2h⁴/3 + …: with σ_w² = 1 + ε, q* = ε/2 to first order.
    assert mf.fixed_point("tanh", math.sqrt(1 + 1e-6), 0.0) == pytest.approx(5e-7, rel=1e-4)


def test_all_fixed_points_and_their_stability():
    dead, unstable = mf.fixed_points("relu_squared", 0.5, 0.0)
    assert (dead.q, dead.slope, dead.stable) == (0.0, 0.0, True)
    assert unstable.q == pytest.approx(2 / (3 * 0.25), rel=1e-12)
    assert unstable.slope == pytest.approx(2.0) and not unstable.stable
    low, middle, high = mf.fixed_points("gelu", 1.41127, 0.39989)
    assert (low.stable, middle.stable, high.stable) == (True, False, True)
    assert low.slope < 1 < middle.slope and high.slope < 1
    assert mf.fixed_point("gelu", 1.41127, 0.39989) == low.q
    assert mf.fixed_points("relu", 1.5, 0.2) == []


def test_selu_normalises_itself():
    # Klambauer et al. 2017, arXiv:1706.02515: mean 0 and variance 1 are its stable fixed point.
    assert mf.fixed_point("selu", 1.0, 0.0) == pytest.approx(1.0, rel=1e-12)
    assert mf.mean("selu", 1.0) == pytest.approx(0.0, abs=1e-14)
    (fixed,) = (point for point in mf.fixed_points("selu", 1.0, 0.0) if point.q > 0)
    assert fixed.stable and fixed.slope == pytest.approx(0.7826, abs=1e-4)
