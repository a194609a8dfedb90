"""The gradient in every number format: figures that are valid Plotly and say what they show."""

import json

import numpy as np
import plotly.graph_objects as go

from core import NUMBER_FORMATS, Experiment, backpropagate, charts
from core.theory.windows import Window

WINDOWS = {
    "float32": Window(0.0, np.inf),
    "float16": Window(2.0**-4.5, 2.0**9),
    "float8_e5m2": Window(np.inf, 0.0),
}


def valid(figure):
    go.Figure(figure)  # raises for anything outside Plotly's schema
    json.dumps(figure, allow_nan=False)
    layout = figure["layout"]
    assert layout["xaxis"]["title"]["text"] and layout["meta"]["alt"].endswith(".")
    return figure


def test_what_each_format_loses_is_drawn_per_layer():
    e = Experiment(width=32, depth=40, init="xavier_normal", scale=0.5, weights="fresh")
    backs = {name: backpropagate(e.replace(number_format=name)) for name in NUMBER_FORMATS}
    figure = valid(charts.lost_by_format(backs))
    assert [trace["name"] for trace in figure["data"]] == [*NUMBER_FORMATS]
    assert figure["data"][3]["y"][0] > 0.5 > figure["data"][3]["y"][-1]


def test_a_window_is_a_bar_as_far_as_loss_scales_go():
    figure = valid(charts.loss_windows(WINDOWS, {}, 2.0**3))
    bars = {trace["name"]: trace["x"] for trace in figure["data"]}
    assert bars["float32"] == [-24, 24] and bars["float16"] == [-4.5, 9]
    assert bars["float8_e5m2"] == [None, None]
    assert figure["layout"]["shapes"][0]["x0"] == 3


def test_measured_windows_stand_under_the_predicted_ones_and_are_told():
    measured = WINDOWS | {"float16": Window(2.0**-3, 2.0**7)}
    figure = valid(charts.loss_windows(WINDOWS, measured, 1.0))
    assert len(figure["data"]) == 2 * len(WINDOWS)
    assert "float16: 2⁻³ to 2⁷ measured" in figure["layout"]["meta"]["alt"]
    assert any("2⁻³ to 2⁷" in text for text in figure["layout"]["yaxis"]["ticktext"])


def test_zeros_that_no_rounding_made_are_not_lost():
    """Behind a ReLU half of a gradient is zero in float64 too."""
    e = Experiment(width=32, depth=6, init="identity", activation="relu")
    names = ("float64", "float16")
    backs = {name: backpropagate(e.replace(number_format=name)) for name in names}
    assert backs["float64"].stats.zero[0] > 0.3
    for trace in valid(charts.lost_by_format(backs))["data"]:
        assert max(trace["y"]) == 0
    assert (
        "right to left" in valid(charts.lost_by_format(backs))["layout"]["xaxis"]["title"]["text"]
    )
    alone = valid(charts.lost_by_format({"float16": backs["float16"]}))
    assert max(alone["data"][0]["y"]) > 0.3
