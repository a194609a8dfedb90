"""The ends of a gradient's way in a number format, as predicted, beside those of real networks."""

import numpy as np
import pytest

from core import Experiment, backpropagate, predict

_NETWORKS = 100
_BASE = Experiment(
    width=64, depth=30, weights="fresh", init="lecun_normal", number_format="float16"
)


def _reached(layers, depth):
    """The share of networks in which δ has met its end at layers 0 … depth."""
    ends = np.array([-1 if layer is None else layer for layer in layers])
    return (ends[:, None] >= np.arange(depth + 1)).mean(0)


def _predicted(pmf, depth):
    each = np.array([pmf.get(layer, 0.0) for layer in range(depth + 1)])
    return np.cumsum(each[::-1])[::-1]


@pytest.mark.parametrize(
    "change",
    [
        {"scale": 1.6},
        {"scale": 0.5},
        {"activation": "tanh", "scale": 3.0, "loss_scale": 2.0**12},
        {"activation": "tanh", "scale": 0.5, "loss_scale": 16.0},
        {"scale": 0.5, "number_format": "float16_flushed"},
        {"activation": "tanh", "scale": 0.5, "number_format": "bfloat16_flushed", "depth": 150},
        {"scale": 0.5, "number_format": "float16_float16_sums"},
    ],
    ids=[
        "linear grows",
        "linear fades",
        "tanh grows",
        "tanh fades",
        *("flushed", "tanh flushed", "sums"),
    ],
)
def test_a_gradient_ends_at_the_layers_that_theory_says(change):
    e = _BASE.replace(**change)
    law = predict(e)
    events = [backpropagate(e.replace(seed=seed)).events for seed in range(_NETWORKS)]
    # Kolmogorov's distance at 0.1 %, and 1/n for a law that is right up to O(1/n).
    allowed = 1.95 / _NETWORKS**0.5 + 1 / e.width
    for pmf, found in (
        (law.gradient_overflow_pmf, [each.first_nonfinite for each in events]),
        (law.gradient_all_zero_pmf, [each.all_zero for each in events]),
    ):
        distance = np.abs(_reached(found, e.depth) - _predicted(pmf, e.depth)).max()
        assert distance <= allowed


def test_the_loss_scale_moves_both_ends():
    small, large = (predict(_BASE.replace(scale=s, loss_scale=4.0)) for s in (0.5, 1.6))
    assert max(small.gradient_all_zero_pmf) < max(
        predict(_BASE.replace(scale=0.5)).gradient_all_zero_pmf
    )
    assert max(large.gradient_overflow_pmf) > max(
        predict(_BASE.replace(scale=1.6)).gradient_overflow_pmf
    )


def test_a_signal_of_zero_lets_no_gradient_through_relu():
    law = predict(_BASE.replace(activation="relu", scale=0.1))
    assert law.gradient_all_zero_pmf == pytest.approx({29: 1.0})


def test_where_the_signal_leaves_the_range_the_end_of_its_gradient_has_no_law():
    law = predict(_BASE.replace(activation="relu", scale=4.0))
    assert law.gradient_known and law.overflow_pmf
    assert law.gradient_overflow_pmf is None and law.gradient_all_zero_pmf is None
    assert "leaves the range of float16" in law.gradient_valid


def test_dead_networks_have_gradients_of_zero_and_never_overflow():
    e = Experiment(width=3, depth=8, activation="relu", weights="fresh", init="kaiming_normal")
    law = predict(e)
    assert law.gradient_overflow_pmf == {}
    # All units of a layer are off with probability 1/8, and then no gradient goes back.
    assert law.gradient_all_zero_pmf == pytest.approx({7: 1 - (7 / 8) ** 8})


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu", "tanh"])
def test_a_signal_of_zero_blocks_its_gradient_where_the_slope_at_zero_is_zero(activation):
    e = Experiment(width=64, depth=80, weights="fresh", scale=0.08, activation=activation)
    e = e.replace(init="xavier_normal", number_format="float16")
    pmf, found = predict(e).gradient_all_zero_pmf, backpropagate(e).events.all_zero
    if activation == "leaky_relu":  # the slope at 0 is that of one side
        assert pmf is None
    elif activation == "tanh":  # its slope is 1, as everywhere near zero
        assert min(pmf) <= found <= max(pmf) < e.depth - 1
    else:
        assert found == e.depth - 1 and pmf == pytest.approx({found: 1.0})
