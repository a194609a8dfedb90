"""The edge of chaos against its definition, closed forms and published constants."""

import math

import mpmath
import numpy as np
import pytest
from scipy import optimize

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
    for weight, bias in zip(sigma_w, sigma_b, strict=True):
        if np.isnan(weight):
            assert mf.edge_points(name, bias) == []
            with pytest.raises(
                ValueError, match=f"{name} has no edge of chaos at sigma_b = {bias:g}"
            ):
                mf.edge_of_chaos(name, bias)
            continue
        point = next(p for p in mf.edge_points(name, bias) if p.sigma_w == weight)
        assert mf.edge_of_chaos(name, bias) == weight
        assert weight**2 * mf.derivative_second_moment(name, point.q) == pytest.approx(1, rel=1e-9)
        if point.holds(1.0):
            assert mf.chi_1(name, weight, bias) == pytest.approx(1, rel=1e-6)


def iterated(name, point, q, layers=20_000):
    """The q of a signal after many layers, by the length map alone; stopped where it leaves."""
    for _ in range(layers):
        before, q = q, mf.length_map(name, q, point.sigma_w, point.sigma_b)
        if q > 1e6 or abs(q - before) < 1e-15:
            break
    return q


POINTS = [
    ("silu", 0.2),  # unstable: nothing comes
    ("gelu", 0.2),
    ("mish", 0.2),
    ("relu_squared", 0.5),
    ("silu", 0.9),  # stable
    ("gelu", 0.5),
    ("mish", 0.5),
    ("selu", 0.4),
    ("tanh", 0.3),
]


@pytest.mark.parametrize(("name", "sigma_b"), POINTS)
def test_the_basin_is_where_the_length_map_takes_signals_from(name, sigma_b):
    (point,) = mf.edge_points(name, sigma_b)
    assert mf.edge_of_chaos(name, sigma_b) == point.sigma_w
    assert mf.length_map(name, point.q, point.sigma_w, sigma_b) == pytest.approx(point.q, rel=1e-9)
    # 1e-6 of q: a signal started 1 % off is that near after so many layers.
    smaller, larger = (iterated(name, point, point.q * factor) for factor in (0.99, 1.01))
    assert smaller == pytest.approx(point.below, rel=1e-6)
    if point.above == np.inf:
        assert larger > 1e6
    else:
        assert larger == pytest.approx(point.above, rel=1e-6)
    assert point.attracts == (point.below == point.q == point.above)
    assert point.attracts == (point.slope < 1)


def test_the_edge_of_silu_that_no_signal_comes_to_is_told():
    (point,) = mf.edge_points("silu", 0.2)
    assert mf.edge_of_chaos("silu", 0.2) == pytest.approx(1.67953, abs=5e-6)
    assert point.q == pytest.approx(0.68945, abs=5e-6)  # χ₁ = 1 here; the stable q is ordered
    assert point.below == pytest.approx(0.19404, abs=5e-6) and point.above == np.inf
    assert 1.67953**2 * mf.derivative_second_moment("silu", point.below) < 0.83
    assert not point.attracts and not point.holds(1.0) and not point.holds(0.194)
    assert point.sentence == (
        "At σ_w = 1.67953 and σ_b = 0.2 the fixed point is q = 0.689, and no other signal comes "
        "to it: smaller ones go to q = 0.194, larger ones grow without bound."
    )


# The q at which V touches the diagonal on the edge: a root of slope − 1, to be found between two
# stable and unstable points; and the side from which signals come.
TOUCHING = [
    ("silu", 10.0, 31.0, "below"),
    ("gelu", 3.0, 10.0, "above"),
    ("mish", 1.0, 3.0, "below"),
]


@pytest.mark.parametrize(("name", "low", "high", "side"), TOUCHING)
def test_to_a_half_stable_point_signals_come_from_one_side_as_a_power_law(name, low, high, side):
    def excess(q):
        sigma_w, _ = mf.edge_curve(name, q)
        return sigma_w**2 * mf.second_moment_slope(name, q) - 1

    q = optimize.brentq(excess, low, high, xtol=1e-13)
    sigma_w, sigma_b = mf.edge_curve(name, q)
    (point,) = mf.edge_points(name, sigma_b)
    assert point.attracts and point.by_a_power_law and point.q == pytest.approx(q, rel=1e-7)
    assert getattr(point, side) == point.q != getattr(point, {"below": "above"}.get(side, "below"))
    assert (
        "as a power of the depth" in point.sentence
        and f"{'smaller' if side == 'below' else 'larger'} signals" in point.sentence
    )
    # The distance d shrinks by c·d² a layer, so 1/d grows by c: the same over both halves.
    start = q * (0.9 if side == "below" else 1.1)
    halves = [start]
    for _ in range(2):
        halves.append(after(name, point, halves[-1], 4000))
    inverse = 1 / np.abs(np.array(halves) - q)
    assert np.diff(inverse)[1] == pytest.approx(np.diff(inverse)[0], rel=0.15)  # d³ is left out
    assert mf.edge_of_chaos(name, sigma_b) == point.sigma_w == pytest.approx(sigma_w, rel=1e-9)
    assert point.holds(1.0) == (side == "below")


def after(name, point, q, layers):
    for _ in range(layers):
        q = mf.length_map(name, q, point.sigma_w, point.sigma_b)
    return q


def test_where_every_size_stays_the_basin_says_so():
    (point,) = mf.edge_points("relu", 0.0)
    assert point.holds(1.0) and not point.attracts
    assert point.sentence == "At σ_w = 1.41421 and σ_b = 0 every signal stays as it is."
    (none,) = mf.edge_points("silu", 0.0)
    assert none.sentence.endswith("q = 0: all signals grow without bound.")
    (tanh,) = mf.edge_points("tanh", 0.0)
    assert tanh.holds(1.0) and tanh.by_a_power_law and tanh.high == np.inf


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
    with pytest.raises(ValueError, match=r"softplus has no edge of chaos at sigma_b = 0: no"):
        mf.edge_of_chaos("softplus", 0.0)
    assert math.isnan(mf.edge_curve("softplus", 1.0)[0])
