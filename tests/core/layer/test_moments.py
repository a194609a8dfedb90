"""Moments of φ against other quadrature and closed forms."""

import dataclasses
import math

import mpmath
import numpy as np
import pytest
import torch

from core import ACTIVATIONS
from core.layer import moments
from core.maths.quadrature import gaussian_expectation

EACH = pytest.mark.parametrize("name", ACTIVATIONS)
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
    "gelu_tanh": lambda h: h * (1 + math.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3))) / 2,
    "hardswish": lambda h: h * min(max(h + 3.0, 0.0), 6.0) / 6,
    "celu": lambda h: h if h > 0 else math.expm1(h),
    "prelu": lambda h: max(h, 0.0) + 0.25 * min(h, 0.0),
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
    assert moments.mean(phi, q) == pytest.approx(expectation(plain, phi, q), abs=1e-10 * size)
    for found, function in (
        (moments.second_moment, lambda h: plain(h) ** 2),
        (moments.fourth_moment, lambda h: plain(h) ** 4),
        (moments.derivative_second_moment, lambda h: slope(h) ** 2),
    ):
        assert found(phi, q) == pytest.approx(expectation(function, phi, q), rel=1e-8, abs=0)


@pytest.mark.parametrize("q", VARIANCES)
@EACH
def test_steins_slope_is_the_derivative_of_the_second_moment(name, q):
    step = 1e-4  # the central difference errs by step²/6 of the third log-derivative
    upper, lower = moments.second_moment(name, [q * (1 + step), q * (1 - step)])
    numerical = (upper - lower) / (2 * step * q)
    scale = moments.second_moment(name, q) / q  # where V is flat, the difference is rounding
    assert moments.second_moment_slope(name, q) == pytest.approx(
        numerical, rel=1e-6, abs=1e-9 * scale
    )


@EACH
def test_at_zero_variance_moments_take_their_limits(name):
    phi = ACTIVATIONS[name]
    at_zero = PLAIN[name](0.0)
    assert moments.second_moment(phi, 0) == at_zero**2
    assert moments.mean(phi, 0) == at_zero
    for moment in (moments.derivative_second_moment, moments.second_moment_slope):
        # With a kink at zero, moments converge as √q.
        assert moment(phi, 0) == pytest.approx(moment(phi, 1e-9), rel=1e-3, abs=1e-7)


def test_waves_at_large_variance():
    assert moments.second_moment("sin", 1e4) == moments.derivative_second_moment("sin", 1e4) == 0.5
    assert moments.fourth_moment("sin", 1e4) == 0.375


# Cross moments: exact to 1e-8 of √(E[φ(u₁)²] E[φ(u₂)²]).

LAWS = [(1.0, 1.0, 0.6), (0.04, 3.0, -0.8), (30.0, 60.0, 0.3)]


@pytest.mark.parametrize("a, b, c", LAWS)
@EACH
def test_cross_moments_agree_with_an_independent_quadrature(name, a, b, c):
    phi, r = ACTIVATIONS[name], c * math.sqrt(a * b)
    scale = math.sqrt(moments.second_moment(phi, a) * moments.second_moment(phi, b))
    expected = product_expectation(phi.function, phi, a, b, c)
    assert moments.cross_moment(phi, a, b, r) == pytest.approx(expected, abs=1e-8 * scale)
    scale = math.sqrt(
        moments.derivative_second_moment(phi, a) * moments.derivative_second_moment(phi, b)
    )
    expected = product_expectation(phi.derivative, phi, a, b, c)
    assert moments.derivative_cross_moment(phi, a, b, r) == pytest.approx(
        expected, abs=1e-8 * scale
    )


@pytest.mark.parametrize("q", [0.0, *VARIANCES])
@EACH
def test_cross_moments_of_equal_signals_are_second_moments(name, q):
    second, of_slopes = moments.second_moment(name, q), moments.derivative_second_moment(name, q)
    assert moments.cross_moment(name, q, q, q) == pytest.approx(second, rel=1e-8, abs=1e-99)
    assert moments.derivative_cross_moment(name, q, q, q) == pytest.approx(of_slopes, rel=1e-8)


@EACH
def test_cross_moments_of_independent_signals_are_products_of_means(name):
    a, b = 0.3, 20.0
    product = moments.mean(name, a) * moments.mean(name, b)
    assert moments.cross_moment(name, a, b, 0.0) == pytest.approx(product, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@EACH
def test_cross_moments_at_full_correlation_are_integrals_over_one_variable(name, sign):
    phi, a, b = ACTIVATIONS[name], 0.5, 8.0
    breaks = tuple(s * k / math.sqrt(v) for k in phi.kinks for v in (a, b) for s in (-1, 1))
    for found, function in (
        (moments.cross_moment, phi.function),
        (moments.derivative_cross_moment, phi.derivative),
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
    upper, lower = moments.cross_moment(name, a, b, [r + step, r - step])
    found = moments.derivative_cross_moment(name, a, b, r)
    assert found == pytest.approx((upper - lower) / (2 * step), rel=3e-6, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["erf", "gelu", "relu", "leaky_relu", "relu_squared", "sin", "abs"]
)
@pytest.mark.parametrize("c", [-1.0, -0.9999, 0.5, 0.999999, 1.0])
def test_closed_cross_moments_agree_with_the_two_dimensional_rule(name, c):
    phi, rule = ACTIVATIONS[name], without_closed_form(name)
    for a, b in ((1e-2, 1e-2), (0.1, 9.0), (9.0, 9.0)):
        r = c * math.sqrt(a * b)
        scale = math.sqrt(moments.second_moment(phi, a) * moments.second_moment(phi, b))
        found = moments.cross_moment(phi, a, b, r)
        assert found == pytest.approx(moments.cross_moment(rule, a, b, r), abs=1e-8 * scale)
        scale = math.sqrt(
            moments.derivative_second_moment(phi, a) * moments.derivative_second_moment(phi, b)
        )
        found = moments.derivative_cross_moment(phi, a, b, r)
        # Beside a kink, the last bit of r changes the moment by 1e-8.
        assert found == pytest.approx(
            moments.derivative_cross_moment(rule, a, b, r), abs=3e-8 * scale
        )


def without_closed_form(name):
    return dataclasses.replace(ACTIVATIONS[name], closed_form=None)
