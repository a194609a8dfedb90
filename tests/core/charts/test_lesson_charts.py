"""The pictures of the exercises are valid Plotly, and say where a curve ends and what is marked."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from core import charts, propagate
from core.lesson import STEPS, Counts, Curve, Result, Setting

SMALL = Setting(n=64, depth=50, seed=0, repetitions=20)


def pictures(slug, **options):
    return charts.lesson_pictures(STEPS[slug].measure(SMALL), **options)


def result(**parts):
    return Result(SMALL, (), (), "", {}, **parts)


def notes(figure):
    return [note["text"] for note in figure["layout"]["annotations"]]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("slug", STEPS)
def test_every_picture_is_valid_plotly_with_titles_and_words(slug, large):
    drawn = pictures(slug, large=large)
    assert len(drawn) <= (1 if large else 2)
    for figure in drawn:
        go.Figure(figure)
        json.dumps(figure, allow_nan=False)
        layout = figure["layout"]
        assert layout["xaxis"]["title"]["text"] and layout["yaxis"]["title"]["text"]
        assert len(layout["meta"]["alt"]) > 30


def test_where_a_curve_ends_before_its_time_the_picture_says_why():
    sizes = np.array([0.0, 1.0, 2.0, np.nan, np.nan, np.nan])
    gone = np.array([0.0, -1.0, -2.0, -3.0, -4.0, -np.inf])
    whole = np.arange(6.0)
    [figure] = charts.lesson_pictures(
        result(curves=(Curve("up", sizes), Curve("down", gone), Curve("through", whole)))
    )
    # Layer k is the loop's i = k − 1: the first missing layers are 3 and 5.
    assert notes(figure) == ["<b>not finite from i = 2 on</b>", "<b>exactly 0 from i = 4 on</b>"]
    alt = figure["layout"]["meta"]["alt"]
    assert "up: 4 at layer 2, not finite from i = 2 on" in alt and "through: 32 at layer 5." in alt


def test_a_gradient_has_its_signals_colour_and_says_where_on_its_way_back_it_ends():
    up = np.array([np.nan, np.nan, 2.0, 1.0, 0.0])
    gone = np.array([-np.inf, -3.0, -2.0, -1.0, 0.0])
    curves = (
        Curve("x, one", -gone),
        Curve("δ, one", up, goes_back=True),
        Curve("x, two", gone),
        Curve("δ, two", gone, goes_back=True),
    )
    [figure] = charts.lesson_pictures(result(curves=curves))
    assert notes(figure)[0] == "<b>not finite from layer 1</b>"
    assert notes(figure)[-1] == "<b>exactly 0 from layer 0</b>"
    above, below = (note["yshift"] for note in figure["layout"]["annotations"])
    assert below - above > 40, "one note beneath the curve that rises, one over the one that falls"
    alt = figure["layout"]["meta"]["alt"]
    assert "δ, one: 4 at layer 2, not finite from layer 1" in alt
    lines = {trace["name"]: trace["line"] for trace in figure["data"]}
    for name in ("one", "two"):
        signal, gradient = lines[f"x, {name}"], lines[f"δ, {name}"]
        assert signal["color"] == gradient["color"] and signal["width"] < gradient["width"]
    assert lines["δ, one"]["color"] != lines["δ, two"]["color"]
    [alone] = charts.lesson_pictures(result(curves=curves[:1]))
    assert alone["data"][0]["line"]["width"] == lines["δ, one"]["width"]


def test_nothing_to_draw_is_said():
    [figure] = charts.lesson_pictures(result(curves=(Curve("dead", np.full(3, -np.inf)),)))
    assert "dead: nothing to draw" in figure["layout"]["meta"]["alt"] and notes(figure) == []


def test_logarithms_are_counted_on_an_axis_of_plain_numbers():
    counts = Counts("one", "std", np.array([-1.5, 0.0, 1.5, 3.0]), np.arange(4.0), log2=True)
    [figure] = charts.lesson_pictures(result(counts=(counts,)))
    axis = figure["layout"]["xaxis"]
    assert axis["title"]["text"] == "std (log scale)"
    labels = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert labels == {-1: "0.5", 0: "1", 1: "2", 2: "4", 3: "8"}
    assert figure["data"][0]["customdata"] == ["0.3536", "1", "2.828", "8"]


def test_what_is_marked_has_a_line_and_a_name():
    many = Setting(repetitions=20_000)
    [marked] = charts.lesson_pictures(STEPS["one-product-relu"].measure(many))
    [line] = marked["layout"]["shapes"]
    assert line["x0"] == line["x1"] == 0.3445 and notes(marked) == ["the notebook: 0.3445"]
    assert "the notebook: 0.3445 is marked" in marked["layout"]["meta"]["alt"]


def test_the_kinds_of_elements_are_stacked_to_the_whole_at_each_iteration():
    [figure] = pictures("not-equal")
    assert figure["layout"]["barmode"] == "stack"
    names = [trace["name"] for trace in figure["data"]]
    assert names == ["finite", "+Inf or −Inf", "NaN"]
    whole = np.sum([trace["y"] for trace in figure["data"]], axis=0)
    np.testing.assert_allclose(whole, 1, atol=2e-6)  # listed with six digits
    run = propagate(SMALL.experiment())
    broken = run.events.first_nonfinite
    at = figure["data"][0]["x"].index(broken)
    finite = figure["data"][0]["y"][at]
    assert finite == pytest.approx(1 - run.stats.nonfinite[broken + 1], abs=1e-6) and finite < 1
    assert figure["data"][0]["y"][at - 1] == 1
    assert f"at i = {broken}, " in figure["layout"]["meta"]["alt"]


def test_a_sum_grows_from_nothing_to_the_element_within_a_band_as_wide_as_its_spread():
    [figure] = pictures("sum-of-products")
    below, above, total = (trace["y"] for trace in figure["data"])
    result = STEPS["sum-of-products"].measure(SMALL)
    assert total[0] == above[0] == 0 and len(total) == SMALL.n + 1
    assert total[-1] == pytest.approx(result.numbers[0].measured, rel=1e-4)
    assert above[-1] == pytest.approx(result.numbers[0].standard_error, rel=1e-5)
    assert below == [-edge for edge in above] and above == sorted(above)


def test_names_of_marks_that_are_near_each_other_stand_in_rows():
    [figure] = pictures("layer-relu")
    heights = [note["y"] for note in figure["layout"]["annotations"]]
    assert len(set(heights)) == len(heights) == 2


@pytest.mark.parametrize("slug", STEPS)
def test_a_large_picture_asks_for_what_the_page_leaves_of_the_window(slug):
    assert all(p["layout"]["meta"]["fills_window"] for p in pictures(slug, large=True))
    assert not any(p["layout"]["meta"]["fills_window"] for p in pictures(slug))


def test_the_whole_network_is_drawn_as_it_ran_within_the_band_of_nine_in_ten():
    [figure] = charts.lesson_pictures(STEPS["whole-network"].measure())
    by_name = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert notes(figure) == ["<b>not finite from i = 31 on</b>"]
    assert max(y for y in by_name["raw N(0, 1)"] if y is not None) < 38.6  # float32's decades
    assert by_name["raw N(0, 1): nine in ten"][32:] == [None] * 69
