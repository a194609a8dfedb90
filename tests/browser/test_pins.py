"""Curves that are kept, as a viewer sees them: in the chart, in the list, in the link."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core import Experiment, propagate
from core.question.pins import to_query
from tests.browser.on_screen import (
    copied_link,
    curve,
    drawn,
    followed,
    has_query,
    main_figure,
    query_of,
    scrolls_one_way,
    seen,
    settled,
    shows,
    step,
    thumb,
    until,
    visit,
)
from tests.browser.test_accessibility import VIEWS, found_in, nothing_found

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
KAIMING = Experiment(activation="relu", scale=0.0625)
SIX = {
    "a": KAIMING,
    "b": Experiment(),
    "c": Experiment(scale=0.01, weights="fresh", number_format="bfloat16", bias_std=0.0123456),
    "d": Experiment(width=1, init="orthogonal"),
    "e": Experiment(depth=150, scale=0.05, seed=2**63 - 1),
    "f": Experiment(activation="leaky_relu", batch_size=3, width=100),
}


def kept(page):
    """The kept curves in the chart: uid -> y."""
    return page.evaluate(
        """Object.fromEntries(document.querySelector('.gi-plot').data
        .filter(({ uid }) => uid.startsWith('-stays-')).map(({ uid, y }) => [uid.slice(7), y]))"""
    )


def listed(page):
    return page.locator(".gi-pin").all_inner_texts()


def press(page, name):
    """Click a button, and wait until the list has another length, and the address says so."""
    before, search = page.locator(".gi-pin").count(), page.evaluate("location.search")
    page.get_by_role("button", name=name, exact=True).click()
    until(page, f"document.querySelectorAll('.gi-pin').length !== {before}")
    until(page, f"location.search !== {json.dumps(search)}")
    drawn(page)


def test_what_is_kept_stays_and_the_address_shows_it_to_another_viewer(page, visitor, address):
    visit(page, address)
    first = curve(page)
    press(page, "Keep this curve")
    has_query(page, {"pin_a": "width:512"})
    expect(page.get_by_role("button", name="Kept as A")).to_be_disabled()
    step(page, "Scale factor", "ArrowLeft")
    assert kept(page) == {"a": first} and curve(page) != first
    [row] = listed(page)
    assert "s = 1" in row and "NaN at i = 28" in row
    press(page, "Keep this curve")
    step(page, "Depth", "ArrowLeft")
    wanted = {"pin_a": "width:512", "pin_b": "scale:0.944", "scale": "0.944", "depth": "99"}
    has_query(page, wanted)
    other = visitor()
    other.goto(page.url)
    drawn(other)
    for look in (kept, listed, seen):
        assert look(other) == look(page)
    has_query(other, query_of(page))
    assert page.problems == other.problems == []


def test_the_copied_link_has_the_pins(page, visitor, address):
    visit(page, address, depth="50", **to_query({"b": KAIMING}))
    link = copied_link(page)
    other = visitor()
    other.goto(link)
    drawn(other)
    for look in (kept, listed, seen):
        assert look(other) == look(page)
    assert page.problems == other.problems == []


def test_going_back_undoes_what_was_done_to_the_pins(page, address):
    visit(page, address, depth="50")
    told = [(page.url, listed(page))]
    for name in ("Keep this curve", "Remove A", "Keep this curve"):
        press(page, name)
        told.append((page.url, listed(page)))
    for url, rows in told[-2::-1]:
        page.go_back()
        expect(page).to_have_url(url)
        expect(page.locator(".gi-pin")).to_have_count(len(rows))
        drawn(page)
        assert listed(page) == rows and len(kept(page)) == len(rows)
    page.go_forward()
    expect(page.locator(".gi-pin")).to_have_count(1)
    step(page, "Depth", "ArrowLeft")
    has_query(page, {"depth": "49", "pin_a": "depth:50"})
    assert page.problems == []


def test_all_are_removed_in_one_step_and_come_back_in_one(page, address):
    visit(page, address, **to_query(SIX))
    before, query = listed(page), query_of(page)
    expect(page.get_by_role("button", name="Kept as B")).to_be_disabled()
    press(page, "Remove all")
    has_query(page, {})
    assert kept(page) == {}
    page.go_back()
    expect(page.locator(".gi-pin")).to_have_count(6)
    drawn(page)
    assert listed(page) == before
    has_query(page, query)
    assert page.problems == []


@pytest.mark.parametrize("pause", [0, 60, 150])
def test_a_slider_moved_right_after_the_click_loses_nothing(page, address, pause):
    visit(page, address)
    page.get_by_role("slider", name="Scale factor").focus()
    page.wait_for_timeout(300)
    # The click and the keys, before anything can have come back from the server.
    page.get_by_role("button", name="Keep this curve").evaluate("node => node.click()")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(pause)
    expect(page.locator(".gi-pin")).to_have_count(1)
    drawn(page)
    page.wait_for_timeout(2000)  # whatever would undo it
    drawn(page)
    scale = page.get_by_role("slider", name="Scale factor").get_attribute("aria-valuetext")
    assert scale == "0.841"
    wanted = propagate(Experiment(scale=float(scale))).stats.std
    assert curve(page)[:9] == pytest.approx(wanted[:9], rel=1e-5)
    # A late host hears of the click together with the first keys, and keeps what they made of it.
    passed = ("width:512", "scale:0.944", "scale:0.891", "scale:0.841")
    found = query_of(page)
    assert found.pop("pin_a") in passed and found == {"scale": scale}
    assert page.problems == []


def test_using_a_pin_moves_the_controls(page, address):
    visit(page, address, **to_query({"a": KAIMING}))
    page.get_by_role("button", name="Use A", exact=True).click()
    expect(page.get_by_role("slider", name="Scale factor")).to_have_attribute(
        "aria-valuetext", "√(2/n)"
    )
    expect(page.get_by_role("switch", name="ReLU")).to_be_checked()
    expect(page.get_by_role("button", name="Kept as A")).to_be_disabled()
    drawn(page)
    assert curve(page) == kept(page)["a"]
    has_query(page, {"activation": "relu", "scale": "√(2/n)"} | to_query({"a": KAIMING}))
    assert page.problems == []


def test_a_hostile_pin_is_refused_in_words_and_the_address_is_mended(page, address):
    attack = "<img src=x onerror=window.hit=1>"
    bad = {"pin_a": f"width:64,init:{attack}", "pin_b": attack, "pin_zz": "1", "pin_c": "x" * 999}
    visit(page, address, depth="20", **bad)
    expect(page.locator(".gi-problems li")).to_have_count(4)
    assert page.locator(".gi-problems img").count() == 0
    assert page.evaluate("window.hit") is None
    has_query(page, {"depth": "20", "pin_a": "width:64"})
    assert list(kept(page)) == ["a"]
    step(page, "Depth", "ArrowLeft")
    expect(page.locator(".gi-problems")).to_have_count(0)
    assert page.problems == []


# For every kept curve: whether it is to be seen, the largest distance in pixels between where it is
# and where its numbers belong on the present axes, and how much of its letter is not above it.
PLACES = """() => {
  const plot = document.querySelector('.gi-plot');
  const { xaxis, yaxis } = plot._fullLayout;
  return plot._fullData.filter(({ uid }) => uid.startsWith('-stays-')).map((trace) => {
    const node = plot.querySelector(`.trace${trace.uid}`);
    const path = node.querySelector('path.js-line');
    const drawn = path.getAttribute('d').split(/[MLHV]/).filter(Boolean).at(0).split(',');
    const end = path.getPointAtLength(path.getTotalLength());
    const last = trace.y.findLastIndex((y) => y !== null);
    return [
      getComputedStyle(path).visibility,
      Math.hypot(drawn[0] - xaxis.d2p(0), drawn[1] - yaxis.d2p(trace.y[0])),
      Math.hypot(end.x - xaxis.d2p(last), end.y - yaxis.d2p(trace.y[last])),
    ];
  });
}"""


WHERE = """slider =>
  document.querySelector(`.st-key-${slider} input[type="range"]`).ariaValueText"""


@pytest.mark.parametrize("slider, across", [("scale", 0.25), ("depth", 0.3), ("width", -0.4)])
def test_a_drag_leaves_what_is_kept_in_view_and_in_place(page, address, dragging, slider, across):
    pins = {"a": Experiment(scale=0.01), "b": Experiment(depth=30), "c": KAIMING}
    visit(page, address, scale="0.1", **to_query(pins))
    ranges = """(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])(
      document.querySelector('.gi-plot')._fullLayout)"""
    before, start = page.evaluate(ranges), page.evaluate(WHERE, slider)
    with dragging(slider, across):
        shows(page, re.compile("exact|measured"))
        followed(page, slider)
        places = page.evaluate(PLACES)
        assert len(places) == 3
        for visibility, *distances in places:
            assert visibility == "visible"
            assert max(distances) < 0.5  # Plotly leaves out points that are on the line anyway
        live = page.locator(".gi-plot .scatterlayer .tracestd path.js-line").first
        assert live.evaluate("node => getComputedStyle(node).visibility") == "hidden"
        for letter in "ABC":
            expect(page.locator(".gi-plot .annotation", has_text=letter).last).to_be_visible()
        during = page.evaluate(ranges)
        x, y, length = thumb(page, slider)
        page.mouse.move(x - across * length, y, steps=3)
        until(page, f"({WHERE})('{slider}') === '{start}'")
    settled(page)
    assert page.evaluate(ranges) == before
    # Only a deeper run needs more room than what is kept; the y axis had it all before.
    assert (during[:2] != before[:2]) == (slider == "depth")
    assert page.problems == []


def test_the_axes_of_a_drag_are_those_of_the_answer(page, address, dragging):
    visit(page, address, scale="0.1", **to_query({"a": Experiment(width=64, depth=40, scale=0.2)}))
    ranges = """(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])(
      document.querySelector('.gi-plot')._fullLayout)"""
    with dragging("depth", -0.4):
        shows(page, "measured")
        followed(page, "depth")
        during = page.evaluate(ranges)
    settled(page)
    after = page.evaluate(ranges)
    assert after[:2] == pytest.approx(during[:2], rel=1e-12)
    # Decades: the bands' law is sampled anew for another depth, which moves an edge a little.
    assert after[2:] == pytest.approx(during[2:], abs=0.05)
    assert during[1] == pytest.approx(40 * 1.01 + 0.4)  # as far as what is kept


def test_a_saved_picture_names_every_curve_and_the_numbers_too(page, address):
    pins = {"a": KAIMING, "d": Experiment(scale=0.01)}
    visit(page, address, **to_query(pins))
    names = ["A · s = √(2/n), relu", "D · s = 0.01, linear"]
    ranges = page.evaluate("document.querySelector('.gi-plot').layout.yaxis.range")
    files = {}
    for kind in ("SVG", "CSV", "PNG"):
        main_figure(page).get_by_label("Save the figure").click()
        with page.expect_download() as saving:
            main_figure(page).get_by_role("button", name=kind).click()
        files[kind] = Path(saving.value.path()).read_bytes()
    picture = files["SVG"].decode()
    assert all(name in picture for name in names)
    rows = list(csv.DictReader(io.StringIO(files["CSV"].decode())))
    assert list(dict.fromkeys(row["curve"] for row in rows))[3:5] == names  # bands lie below
    written = [float(row["y"]) for row in rows if row["curve"] == names[0]]
    assert written == pytest.approx(propagate(KAIMING).stats.std.tolist(), rel=1e-5)
    # On screen nothing has changed.
    assert page.evaluate("document.querySelector('.gi-plot').layout.yaxis.range") == ranges
    expect(page.locator(".gi-plot .legendtext", has_text="A ·")).to_have_count(0)
    assert page.problems == []


def test_six_pins_fit_a_phone(visitor, address):
    page = visit(visitor(**PHONE), address, **to_query(SIX))
    rows = page.locator(".gi-pin"), page.get_by_role("button", name="Remove")
    scrolls_one_way(page, 390, *rows)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth")
    for letter in "ABCDEF":
        use, remove = (
            page.get_by_role("button", name=f"{word} {letter}", exact=True).bounding_box()
            for word in ("Use", "Remove")
        )
        assert use["y"] == remove["y"] and min(use["height"], remove["height"]) >= 24
    assert page.problems == []


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_with_six_pins(visitor, address, view):
    page = visit(visitor(**VIEWS[view]), address, **to_query(SIX))
    nothing_found(page)
    found_in(page, ".gi-pin")
