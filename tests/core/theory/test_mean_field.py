"""Infinite-width theory against other quadrature, closed forms and published constants."""

import dataclasses
import math

import mpmath
import numpy as np
import pytest
import torch

from core import ACTIVATIONS
from core.layer.activations import Activation
from core.maths.quadrature import gaussian_expectation
from core.theory import mean_field as mf

NAMES = list(ACTIVATIONS)
EACH = pytest.mark.parametrize("name", NAMES)
VARIANCES = (1e-6, 1e-2, 1.0, 30.0, 1e4)


def logistic(h):
    return 1 / (1 + math.exp(-h)) if h > -700 else 0.0


def normal_cdf(h):
    return math.erfc(-h / math.sqrt(2)) / 2


def softplus(h):
    return max(h, 0.0) + math.log1p(math.exp(-abs(h)))


SELU = (1.0507009873554805, 1.6732632423543772)

# φ again, from Python's math module.
PLAIN = {
    "linear": lambda h: h,
    "relu": lambda h: max(h, 0.0),
    "leaky_relu": lambda h: max(h, 0.0) + 0.01 * min(h, 0.0),
    "tanh": math.tanh,
    "sigmoid": logistic,
    "erf": math.erf,
    "gelu": lambda h: h * normal_cdf(h),
    "silu": lambda h: h * logistic(h),
    "elu": lambda h: h if h > 0 else math.expm1(h),
    "selu": lambda h: SELU[0] * (h if h > 0 else SELU[1] * math.expm1(h)),
    "softplus": softplus,
    "mish": lambda h: h * math.tanh(softplus(h)),
    "hardtanh": lambda h: min(max(h, -1.0), 1.0),
    "relu6": lambda h: min(max(h, 0.0), 6.0),
    "softsign": lambda h: h / (1 + abs(h)),
    "relu_squared": lambda h: max(h, 0.0) ** 2,
    "sin": math.sin,
    "abs": abs,
}


def density(z):
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def cuts(phi, q):
    """The cuts of a rule in z: the kinks of φ, places around its own scale, and steps of √q."""
    places = [*phi.kinks, 0.0, *(s * 4.0**k for s in (-1, 1) for k in range(-1, 6))]
    in_z = [h / math.sqrt(q) for h in places]
    return sorted({z for z in (*in_z, -12, -6, -3, -1, 1, 3, 6, 12) if abs(z) <= 12})


def expectation(function, phi, q):
    """E[f(√q z)] by mpmath's tanh-sinh rule, on panels of its own."""
    root = math.sqrt(q)
    scale = max(abs(function(root)), abs(function(-root)), 1e-300)  # its tolerance is absolute
    return scale * mpmath.fp.quad(lambda z: function(root * z) / scale * density(z), cuts(phi, q))


def product_expectation(function, phi, a, b, c):
    """E[f(u₁) f(u₂)] on the plane of u₁ and u₂, where the kinks lie along the axes.

    A plain product rule of fine panels, good for correlations that are not close to ±1.
    """
    nodes, weights = np.polynomial.legendre.leggauss(16)
    axes = []
    for variance in (a, b):
        root = math.sqrt(variance)
        edges = np.unique([*cuts(phi, variance), *np.linspace(-9, 9, 37)])
        middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
        z = (middle[:, None] + half[:, None] * nodes).ravel()
        values = function(torch.from_numpy(root * z)).numpy()
        axes.append((z, (half[:, None] * weights).ravel() * values))
    (x, at_x), (y, at_y) = axes
    exponent = (x[:, None] ** 2 - 2 * c * x[:, None] * y + y**2) / (2 * (1 - c * c))
    return at_x @ np.exp(-exponent) @ at_y / (2 * math.pi * math.sqrt(1 - c * c))


# Moments of one variable: exact to 1e-10, and the oracle's to 1e-13.


