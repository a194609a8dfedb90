"""The chart of the weight gradients: one curve per layer's matrix, or the steps of one matrix."""

import numpy as np
import pytest

from core import Experiment, backpropagate
from core.charts.weight_gradients import weight_gradients
from core.reading.gradient_notes import of_weights

SMALL = Experiment(width=32, depth=10, init="xavier_normal")


def names(figure):
    return [trace["name"] for trace in figure["data"]]


def test_fresh_weights_have_a_gradient_per_layer():
    back = backpropagate(SMALL.replace(weights="fresh"))
    figure = weight_gradients(back)
    assert names(figure) == ["rms of G", "rms of δ"]
    drawn = figure["data"][0]["y"]
    assert drawn[0] is None
    assert np.log2(drawn[1:]) == pytest.approx(back.weights.log2_rms[1:], abs=1e-4)
    assert of_weights(back) == ""


def test_one_matrix_has_one_gradient_the_sum_of_its_steps():
    back = backpropagate(SMALL)
    figure = weight_gradients(back)
    assert names(figure) == ["rms of G, each step", "rms of G, their sum", "rms of δ"]
    [level] = set(figure["data"][1]["y"])
    assert np.log2(level) == pytest.approx(back.weights.whole["log2_rms"], abs=1e-4)


def test_where_no_gradient_of_a_matrix_is_finite_that_is_said():
    back = backpropagate(Experiment())
    figure = weight_gradients(back)
    assert set(figure["data"][0]["y"]) == set(figure["data"][1]["y"]) == {None}
    assert "not finite in every layer" in of_weights(back)
