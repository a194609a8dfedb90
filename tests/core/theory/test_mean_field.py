"""The calls of infinite-width theory: names, scalars and arrays, and values that are refused."""

import math

import numpy as np
import pytest

from core import ACTIVATIONS, Experiment
from core.layer.activations import Activation
from core.theory import mean_field as mf


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gain_is_one_over_the_root_of_the_second_moment(name):
    assert mf.gain(name) == pytest.approx(mf.second_moment(name, 1.0) ** -0.5, rel=1e-10)


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
        backward_code="g * (3 * h**2)",
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


@pytest.mark.parametrize(
    "changes", [{"init": "xavier_normal"}, {"init": "lsuv"}, {"bias_std": 1.0}]
)
@pytest.mark.parametrize("name", ["linear", "relu", "tanh", "sigmoid", "relu_squared"])
def test_no_gradient_passes_weights_of_zero(name, changes):
    e = Experiment(width=64, depth=3, weights="fresh", activation=name, **changes, scale=0.0)
    assert mf.profile(e).log2_gradient_rms.tolist() == [-math.inf] * 3 + [0.0]