@pytest.mark.parametrize("q", VARIANCES)
@EACH
def test_moments_agree_with_an_independent_quadrature(name, q):
    phi, plain = ACTIVATIONS[name], PLAIN[name]
    if name == "sin" and q > 100:
        pytest.skip("no quadrature follows so many waves; their characteristic function is exact")

    def slope(h):
        return float(phi.derivative(torch.tensor(h, dtype=torch.float64)))

    size = expectation(lambda h: abs(plain(h)), phi, q)
    assert mf.mean(phi, q) == pytest.approx(expectation(plain, phi, q), abs=1e-10 * size)
    for found, function in (
        (mf.second_moment, lambda h: plain(h) ** 2),
        (mf.fourth_moment, lambda h: plain(h) ** 4),
        (mf.derivative_second_moment, lambda h: slope(h) ** 2),
    ):
        assert found(phi, q) == pytest.approx(expectation(function, phi, q), rel=1e-8, abs=0)


@pytest.mark.parametrize("q", VARIANCES)
@EACH
def test_steins_slope_is_the_derivative_of_the_second_moment(name, q):
    step = 1e-4  # the central difference errs by step²/6 of the third log-derivative
    upper, lower = mf.second_moment(name, [q * (1 + step), q * (1 - step)])
    numerical = (upper - lower) / (2 * step * q)
    scale = mf.second_moment(name, q) / q  # where V is flat, the difference is rounding
    assert mf.second_moment_slope(name, q) == pytest.approx(numerical, rel=1e-6, abs=1e-9 * scale)


@EACH
def test_at_zero_variance_moments_take_their_limits(name):
    phi = ACTIVATIONS[name]
    at_zero = PLAIN[name](0.0)
    assert mf.second_moment(phi, 0) == at_zero**2
    assert mf.mean(phi, 0) == at_zero
    for moment in (mf.derivative_second_moment, mf.second_moment_slope):
        # With a kink at zero, moments converge as √q.
        assert moment(phi, 0) == pytest.approx(moment(phi, 1e-9), rel=1e-3, abs=1e-7)


def test_waves_at_large_variance():
    assert mf.second_moment("sin", 1e4) == mf.derivative_second_moment("sin", 1e4) == 0.5
    assert mf.fourth_moment("sin", 1e4) == 0.375


@EACH
def test_gain_is_one_over_the_root_of_the_second_moment(name):
    assert mf.gain(name) == pytest.approx(mf.second_moment(name, 1.0) ** -0.5, rel=1e-10)


# Cross moments: exact to 1e-8 of √(E[φ(u₁)²] E[φ(u₂)²]).

LAWS = [(1.0, 1.0, 0.6), (0.04, 3.0, -0.8), (30.0, 60.0, 0.3)]


@pytest.mark.parametrize("a, b, c", LAWS)
@EACH
def test_cross_moments_agree_with_an_independent_quadrature(name, a, b, c):
    phi, r = ACTIVATIONS[name], c * math.sqrt(a * b)
    scale = math.sqrt(mf.second_moment(phi, a) * mf.second_moment(phi, b))
    expected = product_expectation(phi.function, phi, a, b, c)
    assert mf.cross_moment(phi, a, b, r) == pytest.approx(expected, abs=1e-8 * scale)
    scale = math.sqrt(mf.derivative_second_moment(phi, a) * mf.derivative_second_moment(phi, b))
    expected = product_expectation(phi.derivative, phi, a, b, c)
    assert mf.derivative_cross_moment(phi, a, b, r) == pytest.approx(expected, abs=1e-8 * scale)


@pytest.mark.parametrize("q", [0.0, *VARIANCES])
@EACH
def test_cross_moments_of_equal_signals_are_second_moments(name, q):
    second, of_slopes = mf.second_moment(name, q), mf.derivative_second_moment(name, q)
    assert mf.cross_moment(name, q, q, q) == pytest.approx(second, rel=1e-8, abs=1e-99)
    assert mf.derivative_cross_moment(name, q, q, q) == pytest.approx(of_slopes, rel=1e-8)


