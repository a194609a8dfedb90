"""The edge of chaos against its definition, closed forms and published constants."""

import math

import mpmath
import numpy as np
import pytest

from core import ACTIVATIONS
from core.theory import mean_field as mf
from tests.core.layer.test_moments import expectation

EACH = pytest.mark.parametrize("name", ACTIVATIONS)


def test_published_edges():
    assert mf.edge_of_chaos("tanh", 0.0) == pytest.approx(1.0)  # Poole et al. 2016
    # Hayou et al. 2019, arXiv:1902.06853: the edge of ReLU is the single point (0, √2).
    assert mf.edge_of_chaos("relu", 0.0) == pytest.approx(2**0.5)
    # Tamai et al. 2023, arXiv:2307.02284, six decimals.
    assert mf.edge_of_chaos("tanh", 0.3) == pytest.approx(1.395584, abs=5e-7)
    assert mf.edge_of_chaos("erf", 0.0) == pytest.approx(math.sqrt(math.pi) / 2)  # 1/φ′(0)


@pytest.mark.parametrize("sigma_b", [0.05, 0.3, 1.5])
def test_edge_of_tanh_agrees_with_an_independent_root(sigma_b):
    phi = ACTIVATIONS["tanh"]

    def slopes(q):
        return expectation(lambda h: (1 - math.tanh(h) ** 2) ** 2, phi, q)

    def excess(log_q):
        q = math.exp(log_q)
        return q - expectation(lambda h: math.tanh(h) ** 2, phi, q) / slopes(q) - sigma_b**2

    log_q = mpmath.fp.findroot(excess, (-6, 6), solver="bisect", tol=1e-24)
    expected = slopes(math.exp(log_q)) ** -0.5
    assert mf.edge_of_chaos("tanh", sigma_b) == pytest.approx(expected, rel=1e-9)


def test_edge_of_sin_is_known_in_closed_form():
    q = np.logspace(-2, 1, 7)
    sigma_w, sigma_b = mf.edge_curve("sin", q)
    np.testing.assert_allclose(sigma_b**2, q - np.tanh(q), rtol=1e-9)
    np.testing.assert_allclose(sigma_w**2, np.exp(q) / np.cosh(q), rtol=1e-12)
    np.testing.assert_allclose(mf.edge_of_chaos("sin", sigma_b), sigma_w, rtol=1e-9)


@EACH
def test_on_the_edge_chi_1_is_one_at_the_fixed_point(name):
    sigma_b = np.array([0.0, 0.1, 0.5, 1.0, 2.5])
    sigma_w = mf.edge_of_chaos(name, sigma_b)
    there = ~np.isnan(sigma_w)
    np.testing.assert_allclose(mf.chi_1(name, sigma_w[there], sigma_b[there]), 1.0, rtol=1e-6)
    for value in sigma_b[~there]:
        with pytest.raises(ValueError, match=f"{name} has no edge of chaos at sigma_b = {value:g}"):
            mf.edge_of_chaos(name, value)


@EACH
def test_the_edge_curve_holds_by_definition(name):
    q = np.logspace(-3, 3, 13)
    sigma_w, sigma_b = mf.edge_curve(name, q)
    assert (np.isnan(sigma_w) == np.isnan(sigma_b)).all()
    there = ~np.isnan(sigma_w)
    q, sigma_w, sigma_b = q[there], sigma_w[there], sigma_b[there]
    np.testing.assert_allclose(mf.length_map(name, q, sigma_w, sigma_b), q, rtol=1e-12)
    slopes = mf.derivative_second_moment(name, q)
    np.testing.assert_allclose(sigma_w**2 * slopes, 1.0, rtol=1e-12)


def test_that_there_is_no_edge_is_said_in_words():
    with pytest.raises(ValueError, match=r"its edge is the single point sigma_w = 1\.41421"):
        mf.edge_of_chaos("relu", 0.3)
    with pytest.raises(ValueError, match=r"its edge is the single point sigma_w = 1, sigma_b = 0"):
        mf.edge_of_chaos("linear", 0.3)
    with pytest.raises(
        ValueError, match=r"at sigma_w = 1\.67953 there is one, but the signal does"
    ):
        mf.edge_of_chaos("silu", 0.2)
    assert math.isnan(mf.edge_curve("softplus", 1.0)[0])
