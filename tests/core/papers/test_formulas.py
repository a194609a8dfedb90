"""Published numbers that were computed from a formula: computed once more, by other means.

The formulas are those of the papers; integrals over the normal distribution are scipy's.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from core.papers import CLAIMS


def mean(f):
    """E f(z) for z ~ N(0, 1)."""
    return quad(lambda z: f(z) * norm.pdf(z), -12, 12, limit=200)[0]


def fixed_point(weight, bias):
    """q = σ_w² E tanh²(√q z) + σ_b²."""
    return brentq(
        lambda q: weight * mean(lambda z: np.tanh(q**0.5 * z) ** 2) + bias - q, 1e-6, 60.0
    )


def tanh_rate(weight, bias):
    """−ln χ₁, with χ₁ = σ_w² E tanh′²."""
    q = fixed_point(weight, bias)
    return -np.log(weight * mean(lambda z: np.cosh(q**0.5 * z) ** -4))


def tanh_correlation(weight, bias):
    """c* < 1 of tanh: the fixed point of c ↦ (σ_w² E tanh(√q u) tanh(√q v) + σ_b²)/q."""
    q = fixed_point(weight, bias)
    z = np.linspace(-9, 9, 601)  # the trapezoidal rule on a smooth function is exact to 1e-10
    w = norm.pdf(z) * (z[1] - z[0])

    def mapped(c):
        u, v = z[:, None], c * z[:, None] + (1 - c * c) ** 0.5 * z[None, :]
        together = np.tanh(q**0.5 * u) * np.tanh(q**0.5 * v)
        return (weight * (w[:, None] * w[None, :] * together).sum() + bias) / q

    return brentq(lambda c: mapped(c) - c, 0.0, 0.9)


FORMULAS = {
    "he-xavier-relu": lambda: [2.0**-30],
    "pytorch-linear": lambda: [(6 / (1 + 5)) ** 0.5 / 3**0.5],  # U(±√(6/((1 + a²) n))), a = √5
    "power-law": lambda: [1 / (2 * 100), 1 / 100],
    "gradient-depth": lambda: [tanh_rate(weight, 0.05) for weight in (1.0, 1.3, 1.7)],
    "correlation-depth": lambda: [tanh_rate(weight, 0.05) for weight in (1.0, 1.3)],
    "chaotic-correlation": lambda: [tanh_correlation(sigma**2, 0.09) for sigma in (2.5, 4.0)],
    "relu-lengths": lambda: [np.exp(5 * depth / 256) - 1 for depth in (5, 10, 20)],
    "born-dead": lambda: [1 - (1 - 2.0**-n) ** 10 for n in (2, 4, 6)],
    "products-and-width": lambda: [0.5, 1.0],
    "orthogonal-lengths": lambda: [1.0, 1.0],
    "makemore-gradient": lambda: (
        np.array([4.205588e-04, 3.991179e-04, 3.743020e-04, 3.290473e-04]) / 3.054035e-04
    ),
    "glorot-weight-gradients": lambda: [1.0, 1 / 3**2],
    "residual-relu": lambda: [2**0.5, 2**0.5],
    "residual-tanh": lambda: [1.0],
    "rezero": lambda: [1.0, 1.0],
    "post-norm-stream": lambda: [1 + 0.5],
    "pre-norm-stream": lambda: [1 + layer / 2 for layer in (2, 6, 12)],
    "norm-on-branch": lambda: [1 + block for block in (1, 4, 16)],
    "siren-rms": lambda: [0.5**0.5],
}
ELSEWHERE = {
    "batch-norm-gradients",  # tests/core/theory has theorem 8
    "makemore-gradient-gain-3",
    "makemore-gradient-gain-half",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_number_computed_from_a_formula_is_right_to_its_last_digit(name):
    for (value, rounding), wanted in zip(CLAIMS[name].published, FORMULAS[name](), strict=True):
        assert abs(value - wanted) <= rounding * (1 + 1e-9)


def test_every_number_that_was_computed_is_computed_again():
    computed = {name for name, claim in CLAIMS.items() if claim.source.computed}
    assert computed == set(FORMULAS) | ELSEWHERE


def test_the_integrals_are_right():
    """E z⁴ = 3, and the correlation of two normal numbers is theirs."""
    assert mean(lambda z: z**4) == pytest.approx(3, rel=1e-9)
    draws = multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]]).rvs(10**5, random_state=0)
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(0.3, abs=0.012)  # 4 standard errors
