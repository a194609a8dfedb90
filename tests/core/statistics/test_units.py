"""Shares of units, against plain NumPy on the raw tensors of a plain loop."""

import numpy as np
import pytest
import torch
from scipy.special import erf
from scipy.stats import norm

from core import ACTIVATIONS, NUMBER_FORMATS, Experiment, backpropagate, propagate
from core.layer.named_activation import activation_of
from core.reading.records import layer_records
from core.simulation.propagate import draw_input, draw_layer
from core.statistics.layer_stats import STATISTICS, LayerStats
from core.statistics.sums import add_up
from core.statistics.units import flat_share
from tests.core.experiments import CPU

NEW = ("flat", "near_zero", "dead", "mean_share")
SIX = 0.06
SLOPES = {
    "linear": np.ones_like,
    "relu": lambda h: (h > 0).astype(float),
    "tanh": lambda h: 1 - np.tanh(h) ** 2,
    "gelu": lambda h: norm.cdf(h) + h * norm.pdf(h),
    "sin": np.cos,
    "hardswish": lambda h: np.where(h > 3, 1, np.where(h < -3, 0, h / 3 + 0.5)),
    "max(min(x,2-x),0)": lambda h: ((h > 0) & (h < 2)).astype(float),
    "leaky_relu(0.05)": lambda h: np.where(h > 0, 1, 0.05),
}
OUTPUTS = {
    "linear": lambda h: h,
    "relu": lambda h: np.maximum(h, 0),
    "tanh": np.tanh,
    "gelu": lambda h: h * (1 + erf(h / 2**0.5)) / 2,  # torch's form: exactly 0 far below zero
    "sin": np.sin,
    "hardswish": lambda h: h * np.clip(h + 3, 0, 6) / 6,
    "max(min(x,2-x),0)": lambda h: np.maximum(np.minimum(h, 2 - h), 0),
    "leaky_relu(0.05)": lambda h: np.where(h > 0, h, 0.05 * h),
}
BLOCKS = {
    "plain": {},
    "preactivation": {"branch": "preactivation", "skip": "identity"},
    "mlp": {"branch": "mlp", "skip": "identity", "norm": "layer"},
    "residual": {"skip": "identity", "branch_scale": 0.5},
    "normed": {"norm": "rms", "norm_place": "inside"},
}


def normed(x, centred):
    x = x - x.mean(0) if centred else x
    return x / np.sqrt((x**2).mean(0) + 1e-5)


def matrices(e, layer):
    """The matrices of a layer, and None for a second one that it has not."""
    drawn = draw_layer(e, layer, CPU)
    inside = drawn[0] if isinstance(drawn[0], list) else drawn
    return (*(a.numpy() for a in inside if a is not None), None)[:2]


def loop(e, kind):
    """x, h and φ(h) at layers 1 … L in float64, by the equations of the layer alone."""
    phi = OUTPUTS[e.activation]
    x = draw_input(e, CPU).numpy()
    for k in range(1, e.depth + 1):
        a, second = matrices(e, k)
        if kind == "preactivation":
            h = x
            y = phi(h)
            x = x + a @ y
        elif kind == "mlp":
            h = a @ normed(x, centred=True)
            y = phi(h)
            x = x + second @ y
        else:
            h = a @ x
            h = normed(h, centred=False) if kind == "normed" else h
            y = phi(h)
            x = x + 0.5 * y if kind == "residual" else y
        yield x, h, y


def counted(e, x, h, y):
    """The four shares of a layer, element by element."""
    silent = y == 0 if e.batch_size == 1 else (y == 0).all(1)
    if e.activation == "linear":
        silent = x == 0 if e.batch_size == 1 else (x == 0).all(1)
    return {
        "flat": np.mean(np.abs(SLOPES[e.activation](h)) < SIX),
        "near_zero": np.mean(np.abs(x) <= 0.05),
        "dead": np.mean(silent),
        "mean_share": np.mean(x) ** 2 / (np.mean(x) ** 2 + np.var(x)),
    }


