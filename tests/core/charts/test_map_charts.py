"""The map of a sweep and the coordinate check are valid Plotly and say what they show."""

import base64
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from core import Experiment, charts
from core.charts.map_axes import map_axis
from core.maps.borders import borders
from core.maps.landscape import Landscape
from core.sweep import MEASURES, parse
from core.sweep.coordinate_check import coordinate_check
from tests.core.charts.test_charts import _contrast

BASE = Experiment(width=32, depth=30, weights="fresh")
MAPS = {
    "iterations": ("scale=0.005..5:9", "width=16..64:5", "first_nonfinite", {}),
    "vanishing": ("scale=0.005..5:9", "depth=1..40:5", "all_zero", {"number_format": "float16"}),
    "sizes": ("scale=0.005..5:9", "number_format=float32,float16", "log2_std", {}),
    "chi": ("sigma_w=0.5..3:5", "bias_std=0..1:5", "chi_1", {"activation": "tanh"}),
    "depth": ("sigma_w=0.5..3:5", "bias_std=0..1:5", "trainable_depth", {"activation": "erf"}),
    "two choices": ("activation=tanh,relu", "init=normal,zeros", "rms", {}),
    "no order": ("width=64,16,32", "scale=1,0.1", "zero", {"activation": "relu"}),
    "one cell": ("scale=1", "width=16", "first_nonfinite", {}),
    "failing": ("sigma_w=0.5..2:3", "init=normal,zeros", "rms", {}),
    "several engines": ("scale=0.005..5:5", "number_format=float32,float8_e5m2", "rms", {}),
}


def drawn(name):
    x, y, measure, fields = MAPS[name]
    landscape = Landscape(BASE.replace(**fields), parse(x), parse(y), measure, 3)
    result = landscape.sweep()
    sides = [(axis.name, axis.values) for axis in (landscape.x, landscape.y)]
    return result, charts.phase_diagram(result, borders(landscape.base, *sides))


def unpacked(spec):
    shape = [int(size) for size in spec["shape"].split(", ")]
    return np.frombuffer(base64.b64decode(spec["bdata"]), np.float32).reshape(shape)


