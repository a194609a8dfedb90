"""Correlations and depth scales against iteration, closed forms and published constants."""

import math

import numpy as np
import pytest

from core import ACTIVATIONS
from core.theory import mean_field as mf

EACH = pytest.mark.parametrize("name", ACTIVATIONS)


def test_chi_1_of_straight_pieces():
    assert mf.chi_1("relu", 1.2, 0.3) == pytest.approx(0.72)
    assert mf.chi_1("relu", 2.0, 0.3) == pytest.approx(2.0)  # grows: the limit, which is σ_w²/2
    assert mf.chi_1("gelu", 2.0, 1.0) == pytest.approx(2.0)
    assert mf.chi_1("linear", 0.5, 0.0) == pytest.approx(0.25)  # dies out: the limit too
    assert mf.chi_1("tanh", 0.5, 0.0) == pytest.approx(0.25)
    assert mf.chi_1("gelu", 1.0, 0.0) == pytest.approx(0.25)
    assert mf.chi_1("relu_squared", 2.0, 0.0) == math.inf


@pytest.mark.parametrize("sigma_w, sigma_b", [(0.8, 0.2), (1.2, 0.4), (2.0, 0.3)])
@EACH
def test_equal_signals_stay_equal_with_slope_chi_1(name, sigma_w, sigma_b):
    at_one = mf.correlation_map(name, 1.0, sigma_w, sigma_b)
    if mf.fixed_point(name, sigma_w, sigma_b) is None:
        assert math.isnan(at_one)
        return
    assert at_one == pytest.approx(1.0, abs=1e-8)
    below = mf.correlation_map(name, 1 - 1e-4, sigma_w, sigma_b)
    # Beside a kink the slope changes as √(1 − c).
    slope = (at_one - below) / 1e-4
    assert slope == pytest.approx(mf.chi_1(name, sigma_w, sigma_b), rel=2e-2, abs=2e-4)


def test_correlation_maps_that_are_known():
    c = np.linspace(-1, 1, 9)
    kappa = (np.sqrt(1 - c**2) + c * (np.pi - np.arccos(c))) / np.pi  # Cho & Saul 2009
    np.testing.assert_allclose(mf.correlation_map("relu", c, 2**0.5, 0.0), kappa, atol=1e-14)
    np.testing.assert_allclose(mf.correlation_map("relu", c, 1.0, 0.0), kappa, atol=1e-14)
    np.testing.assert_allclose(mf.correlation_map("tanh", c, 0.7, 0.0), c, atol=1e-8)
    assert math.isnan(mf.correlation_map("tanh", 0.5, 0.0, 0.0))


@pytest.mark.parametrize("name", ["tanh", "erf", "softsign", "hardtanh", "sigmoid", "sin"])
def test_stable_correlation_is_where_iteration_comes_to(name):
    sigma_w, sigma_b = (20.0, 0.5) if name == "sigmoid" else (3.0, 0.5)
    found = mf.stable_correlation(name, sigma_w, sigma_b)
    c = 0.95
    for _ in range(30):
        c = mf.correlation_map(name, c, sigma_w, sigma_b)
    assert 0 < found < 1
    assert mf.correlation_map(name, found, sigma_w, sigma_b) == pytest.approx(found, abs=1e-8)
    assert abs(c - found) < abs(0.95 - found) / 10
    _, depth = mf.depth_scales(name, sigma_w, sigma_b)
    beside = np.array([found - 1e-4, found + 1e-4])
    step = np.diff(mf.correlation_map(name, beside, sigma_w, sigma_b))[0] / 2e-4
    assert depth == pytest.approx(-1 / math.log(step), rel=1e-4)


def test_stable_correlations_that_are_known():
    assert mf.stable_correlation("tanh", 0.8, 0.3) == 1.0
    assert mf.stable_correlation("relu", 2**0.5, 0.0) == 1.0
    # An odd φ without bias has c* = 0; rounding of a mean may leave about 1e-16.
    assert mf.stable_correlation("tanh", 2.0, 0.0) == pytest.approx(0.0, abs=1e-30)
    assert math.isnan(mf.stable_correlation("relu", 2.0, 0.0))


def test_depth_scales_of_straight_pieces():
    xi_q, xi_c = mf.depth_scales("relu", 1.0, 0.5)
    assert xi_q == pytest.approx(1 / math.log(2)) == xi_c
    assert mf.depth_scales("relu", 2**0.5, 0.0) == (math.inf, math.inf)
    assert mf.depth_scales("tanh", 1.0, 0.0) == (math.inf, math.inf)
    assert mf.depth_scales("tanh", 0.0, 1.0) == (0.0, 0.0)
    assert all(map(math.isnan, mf.depth_scales("relu", 2.0, 0.0)))


def test_length_scale_is_the_rate_at_which_lengths_settle():
    q = mf.fixed_point("tanh", 1.7, 0.3)
    errors = [0.01]
    for _ in range(8):
        errors.append(mf.length_map("tanh", q + errors[-1], 1.7, 0.3) - q)
    xi_q, _ = mf.depth_scales("tanh", 1.7, 0.3)
    # The last error is 1e-5 of q, and so is the effect of V's curvature on its decay.
    assert errors[-1] / errors[-2] == pytest.approx(math.exp(-1 / xi_q), rel=1e-3)