@EACH
def test_cross_moments_of_independent_signals_are_products_of_means(name):
    a, b = 0.3, 20.0
    product = mf.mean(name, a) * mf.mean(name, b)
    assert mf.cross_moment(name, a, b, 0.0) == pytest.approx(product, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@EACH
def test_cross_moments_at_full_correlation_are_integrals_over_one_variable(name, sign):
    phi, a, b = ACTIVATIONS[name], 0.5, 8.0
    breaks = tuple(s * k / math.sqrt(v) for k in phi.kinks for v in (a, b) for s in (-1, 1))
    for found, function in (
        (mf.cross_moment, phi.function),
        (mf.derivative_cross_moment, phi.derivative),
    ):
        expected = gaussian_expectation(
            lambda z, f=function: f(math.sqrt(a) * z) * f(sign * math.sqrt(b) * z),
            breaks=(0.0, *breaks),
        )
        assert found(phi, a, b, sign * 2.0) == pytest.approx(expected, rel=1e-8, abs=1e-9)


@EACH
def test_the_slope_of_a_cross_moment_is_the_cross_moment_of_slopes(name):
    # Price 1958. The central difference errs by step²/6 times a third derivative of order one.
    a, b, r, step = 1.0, 2.0, 0.5, 1e-3
    upper, lower = mf.cross_moment(name, a, b, [r + step, r - step])
    found = mf.derivative_cross_moment(name, a, b, r)
    assert found == pytest.approx((upper - lower) / (2 * step), rel=3e-6, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["erf", "gelu", "relu", "leaky_relu", "relu_squared", "sin", "abs"]
)
@pytest.mark.parametrize("c", [-1.0, -0.9999, 0.5, 0.999999, 1.0])
def test_closed_cross_moments_agree_with_the_two_dimensional_rule(name, c):
    phi, rule = ACTIVATIONS[name], without_closed_form(name)
    for a, b in ((1e-2, 1e-2), (0.1, 9.0), (9.0, 9.0)):
        r = c * math.sqrt(a * b)
        scale = math.sqrt(mf.second_moment(phi, a) * mf.second_moment(phi, b))
        found = mf.cross_moment(phi, a, b, r)
        assert found == pytest.approx(mf.cross_moment(rule, a, b, r), abs=1e-8 * scale)
        scale = math.sqrt(mf.derivative_second_moment(phi, a) * mf.derivative_second_moment(phi, b))
        found = mf.derivative_cross_moment(phi, a, b, r)
        # Beside a kink, the last bit of r changes the moment by 1e-8.
        assert found == pytest.approx(mf.derivative_cross_moment(rule, a, b, r), abs=3e-8 * scale)


def without_closed_form(name):
    return dataclasses.replace(ACTIVATIONS[name], closed_form=None)


# Lengths.


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


# Correlations.


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


# The edge of chaos.


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


# The calls.


def test_a_map_is_its_points():
    sigma_w, sigma_b = np.meshgrid(np.linspace(0, 4, 64), np.linspace(0, 2, 64))
    q, chi = mf.fixed_point("tanh", sigma_w, sigma_b), mf.chi_1("tanh", sigma_w, sigma_b)
    assert q.shape == chi.shape == (64, 64)
    alive = q > 0
    there = mf.length_map("tanh", q[alive], sigma_w[alive], sigma_b[alive])
    np.testing.assert_allclose(there / q[alive], 1.0, atol=1e-10)
    for row, column in ((0, 0), (3, 50), (63, 63), (40, 10), (0, 16), (0, 40)):
        at = sigma_w[row, column], sigma_b[row, column]
        assert mf.fixed_point("tanh", *at) == pytest.approx(q[row, column], rel=1e-9)
        assert mf.chi_1("tanh", *at) == pytest.approx(chi[row, column], rel=1e-9)


def test_scalars_give_floats_and_arrays_broadcast():
    for value in (
        mf.second_moment("tanh", 1),
        mf.second_moment("tanh", np.float32(1)),
        mf.cross_moment("tanh", 1, 2, 0.5),
        mf.fixed_point("tanh", 2, 0.1),
        mf.chi_1("tanh", 2, 0.1),
        mf.correlation_map("tanh", 0, 2, 0.1),
        mf.stable_correlation("tanh", 2, 0.1),
        *mf.depth_scales("tanh", 2, 0.1),
        *mf.edge_curve("tanh", 2),
        mf.edge_of_chaos("tanh", 0.1),
        mf.gain("tanh"),
    ):
        assert type(value) is float
    column, row = np.array([[1.1], [1.5]]), np.array([0.1, 0.2, 0.3])
    for function in (mf.fixed_point, mf.chi_1, mf.stable_correlation):
        grid = function("erf", column, row)
        each = [[function("erf", w, b) for b in row] for w in column[:, 0]]
        np.testing.assert_allclose(grid, each, rtol=1e-9)
    xi_q, xi_c = mf.depth_scales("elu", column, row)
    each = [[mf.depth_scales("elu", w, b) for b in row] for w in column[:, 0]]
    np.testing.assert_allclose(np.stack([xi_q, xi_c], axis=-1), each, rtol=1e-7)
    assert mf.cross_moment("mish", [[1.0], [2.0]], 3.0, [0.1, 0.2, 0.3]).shape == (2, 3)
    assert mf.fixed_point("tanh", [], 0.1).shape == (0,)


def test_phi_is_an_activation_or_its_name():
    phi = ACTIVATIONS["tanh"]
    assert mf.fixed_point(phi, 2.0, 0.1) == mf.fixed_point("tanh", 2.0, 0.1)
    with pytest.raises(
        ValueError, match=r"phi must be an Activation or one of linear, relu, .*abs"
    ):
        mf.second_moment("tanhh", 1.0)
    with pytest.raises(ValueError, match="phi must be"):
        mf.gain(None)


def test_an_activation_of_ones_own_needs_no_closed_form():
    phi = Activation(
        name="cube",
        function=lambda x: x**3,
        derivative=lambda x: 3 * x**2,
        formula="x^3",
        reference="none",
        code="x ** 3",
    )
    assert mf.second_moment(phi, 2.0) == pytest.approx(15 * 8)
    assert mf.second_moment_slope(phi, 2.0) == pytest.approx(45 * 4)
    assert mf.cross_moment(phi, 1.0, 1.0, 0.5) == pytest.approx(9 * 0.5 + 6 * 0.125)
    unstable = mf.fixed_points(phi, 1.0, 0.0)[1]
    assert unstable.q == pytest.approx(15**-0.5) and unstable.slope == pytest.approx(3.0)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: mf.second_moment("tanh", -1), "q must be a number of at least 0; got -1"),
        (lambda: mf.mean("tanh", [1, math.nan]), "q must be a number of at least 0; got nan"),
        (lambda: mf.mean("tanh", "one"), "q must be a number of at least 0; got 'one'"),
        (lambda: mf.fourth_moment("tanh", None), "q must be .*got None"),
        (lambda: mf.second_moment("tanh", True), "q must be .*got True"),
        (lambda: mf.chi_1("tanh", -0.5, 0), "sigma_w must be a number of at least 0; got -0.5"),
        (lambda: mf.fixed_point("tanh", 1, -2), "sigma_b must be a number of at least 0; got -2"),
        (lambda: mf.fixed_point("tanh", 1, math.inf), "sigma_b must be .*got inf"),
        (lambda: mf.edge_of_chaos("tanh", -2), "sigma_b must be"),
        (lambda: mf.depth_scales("tanh", 1j, 2), "sigma_w must be a number of at least 0"),
        (lambda: mf.correlation_map("tanh", 2, 1, 1), "c must be a number from -1 to 1; got 2"),
        (lambda: mf.cross_moment("tanh", 4, 1, -2.1), "r must be .* = 2; got -2.1"),
        (lambda: mf.derivative_cross_moment("tanh", 1, -1, 0), "b must be a number of at least 0"),
    ],
)
def test_a_bad_value_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