@pytest.mark.parametrize("name", MAPS)
def test_a_map_is_valid_plotly_and_strict_json_with_titles_and_words(name):
    result, figure = drawn(name)
    go.Figure(figure)  # raises for anything outside Plotly's schema
    assert len(json.dumps(figure, allow_nan=False)) < 60_000
    layout = figure["layout"]
    assert layout["xaxis"]["title"]["text"] and layout["yaxis"]["title"]["text"]
    assert layout["meta"]["alt"].startswith("Map of ") and len(layout["meta"]["alt"]) > 60
    ids = [trace["uid"] for trace in figure["data"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", each) for each in ids)
    for trace in figure["data"]:
        assert trace.keys() & {"hovertemplate", "hoverinfo"}
    heat = figure["data"][0]
    assert (len(heat["y"]), len(heat["x"])) == unpacked(heat["z"]).shape == result.shape[::-1]


def test_the_map_has_the_medians_where_they_belong_and_never_in_a_colour_of_its_own():
    result, figure = drawn("iterations")
    heat, never = figure["data"][:2]
    np.testing.assert_allclose(unpacked(heat["z"]), result.median.T)
    np.testing.assert_array_equal(np.isfinite(unpacked(never["z"])), np.isnan(result.median.T))
    assert never["name"] == "never" and never["showlegend"]
    assert heat["x"] == [*result.axes[0].values] and heat["y"] == [*result.axes[1].values]
    assert "NaN iteration: %{z:.4~g}" in heat["hovertemplate"]
    assert "networks without matrices, exact in law" in heat["hovertemplate"]


def test_log_axes_are_drawn_as_such_and_choices_stand_beside_each_other():
    _, figure = drawn("sizes")
    x, y = figure["layout"]["xaxis"], figure["layout"]["yaxis"]
    assert x["type"] == "log" and x["title"]["text"] == "Scale factor s (log scale)"
    assert x["range"][0] < np.log10(0.005) and x["range"][1] > np.log10(5)
    assert y["ticktext"] == ["float32", "float16"] and y["range"] == [-0.5, 1.5]
    assert figure["data"][0]["zmin"] == -figure["data"][0]["zmax"]  # 0 is in the middle
    _, unordered = drawn("no order")
    assert unordered["layout"]["xaxis"]["ticktext"] == ["64", "16", "32"]
    assert map_axis(parse("scale=1,1,0.5"))["ticktext"] == ["1", "1", "0.5"]
    _, sigmas = drawn("chi")
    assert sigmas["layout"]["xaxis"]["title"]["text"] == "σ<sub>w</sub>"
    assert sigmas["layout"]["yaxis"]["title"]["text"] == "Bias std σ<sub>b</sub>"
    assert sigmas["data"][0]["hovertemplate"].startswith("σ<sub>w</sub> = %{x")
    _, depth = drawn("depth")
    assert depth["data"][0]["colorbar"]["title"]["text"] == "trainable depth 6·ξ<sub>c</sub>"


@pytest.mark.parametrize(
    "text, labels",
    [
        ("width=16..2048:8", ["16", "32", "64", "128", "256", "512", "1024", "2048"]),
        ("width=256..512:24", ["300", "400", "500"]),
        ("scale=0.3..8:9", ["0.5", "1", "2", "5"]),
        ("width=300..340:9", None),  # Plotly's own
    ],
)
def test_a_log_axis_has_ticks_however_short_it_is(text, labels):
    axis = map_axis(parse(text))
    assert axis["type"] == "log" and axis.get("ticktext") == labels


def test_colours_that_stand_for_log10_are_labelled_with_the_values():
    result, figure = drawn("chi")
    heat = figure["data"][0]
    np.testing.assert_allclose(unpacked(heat["z"]), np.log10(result.median.T), rtol=1e-6)
    np.testing.assert_allclose(np.array(heat["customdata"]), result.median.T, rtol=1e-5)
    bar = heat["colorbar"]
    np.testing.assert_allclose(10 ** np.array(bar["tickvals"]), [*map(float, bar["ticktext"])])
    assert "1" in bar["ticktext"] and heat["zmin"] == -heat["zmax"]  # χ₁ = 1 is in the middle
    assert "%{customdata" in heat["hovertemplate"]


def test_the_borders_lie_on_top_of_the_cells_with_a_light_line_beneath():
    _, figure = drawn("iterations")
    kinds = [trace["type"] for trace in figure["data"]]
    assert kinds == ["heatmap", "heatmap"] + ["scatter"] * 6
    for below, above in zip(figure["data"][2::2], figure["data"][3::2], strict=True):
        assert below["line"]["width"] > above["line"]["width"]
        assert below["x"] == above["x"] and not below["showlegend"]
        assert above["hoverinfo"] == "skip"  # a click goes to the cell
    names = [trace["name"] for trace in figure["data"][3::2]]
    assert names == ["χ₁ = 1: edge of chaos", "overflow, by theory", "all zero, by theory"]


def test_the_colour_bar_lies_under_the_map_where_no_hover_text_covers_it():
    _, figure = drawn("iterations")
    bar = figure["data"][0]["colorbar"]
    assert (bar["orientation"], bar["yref"], bar["y"], bar["yanchor"]) == (
        "h",
        "container",
        0,
        "bottom",
    )


def test_the_regions_of_a_map_are_named_at_their_places_on_its_axes():
    x, y = parse("scale=0.0005..5:24"), parse("width=32..128:12")
    landscape = Landscape(BASE.replace(depth=60), x, y, "first_nonfinite")
    lines = borders(landscape.base, *((axis.name, axis.values) for axis in (x, y)))
    figure = charts.phase_diagram(landscape.sweep(), lines)
    names = figure["layout"]["annotations"]
    assert [each["text"] for each in names] == [
        "<b>explodes</b>",
        "<b>holds</b>",
        "<b>vanishes</b>",
    ]
    for axis, letter in ((x, "x"), (y, "y")):
        known = np.log10(axis.values)
        for each in names:  # an annotation on a log axis stands at the log10
            assert np.abs(known - each[letter]).min() < 1e-5
    heat = figure["data"][0]
    column = int(np.abs(np.log10(heat["x"]) - names[0]["x"]).argmin())
    row = int(np.abs(np.log10(heat["y"]) - names[0]["y"]).argmin())
    assert np.isfinite(unpacked(heat["z"])[row, column])
    assert charts.phase_diagram(landscape.blank())["layout"]["annotations"] == []


def test_what_is_stuck_has_a_colour_and_its_line_a_name():
    x, y = parse("scale=0.005..5:7"), parse("number_format=float16,float8_e4m3fn")
    base = BASE.replace(weights="tied")
    figure = charts.phase_diagram(Landscape(base, x, y, "log2_std").sweep())
    [stuck] = [t for t in figure["data"] if t["name"] == "stuck at the largest value"]
    assert stuck["showlegend"] and np.isfinite(unpacked(stuck["z"])[1]).any()
    colors = {t["name"]: t["colorscale"][0][1] for t in figure["data"] if "showlegend" in t}
    assert len({*colors.values()}) == len(colors) == 3
    axes = [("scale", x.values), ("width", (16, 64))]
    found = {
        name: [line.name for line in borders(BASE.replace(number_format=name), *axes)]
        for name in ("float16", "float8_e4m3fn")
    }
    assert "overflow, by theory" in found["float16"]
    assert "stuck at the largest value, by theory" in found["float8_e4m3fn"]
    assert "overflow, by theory" not in found["float8_e4m3fn"]


def test_cells_where_nothing_happens_are_as_quiet_on_a_dark_page_as_on_a_light_one():
    _, figure = drawn("iterations")
    [never] = [trace for trace in figure["data"] if trace["name"] == "never"]
    red, green, blue, share = (float(part) for part in never["colorscale"][0][1][5:-1].split(","))
    for page in ("#ffffff", "#10151d"):
        below = [int(page[place : place + 2], 16) for place in (1, 3, 5)]
        mixed = [
            round(share * own + (1 - share) * ground)
            for own, ground in zip((red, green, blue), below, strict=True)
        ]
        # Told apart from the page, and no lamp on it.
        assert 1.15 < _contrast("#" + "".join(f"{part:02x}" for part in mixed), page) < 2


def test_cells_without_a_number_and_the_engine_of_each_are_told():
    _, failing = drawn("failing")
    [none] = [trace for trace in failing["data"] if trace["name"] == "no number"]
    assert "its weights are 0" in none["text"][1][0]
    _, several = drawn("several engines")
    notes = [trace["text"] for trace in several["data"] if trace["type"] == "heatmap"]
    for row, engine in enumerate(("networks without matrices, exact in law", "real a @ x in the")):
        for column in range(5):
            told = [each[row][column] for each in notes if each[row][column]]
            assert len(told) == 1 and told[0].startswith(engine)  # in the trace that has the cell


def test_a_map_that_is_not_begun_has_its_frame():
    x, y, measure, fields = MAPS["iterations"]
    blank = Landscape(BASE.replace(**fields), parse(x), parse(y), measure).blank()
    figure = charts.phase_diagram(blank)
    go.Figure(figure)
    assert not np.isfinite(unpacked(figure["data"][0]["z"])).any()


@pytest.mark.parametrize("page", ["#ffffff", "#10151d"])
def test_lines_stand_out_from_the_page_where_the_legend_has_them(page):
    _, figure = drawn("iterations")
    for trace in figure["data"][3::2]:
        assert _contrast(trace["line"]["color"], page) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_has_its_colours(name):
    landscape = Landscape(BASE, parse("scale=0.05,0.5,5"), parse("width=8,16"), name, 2)
    figure = charts.phase_diagram(landscape.sweep())
    go.Figure(figure)
    heat = figure["data"][0]
    assert heat["zmin"] < heat["zmax"] and heat["colorbar"]["title"]["text"]


def test_the_coordinate_check_is_drawn_on_log_axes_with_its_slopes():
    check = coordinate_check(Experiment(), [16, 64, 256], [1, 2, 4], 5)
    figure = charts.size_against_width(check)
    go.Figure(figure)
    json.dumps(figure, allow_nan=False)
    mean = check.log2_rms.mean(axis=0)
    spread = check.log2_rms.std(axis=0, ddof=1)
    for place, trace in enumerate(figure["data"]):
        assert trace["x"] == [16, 64, 256]
        np.testing.assert_allclose(trace["y"], 2 ** mean[:, place], rtol=1e-5)
        top = np.array(trace["y"]) + trace["error_y"]["array"]
        np.testing.assert_allclose(np.log2(top), (mean + spread)[:, place], atol=1e-4)
        each = check.slopes[place]
        told = f"layer {each.layer}: slope {each.slope:z.2f} ± {each.standard_error:.2f}".replace(
            "-", "−"
        )
        assert trace["name"] == told and told in figure["layout"]["meta"]["alt"]
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"
    assert check.sentence in figure["layout"]["meta"]["alt"]


def test_a_check_without_numbers_is_drawn_empty():
    check = coordinate_check(Experiment(scale=0.0), [16, 32], [1, 2], 2)
    figure = charts.size_against_width(check)
    go.Figure(figure)
    assert all(y is None for trace in figure["data"] for y in trace["y"])
