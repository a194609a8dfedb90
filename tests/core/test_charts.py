"""Figures are valid Plotly, complete, and say what they show."""

import base64
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from core import Experiment, charts, propagate

RUNS = {
    "explodes": Experiment(depth=40),
    "vanishes": Experiment(scale=0.01),
    "holds": Experiment(init="orthogonal"),
    "zero": Experiment(scale=0.0, depth=5),
    "one number": Experiment(width=1),
    "one product": Experiment(depth=1),
    "float64": Experiment(number_format="float64", depth=300),
    "saturates": Experiment(number_format="float8_e4m3fn", depth=20),
    "deep": Experiment(width=20, depth=2000, scale=0.25, batch_size=4),
}
DRAWN = [getattr(charts, name) for name in charts.__all__]


@pytest.fixture(scope="module", params=RUNS)
def run(request):
    return propagate(RUNS[request.param])


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_a_figure_is_valid_plotly_and_strict_json_with_titles_and_words(draw, run):
    figure = draw(run)
    go.Figure(figure)  # raises for anything outside Plotly's schema
    assert len(json.dumps(figure, allow_nan=False)) < 200_000
    layout = figure["layout"]
    assert layout["xaxis"]["title"]["text"] and layout["yaxis"]["title"]["text"]
    assert len(layout["meta"]["alt"]) > 30
    assert all("hovertemplate" in trace for trace in figure["data"])


def test_std_is_drawn_as_measured(run):
    (std, *_) = charts.std_per_layer(run)["data"]
    assert std["x"] == list(range(len(run.stats)))
    drawn = np.array([np.nan if y is None else y for y in std["y"]])
    size = run.stats.rms if run.experiment.width == 1 else run.stats.std
    shown = np.isfinite(size) & (size > 0)
    np.testing.assert_array_equal(np.isfinite(drawn), shown)
    np.testing.assert_allclose(drawn[shown], size[shown], rtol=1e-5)
    assert std["customdata"][:2] == ["input", 0]


def test_the_event_and_the_limits_of_the_format_are_marked():
    run = propagate(RUNS["explodes"])
    layout = charts.std_per_layer(run)["layout"]
    texts = [note["text"] for note in layout["annotations"]]
    assert "<b>NaN at i = 28</b>" in texts and "largest float32 3.4e38" in texts
    assert any(shape.get("x0") == 29 for shape in layout["shapes"])
    levels = [shape["y0"] for shape in layout["shapes"] if shape.get("xref") == "paper"]
    assert levels == pytest.approx([3.4028e38, 1.1755e-38, 1.4013e-45], rel=1e-4)
    gone = charts.std_per_layer(propagate(RUNS["vanishes"]))["layout"]["annotations"]
    assert {"smallest subnormal 1.4e-45", "smallest normal 1.18e-38"} <= {n["text"] for n in gone}


def test_the_heat_map_holds_every_finite_element_of_the_layers_it_shows():
    run = propagate(RUNS["holds"])
    (heat,) = charts.distribution_per_layer(run)["data"]
    z = np.frombuffer(base64.b64decode(heat["z"]["bdata"]), np.float32)
    z = z.reshape([int(size) for size in heat["z"]["shape"].split(", ")])
    np.testing.assert_allclose(np.nansum(z, axis=0), 1, rtol=1e-5)
    assert heat["x"] == list(range(101))


def test_fractions_that_never_occur_are_left_out():
    names = [
        trace["name"] for trace in charts.fractions_per_layer(propagate(RUNS["holds"]))["data"]
    ]
    assert names == ["non-finite", "zero"]
    names = [
        trace["name"] for trace in charts.fractions_per_layer(propagate(RUNS["vanishes"]))["data"]
    ]
    assert names == ["non-finite", "zero", "subnormal"]


def test_what_happens_before_the_elements_break_is_marked_on_the_curve():
    (points,) = [
        trace
        for trace in charts.std_per_layer(propagate(RUNS["explodes"]))["data"]
        if trace["name"] == "other events"
    ]
    assert points["x"] == [28]  # i = 27
    assert points["customdata"] == [
        "first i at which torch's x.mean() is NaN<br>first i at which torch's x.std() is NaN"
    ]
