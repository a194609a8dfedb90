"""Figures are valid Plotly, complete, and say what they show."""

import base64
import itertools
import json
import re
import tomllib

import numpy as np
import plotly.graph_objects as go
import pytest

from core import NUMBER_FORMATS, Experiment, charts, propagate
from core.charts.figure import BLUE, PIN_COLORS
from core.charts.pins import Pin
from core.layer.number_formats import FORMAT_FAMILIES
from core.maps.landscape import Landscape
from core.reading.expectation import bands
from core.simulation.ensemble import sample_ensemble
from core.sweep import parse
from core.text import significant
from core.theory.finite_width import Prediction, predict
from core.theory.shares import shares
from core.theory.windows import scale_windows
from tests.serving import ROOT

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
DRAWN = [getattr(charts, name) for name in charts.__all__ if name.endswith("_per_layer")]


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
    assert all(trace.keys() & {"hovertemplate", "hoverinfo"} for trace in figure["data"])


def test_std_is_drawn_as_measured(run):
    (std, *_) = charts.std_per_layer(run)["data"]
    assert std["x"] == list(range(len(run.stats)))
    drawn = np.array([np.nan if y is None else y for y in std["y"]])
    size = run.stats.rms if run.experiment.width == 1 else run.stats.std
    shown = np.isfinite(size) & (size > 0)
    np.testing.assert_array_equal(np.isfinite(drawn), shown)
    np.testing.assert_allclose(drawn[shown], size[shown], rtol=1e-5)
    assert std["customdata"][:2] == ["input", 0]


@pytest.mark.parametrize("size", [0, 50])
def test_bands_and_the_fan_lie_under_the_curve_and_are_valid_plotly(run, size):
    e = run.experiment
    ensemble = sample_ensemble(e, size) if size and e.depth < 500 else None
    found = bands(predict(e), ensemble, single=e.is_single_number)
    figure = charts.std_per_layer(run, bands=found, ensemble=ensemble)
    go.Figure(figure)
    assert len(json.dumps(figure, allow_nan=False)) < (500_000 if size else 250_000)
    names = [trace["uid"] for trace in figure["data"]]
    own = names.index("rms" if e.is_single_number else "std")
    bands_first = ["band90low", "band90high", "band50low", "band50high", "median"]
    if found:
        assert names[:5] == bands_first and own >= 5
        median = figure["data"][4]
        assert found.source not in median["hovertemplate"]
    if ensemble:
        assert [name for name in names if name.startswith("fan")] == [
            "fan",
            "fan5",
            "fan50",
            "fan95",
        ]
        assert names.index("fan95") < own
    ends = charts.range_ends(predict(e), ensemble, run)
    if ends:
        go.Figure(ends)
        assert all(trace["y"] and max(trace["y"]) <= 1 for trace in ends["data"])


def test_bands_are_the_laws_quantiles_inside_the_number_format():
    e = RUNS["explodes"]
    law = predict(e)
    figure = charts.std_per_layer(propagate(e), bands=bands(law, None, single=False))
    drawn = {trace["uid"]: trace["y"] for trace in figure["data"]}
    for uid, level in (("band90low", 0.05), ("band50high", 0.75), ("median", 0.5)):
        known = law.log2_std_quantiles[level][:28]
        np.testing.assert_allclose(np.log2(drawn[uid][:28]), known, atol=1e-4)
        assert drawn[uid][35] is None  # far beyond float32


def test_the_axis_has_room_for_the_90_percent_band():
    e = Experiment(scale=512**-0.5)
    law = predict(e)
    run = propagate(e)
    [low, high] = charts.std_per_layer(run, bands=bands(law, None, single=False))["layout"][
        "yaxis"
    ]["range"]
    assert low < np.log10(2) * law.log2_std_quantiles[0.05].min()
    assert high > np.log10(2) * law.log2_std_quantiles[0.95].max()