@pytest.mark.parametrize("batch_size", [1, 5])
@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("activation", SLOPES)
def test_shares_are_those_of_a_plain_loop(activation, kind, batch_size):
    """Counts are equal; the mean's share to the rounding of float64 sums over 24 layers."""
    e = Experiment(width=48, depth=24, init="kaiming_normal", weights="fresh", scale=1.3, seed=7)
    e = e.replace(activation=activation, number_format="float64", batch_size=batch_size)
    e = e.replace(**BLOCKS[kind])
    stats = propagate(e).stats
    assert np.isnan(stats.flat[0]) and np.isnan(stats.dead[0])
    for layer, raw in enumerate(loop(e, kind), start=1):
        for name, value in counted(e, *raw).items():
            tolerance = 1e-9 if name == "mean_share" else 1e-12
            found = stats.values[name][layer]
            assert found == pytest.approx(value, abs=tolerance, rel=1e-6), (name, layer)


def test_wide_branches_are_counted_in_parts_and_in_their_order():
    """131,072 elements are counted at once: here every two layers. One layer alone is an oracle."""
    e = Experiment(width=64, depth=9, init="kaiming_normal", weights="fresh", batch_size=256)
    e = e.replace(activation="relu", **BLOCKS["mlp"])
    whole = propagate(e).stats
    for depth in (1, 4, 8):
        part = propagate(e.replace(depth=depth)).stats
        for name in NEW:
            np.testing.assert_array_equal(whole.values[name][: depth + 1], part.values[name])


@pytest.mark.parametrize("name", [*ACTIVATIONS, "max(min(x,2-x),0)", "elu(2.5)"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_every_pre_activation_of_16_bits_is_counted_as_its_slope_says(name, dtype):
    """All finite float16 numbers, eight a layer; the slope in float64 is the oracle."""
    h = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.float16)
    h = h[h.isfinite()].to(dtype)
    phi = activation_of(name)
    flat = phi.derivative(h.double()).abs() < SIX
    if name == "sin":  # is asked for its slope in float32, which is right only to 3e-8 of |h|
        h, flat = h[h.abs() < 64], flat[h.abs() < 64]
    share = flat.double().view(-1, 8).mean(1).numpy()
    np.testing.assert_array_equal(flat_share(phi, h.view(-1, 8).unbind()), share)


def test_what_is_not_a_number_is_neither_saturated_nor_near_zero_nor_dead():
    phi = ACTIVATIONS["tanh"]
    assert flat_share(phi, [torch.tensor([torch.nan, torch.inf, 0.0, -3.0])]) == [0.5]
    x = torch.tensor([[torch.nan, 0.05, -0.05, torch.inf, 0.06]], dtype=torch.float64)
    assert LayerStats.of(add_up(x, NUMBER_FORMATS["float64"])).near_zero == [0.4]


@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
def test_with_one_input_dead_units_are_those_that_are_zero(number_format):
    e = Experiment(width=64, depth=12, init="kaiming_normal", activation="relu", weights="fresh")
    stats = propagate(e.replace(number_format=number_format)).stats
    np.testing.assert_array_equal(stats.dead[1:], stats.zero[1:])
    several = propagate(e.replace(number_format=number_format, batch_size=8)).stats
    assert (several.dead[1:] < several.zero[1:]).all() and several.dead[-1] > 0


def test_the_mean_has_its_share_where_squares_leave_the_range_of_float64():
    """Twice as far from zero as wide: mean² is 4 and the variance 1 of 5."""
    for scale in (1e-300, 1.0, 1e300):
        x = torch.tensor([[1.0, 3.0]], dtype=torch.float64) * scale
        found = LayerStats.of(add_up(x, NUMBER_FORMATS["float64"])).mean_share
        assert found == pytest.approx([0.8], rel=1e-15)
    equal = LayerStats.of(add_up(torch.full((1, 7), 0.1), NUMBER_FORMATS["float32"]))
    assert equal.mean_share == [1.0]
    assert np.isnan(LayerStats.of(add_up(torch.zeros(1, 7), NUMBER_FORMATS["float32"])).mean_share)


def test_a_gradient_has_no_column_of_what_is_said_of_a_signal_alone():
    back = backpropagate(Experiment(width=16, depth=3, activation="tanh"))
    columns = set(layer_records(back)[0])
    assert {f"gradient_{name}" for name in STATISTICS} - columns == {
        "gradient_flat",
        "gradient_near_zero",
        "gradient_dead",
    }
    assert set(NEW) <= columns


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
def test_a_run_with_its_gradient_counts_the_same(activation):
    e = Experiment(width=32, depth=20, activation=activation, batch_size=3, **BLOCKS["mlp"])
    one, both = propagate(e).stats, backpropagate(e).run.stats
    for name in NEW:
        np.testing.assert_array_equal(one.values[name], both.values[name])
