"""Gaussian expectations at any variance, against known integrals."""

import math

import numpy as np
import pytest
import torch

from core.maths.quadrature import (
    gaussian_expectation,
    gaussian_expectation_at,
    gaussian_product_expectation,
)

VARIANCES = np.logspace(-6, 4, 41)


@pytest.mark.parametrize("power, factor", [(2, 1), (4, 3), (8, 105)])
def test_powers(power, factor):
    # (n − 1)!! qⁿᐟ², to a few roundings of a sum over some hundred nodes.
    found = gaussian_expectation_at(lambda h: h**power, VARIANCES)
    np.testing.assert_allclose(found, factor * VARIANCES ** (power / 2), rtol=1e-13)


def test_a_bump_of_scale_one_is_resolved_at_every_variance():
    # The steepest panel has 16 nodes from h = 1 to 4, where e^(−h²/2) falls by a factor of 1800.
    found = gaussian_expectation_at(lambda h: torch.exp(-h * h / 2), VARIANCES)
    np.testing.assert_allclose(found, (1 + VARIANCES) ** -0.5, rtol=1e-11)


def test_a_pole_at_distance_one_is_resolved_at_every_variance():
    # E[1/(1 + h²)] is √(π/2q) erfcx(1/√2q): torch's erfcx is the oracle.
    found = gaussian_expectation_at(lambda h: 1 / (1 + h * h), VARIANCES)
    erfcx = torch.special.erfcx(torch.from_numpy(1 / np.sqrt(2 * VARIANCES))).numpy()
    np.testing.assert_allclose(found, np.sqrt(np.pi / (2 * VARIANCES)) * erfcx, rtol=1e-12)


def test_a_jump_is_integrated_exactly_where_it_is_told():
    found = gaussian_expectation_at(lambda h: (h > 2.5).double(), VARIANCES, breaks=(2.5,))
    expected = [math.erfc(2.5 / math.sqrt(2 * q)) / 2 for q in VARIANCES]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-32)  # the tail beyond 12 σ


def test_shape_zero_and_nothing():
    found = gaussian_expectation_at(torch.exp, np.array([[0.0, 1.0, 2.0]]))
    np.testing.assert_allclose(found, np.exp([[0.0, 0.5, 1.0]]), rtol=1e-14)
    assert found[0, 0] == 1.0
    assert gaussian_expectation_at(torch.exp, 1.0).shape == ()
    assert gaussian_expectation_at(torch.exp, []).shape == (0,)


def test_at_one_is_the_expectation_over_the_standard_normal():
    once = gaussian_expectation(torch.tanh, breaks=(0.0,))
    assert gaussian_expectation_at(torch.tanh, 1.0) == pytest.approx(once, abs=1e-15)
    square = gaussian_expectation(lambda z: torch.tanh(z) ** 2)
    at_one = gaussian_expectation_at(lambda z: torch.tanh(z) ** 2, 1.0)
    assert at_one == pytest.approx(square, rel=1e-13)


def test_many_variances_agree_with_each_alone():
    alone = [float(gaussian_expectation_at(torch.sigmoid, q)) for q in VARIANCES]
    np.testing.assert_allclose(
        gaussian_expectation_at(torch.sigmoid, np.tile(VARIANCES, 50)),
        np.tile(alone, 50),
        rtol=1e-14,
    )


@pytest.mark.parametrize("q", [-1.0, math.nan, math.inf])
def test_what_is_no_variance_is_refused(q):
    with pytest.raises(ValueError, match="q must be finite and at least 0"):
        gaussian_expectation_at(torch.tanh, [1.0, q])


@pytest.mark.parametrize("c", [-1.0, -0.999999, -0.3, 0.0, 0.5, 1 - 1e-9, 1.0])
def test_a_product_of_jumps_is_the_quadrant_law(c):
    # P(u₁ > 0, u₂ > 0) = ¼ + asin(c)/2π (Sheppard 1899). The break is an oblique line.
    found = gaussian_product_expectation(lambda u: (u > 0).double(), 0.3, 900.0, c * 270**0.5)
    # Where the arcsine is steep, the last bit of c changes it by 1e-8.
    tolerance = 1e-12 if abs(c) < 1 - 1e-6 else 3e-9
    assert found == pytest.approx(0.25 + math.asin(c) / (2 * math.pi), abs=tolerance)


def test_a_product_of_bumps():
    a, b, c = np.meshgrid([1e-4, 1.0, 1e4], [0.1, 1e3], [-0.999, 0.0, 0.7])
    found = gaussian_product_expectation(
        lambda u: torch.exp(-u * u / 2), a, b, c * np.sqrt(a * b), breaks=()
    )
    assert found.shape == a.shape
    # 12 nodes a panel in each of two dimensions.
    np.testing.assert_allclose(found, ((1 + a) * (1 + b) - c**2 * a * b) ** -0.5, rtol=1e-8)