def test_the_histogram_shows_predicted_and_measured_iterations_beside_the_runs_own():
    e = RUNS["explodes"]
    ensemble = sample_ensemble(e, 64)
    figure = charts.range_ends(predict(e), ensemble, propagate(e))
    predicted, measured = figure["data"]
    assert dict(zip(predicted["x"], predicted["y"], strict=True)) == pytest.approx(
        predict(e).overflow_pmf, rel=1e-4
    )
    assert sum(measured["y"]) == pytest.approx(1, abs=0.01)
    assert figure["layout"]["shapes"][0]["x0"] == 28
    assert charts.range_ends(Prediction(""), None, propagate(RUNS["holds"])) is None


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


def names_of_fractions(e, theory=None):
    data = charts.fractions_per_layer(propagate(e), theory)["data"]
    return [trace["name"] for trace in data if trace.get("showlegend", True)]


def test_fractions_that_never_occur_are_left_out():
    assert names_of_fractions(RUNS["holds"]) == ["non-finite", "zero", "near zero"]
    seen = ["non-finite", "zero", "subnormal", "near zero"]
    assert names_of_fractions(RUNS["vanishes"]) == seen
    # From layer 1 on no element is near zero, as none is zero: one curve lies on the other.
    assert names_of_fractions(RUNS["explodes"]) == ["non-finite", "NaN", "zero"]


def test_fractions_that_lie_on_another_are_drawn_once():
    """ReLU's saturated units are those that are zero; of one input, so are the dead ones."""
    e = Experiment(width=64, depth=8, activation="relu", init="kaiming_normal", weights="fresh")
    one = ["non-finite", "zero", "near zero", "mean²"]
    assert names_of_fractions(e) == one
    assert names_of_fractions(e.replace(batch_size=4)) == [*one[:3], "dead", "mean²"]
    tanh = e.replace(activation="tanh", scale=2.0)
    assert names_of_fractions(tanh)[2:4] == ["near zero", "saturated"]


def test_theory_is_dashed_in_the_colour_of_what_it_predicts():
    e = Experiment(width=64, depth=8, activation="tanh", scale=0.2, weights="fresh")
    theory = shares(e)
    figure = charts.fractions_per_layer(propagate(e), theory)
    by_name = {trace["name"]: trace for trace in figure["data"]}
    for short, values in (("saturated", theory.flat), ("near zero", theory.near_zero)):
        curve = by_name[f"{short}, width → ∞"]
        assert curve["line"]["dash"] == "dash" and not curve["showlegend"]
        assert curve["line"]["color"] == by_name[short]["line"]["color"]
        seen = np.array([np.nan if y is None else y for y in curve["y"]])
        np.testing.assert_allclose(seen, values, rtol=1e-5)  # six digits are sent
    assert names_of_fractions(e, theory)[-1] == "width → ∞"
    unknown = shares(e.replace(init="lsuv"))
    assert "width → ∞" not in names_of_fractions(e, unknown)


def test_the_axis_of_fractions_ends_where_the_curves_need_it():
    e = Experiment(width=100, depth=5, activation="tanh", init="lecun_normal", weights="fresh")
    ends = [
        charts.fractions_per_layer(propagate(each))["layout"]["yaxis"]["range"][1]
        for each in (e, e.replace(scale=5 / 3), e.replace(scale=3.0), e.replace(scale=30.0))
    ]
    assert ends == pytest.approx([0.104, 0.26, 0.52, 1.04])


def test_what_happens_before_the_elements_break_is_marked_on_the_curve():
    (points,) = [
        trace
        for trace in charts.std_per_layer(propagate(RUNS["explodes"]))["data"]
        if trace["uid"] == "events"
    ]
    assert points["name"] == "x.mean() or x.std() fails early"
    assert points["x"] == [28]  # i = 27
    assert points["customdata"] == [
        "first i at which torch's x.mean() is NaN<br>first i at which torch's x.std() is NaN"
    ]


def test_pins_lie_under_the_live_curve_and_the_axes_have_room_for_all(run):
    pins = [
        Pin(letter, f"{letter.upper()} · {name}", propagate(RUNS[name]))
        for letter, name in zip(
            PIN_COLORS,
            ("explodes", "vanishes", "deep", "one number", "saturates", "one product"),
            strict=True,
        )
    ]
    figure = charts.std_per_layer(run, pins)
    go.Figure(figure)
    json.dumps(figure, allow_nan=False)
    pinned, live = figure["data"][:6], figure["data"][6:]
    assert live == charts.std_per_layer(run)["data"]
    assert [trace["name"] for trace in pinned] == [pin.title for pin in pins]
    assert [trace["line"]["color"] for trace in pinned] == list(PIN_COLORS.values())
    assert all(trace["line"]["width"] < live[0]["line"]["width"] for trace in pinned)
    low, high = figure["layout"]["yaxis"]["range"]
    for trace, pin in zip(pinned, pins, strict=True):
        drawn = [y for y in trace["y"] if y is not None]
        assert low < np.log10(min(drawn)) and np.log10(max(drawn)) < high
        assert len(trace["y"]) == pin.run.experiment.depth + 1
        assert pin.title in figure["layout"]["meta"]["alt"]
    assert figure["layout"]["xaxis"]["range"][1] > 2000
    ids = [trace["uid"] for trace in figure["data"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[\w-]+", name) for name in ids)  # Plotly makes a selector of each


def test_every_pin_carries_its_letter_on_its_curve_at_a_place_of_its_own():
    same = propagate(RUNS["holds"])
    figure = charts.std_per_layer(same, [Pin(letter, "", same) for letter in PIN_COLORS])
    letters = [n for n in figure["layout"]["annotations"] if n["text"][3:-4] in [*"ABCDEF"]]
    assert [letter["text"] for letter in letters] == [f"<b>{s.upper()}</b>" for s in PIN_COLORS]
    assert len({letter["x"] for letter in letters}) == 6
    for letter in letters:
        assert letter["y"] == pytest.approx(np.log10(same.stats.std[letter["x"]]))


def test_the_event_of_a_shallow_run_beside_a_deep_one_is_written_to_its_right():
    run, deep = propagate(RUNS["explodes"].replace(depth=30)), propagate(RUNS["deep"])
    alone, beside = (charts.std_per_layer(run, pins) for pins in ([], [Pin("a", "A", deep)]))
    anchors = [figure["layout"]["annotations"][0]["xanchor"] for figure in (alone, beside)]
    assert anchors == ["right", "left"]


def test_a_pinned_run_without_any_std_leaves_the_axes_alone():
    # Both numbers of x are the same in every layer: there is no std to take a logarithm of.
    flat = propagate(Experiment(width=2, depth=3, activation="sigmoid", scale=0.0, seed=1))
    flat.stats.values["std"][:] = 0
    flat.stats.values["log2_std"][:] = -np.inf
    run = propagate(RUNS["holds"])
    figure = charts.std_per_layer(run, [Pin("a", "A", flat)])
    assert figure["layout"]["yaxis"] == charts.std_per_layer(run)["layout"]["yaxis"]
    assert not any(note["text"] == "<b>A</b>" for note in figure["layout"]["annotations"])


def _luminance(color):
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_stand_out_from_the_page(theme):
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    page = config["theme"][theme]["backgroundColor"]
    for color in (BLUE, *PIN_COLORS.values()):
        assert _contrast(color, page) >= 3, color  # WCAG 2.2, 1.4.11


def in_family(family, **changes):
    e = Experiment(**({"depth": 20} | changes))
    return {name: propagate(e.replace(number_format=name)) for name in FORMAT_FAMILIES[family]}


@pytest.mark.parametrize("family", FORMAT_FAMILIES)
@pytest.mark.parametrize("changes", [{}, {"scale": 0.001}, {"width": 1}, {"scale": 0.0}])
def test_formats_are_valid_plotly_and_each_curve_is_told_apart_without_colour(changes, family):
    names = FORMAT_FAMILIES[family]
    drawn = charts.std_by_format(in_family(family, **changes))
    go.Figure(drawn)
    json.dumps(drawn, allow_nan=False)
    *curves, ends = drawn["data"]
    assert [trace["name"] for trace in curves] == list(names)
    assert len({trace["line"]["dash"] for trace in curves}) >= len(names) - 1
    widths = [trace["line"]["width"] for trace in curves]
    # The next one leaves at least half a pixel of each on either side.
    assert all(below - above >= 1 for below, above in itertools.pairwise(widths))
    assert all(name in drawn["layout"]["meta"]["alt"] for name in names)
    assert len(ends["x"]) == len(names) and not ends["showlegend"]


def test_each_formats_curve_ends_in_a_mark_that_says_at_which_i_and_what():
    runs = in_family("plain", depth=60)
    drawn = charts.std_by_format(runs)
    *curves, ends = drawn["data"]
    told = " | ".join(each["text"] for each in drawn["layout"]["annotations"])
    low, high = drawn["layout"]["yaxis"]["range"]
    for trace, layer, size in zip(curves, ends["x"], ends["y"], strict=True):
        run = runs[trace["name"]]
        assert size == pytest.approx(trace["y"][layer], rel=1e-5)
        assert low <= np.log10(size) <= high
        broken = run.events.first_nonfinite
        if trace["name"] == "float64":
            assert trace["y"][layer + 1] > 10**high  # it leaves the plot, and it is said whereto
            assert f"→ {run.size[-1]:.3g}".replace("e+", "e") in told
        elif broken is None:
            assert re.search(r"stuck from i = \d+", told)
        else:
            assert layer == broken or run.size[layer + 1] > 0  # the last layer of the curve
            assert f"i = {broken}" in told.split(" | ")
    assert dict(zip(runs, ends["marker"]["symbol"], strict=True)) == {
        "float64": "triangle-up",
        "float32": "x",
        "bfloat16": "x",
        "float16": "x",
        "float8_e5m2": "x",
        "float8_e4m3fn": "square",
    }


@pytest.mark.parametrize("plot", [(270, 150), (800, 320)], ids=["phone", "laptop"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"scale": 0.001}, {"scale": 0.1}, {"depth": 100}, {"depth": 100, "scale": 0.01}],
    ids=repr,
)
@pytest.mark.parametrize("family", FORMAT_FAMILIES)
def test_no_words_at_the_ends_of_curves_lie_over_others(changes, plot, family):
    runs = in_family(family, **changes)
    e = next(iter(runs.values())).experiment
    drawn = charts.std_by_format(runs)
    low, high = drawn["layout"]["yaxis"]["range"]
    boxes = []  # in pixels; a letter of size 12 is 7 wide and 14 high
    for each in drawn["layout"]["annotations"]:
        x, long = each["x"] / e.depth * plot[0] + each["xshift"], 7 * len(each["text"])
        y = -(each["y"] - low) / (high - low) * plot[1] - each["yshift"]
        left = x - long if each["xanchor"] == "right" else x
        boxes.append((left, left + long, y - 7, y + 7))
        assert left > -20 and left + long < plot[0] + 20
    for one, other in itertools.combinations(boxes, 2):
        apart = one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
        assert apart, drawn["layout"]["annotations"]


@pytest.mark.parametrize(
    "experiment",
    [
        Experiment(),
        Experiment(activation="tanh"),
        Experiment(activation="sigmoid", bias_std=0.1),
        Experiment(init="zeros"),
        Experiment(init="zeros", activation="sigmoid"),
        Experiment(width=1, scale=0.0),
        Experiment(activation="relu_squared", depth=2000),
    ],
    ids=repr,
)
def test_scale_windows_are_valid_plotly_and_say_their_ends(experiment):
    windows = scale_windows(experiment)
    drawn = charts.scale_windows(windows, experiment.scale, experiment.width)
    go.Figure(drawn)
    json.dumps(drawn, allow_nan=False)
    low, high = drawn["layout"]["xaxis"]["range"]
    assert low < high
    for bar in drawn["data"]:
        assert all(x is None or 10**low <= x <= 10**high for x in bar["x"])
    assert all(name in drawn["layout"]["meta"]["alt"] for name in NUMBER_FORMATS)


def test_a_windows_bar_is_where_the_window_is_and_the_scale_is_a_line():
    windows = scale_windows(Experiment())
    drawn = charts.scale_windows(windows, 0.5, 512)
    [bar] = [trace for trace in drawn["data"] if trace["name"] == "float32"]
    assert bar["x"] == [windows["float32"].low, windows["float32"].high]
    places = [shape["x0"] for shape in drawn["layout"]["shapes"]]
    assert places == [(1 / 512) ** 0.5, (2 / 512) ** 0.5, 0.5]


def test_a_figure_without_answers_has_no_mark_and_no_word_of_what_happened():
    run = propagate(Experiment(width=256, depth=300, number_format="float64"))
    told = charts.std_per_layer(run)
    hidden = charts.unanswered(told)
    assert f"at i = {run.events.first_nonfinite}" in str(told["layout"]["annotations"])
    assert any(trace["uid"] == "events" for trace in told["data"])
    shown = [note for note in hidden["layout"]["annotations"] if note.get("visible", True)]
    assert "at i" not in str(shown)
    assert not any(shape["visible"] for shape in hidden["layout"]["shapes"][:2])
    assert hidden["layout"]["shapes"][2:] == told["layout"]["shapes"][2:]
    assert not any(trace["uid"] == "events" for trace in hidden["data"])
    assert hidden["layout"]["meta"]["alt"] == "Standard deviation of x per layer."
    assert "at i" not in charts.unanswered(charts.mean_per_layer(run))["layout"]["meta"]["alt"]


def test_the_words_of_an_event_stand_under_the_axis_at_its_line_and_on_the_figure():
    anchors = {}
    for depth in (29, 60, 100, 2000):  # the event is at layer 29
        layout = charts.std_per_layer(propagate(RUNS["explodes"].replace(depth=depth)))["layout"]
        event, line = layout["annotations"][0], layout["shapes"][0]
        assert event["x"] == line["x0"] == 29 and event["y"] == 0 and event["yanchor"] == "top"
        assert layout["margin"]["b"] > -event["yshift"] + 1.2 * event["font"]["size"]
        anchors[depth] = event["xanchor"]
    assert anchors == {29: "right", 60: "center", 100: "center", 2000: "left"}


def test_an_early_event_of_the_elements_is_named_as_one():
    run = propagate(Experiment(width=64, depth=60, scale=0.005))
    assert run.events.all_subnormal is not None
    names = [trace["name"] for trace in charts.std_per_layer(run)["data"]]
    assert "every element is subnormal" in names


def test_the_hover_of_the_bands_has_numbers_and_no_sentence():
    e = RUNS["explodes"]
    found = bands(predict(e), None, single=False)
    drawn = charts.std_per_layer(propagate(e), bands=found)["data"]
    [median] = [trace for trace in drawn if trace["uid"] == "median"]
    assert median["name"] == "expected: median, half, nine in ten networks"
    assert median["hovertemplate"] == "expected: %{y:.3g} (%{customdata})<extra></extra>"
    assert found.source not in str(drawn)
    low, high = (2 ** found.quantiles[level][5] for level in (0.05, 0.95))
    assert median["customdata"][5] == f"{significant(low)} to {significant(high)}"


def test_the_current_scale_is_named_in_one_row_with_the_usual_ones_unless_it_meets_them():
    windows = scale_windows(Experiment())
    for scale, alone in ((1.0, True), (0.002, True), (0.07, False), (0.04, False)):
        notes = charts.scale_windows(windows, scale, 512)["layout"]["annotations"]
        assert (len({note["y"] for note in notes}) == 1) == alone, scale


def test_indices_and_powers_are_set_small_on_axes_and_bars():
    x, y = parse("sigma_w=0.5..3:4"), parse("bias_std=0..2:4")
    result = Landscape(Experiment(), x, y, "xi_c").blank()
    layout = charts.phase_diagram(result, ())["layout"]
    assert layout["xaxis"]["title"]["text"] == "σ<sub>w</sub>"
    assert "σ<sub>b</sub>" in layout["yaxis"]["title"]["text"]
    [heat] = [trace for trace in charts.phase_diagram(result, ())["data"] if "colorbar" in trace]
    assert heat["colorbar"]["title"]["text"] == "ξ<sub>c</sub>"


def test_a_projector_gets_thicker_lines_and_a_legend_of_what_is_drawn():
    told = charts.std_per_layer(propagate(Experiment(seed=3)))
    large = charts.enlarged(told)
    for before, after in zip(told["data"], large["data"], strict=True):
        assert after["line"].get("width", 2) >= before["line"].get("width", 2)
        assert after.get("showlegend", True) <= (before.get("visible") != "legendonly")
