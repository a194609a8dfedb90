"""The phase diagram and the width sweep in Chromium: pictures, a click, links, a phone, axe."""

import csv
import io
import re
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from core import Experiment
from core.maps.landscape import Landscape
from core.sweep import parse
from tests.browser.on_screen import (
    answer,
    choose,
    drawn,
    has_query,
    idle,
    listen,
    query_of,
    scrolls_one_way,
    until,
)
from tests.browser.test_accessibility import VIEWS, found_in, nothing_found
from tests.browser.test_number_formats import PHONE, faults

SMALL = {"x": "scale=0.01..10:8", "y": "width=16..128:6", "networks": "3", "depth": "40"}
MEANT = Landscape(Experiment(depth=40), parse(SMALL["x"]), parse(SMALL["y"]), "first_nonfinite", 3)
COLUMN, ROW = 6, 4
CELLS = """() => {
  const { data } = document.querySelector('.gi-plot');
  const rows = [...document.querySelector('.gi-plot').calcdata[0][0].z].map(row => [...row]);
  return [data.length, rows.map(row => row.map(z => Number.isNaN(z) ? null : z))];
}"""
WHERE = """([column, row]) => {
  const plot = document.querySelector('.gi-plot');
  const { xaxis, yaxis } = plot._fullLayout;
  const { x, y } = plot.querySelector('.nsewdrag').getBoundingClientRect();
  return [x + xaxis.d2p(plot.data[0].x[column]), y + yaxis.d2p(plot.data[0].y[row])];
}"""


def landscape(page, address, name="phase-diagram", **query):
    page.goto(f"{address}/{name}?{urlencode(query)}")
    expect(page.locator(".gi-summary")).to_be_visible()
    whole(page)
    return page


def whole(page):
    """Wait until the map is done and drawn."""
    deadline = time.monotonic() + 120
    drawn(page)
    while page.get_by_role("button", name="Stop").count():  # the page comes back for more
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
        drawn(page)


def cells(page):
    """How many traces there are, and the numbers of the first as they are drawn."""
    return page.evaluate(CELLS)


def test_a_click_on_a_cell_opens_that_experiment_in_explore_and_back_is_the_map(page, address):
    landscape(page, address, **SMALL)
    median = MEANT.sweep().median.T
    count, rows = cells(page)
    assert count == 2 + 6  # numbers, never, three lines in two parts each
    assert rows == [[None if z != z else z for z in row] for row in median.tolist()]
    x, y = page.evaluate(WHERE, [COLUMN, ROW])
    page.mouse.move(x, y)
    label = page.locator(".gi-plot .hovertext")
    expect(label).to_contain_text(f"NaN iteration: {median[ROW][COLUMN]:.0f}")
    page.mouse.click(x, y)
    expect(page.locator(".gi-answer")).to_be_visible()
    drawn(page)
    experiment = MEANT.experiment(COLUMN, ROW)
    wanted = {"width": str(experiment.width), "depth": "40", "scale": f"{experiment.scale:g}"}
    has_query(page, wanted)
    assert f"i = {median[ROW][COLUMN]:.0f}" in answer(page) or "explodes" in answer(page)
    page.get_by_role("link", name="Phase diagram").click()
    expect(page.locator(".gi-summary")).to_be_visible()
    whole(page)
    expect(page).to_have_url(re.compile("x=scale"))
    assert cells(page) == [count, rows]
    assert faults(page) == []


def test_a_map_is_saved_with_the_value_of_every_cell(page, address):
    few = {"x": "scale=0.005..5:5", "y": "number_format=float32,float16", "measure": "rms"}
    landscape(page, address, **few, depth="20", width="32", networks="3")
    page.get_by_label("Save the figure").click()
    with page.expect_download() as saving:
        page.get_by_role("button", name="CSV").click()
    rows = csv.DictReader(io.StringIO(Path(saving.value.path()).read_text()))
    base = Experiment(depth=20, width=32)
    median = Landscape(base, parse(few["x"]), parse(few["y"]), "rms", 3).sweep().median
    found = {(float(row["x"]), row["y"]): row for row in rows if row["z"]}
    assert len(found) == median.size
    for (column, line), value in np.ndenumerate(median):
        row = found[parse(few["x"]).values[column], ("float32", "float16")[line]]
        if np.isfinite(value) and value > 0:
            assert float(row["z"]) == pytest.approx(value, rel=1e-5)
        else:
            assert row["curve"] in ("not finite any more", "all zero")
    assert faults(page) == []


def test_a_cell_is_opened_by_keyboard_alone(page, address):
    landscape(page, address, **SMALL)
    page.locator(".st-key-cell").get_by_role("slider", name="Width n").press("End")
    expect(page.get_by_text("n = 128: NaN iteration")).to_be_visible()
    idle(page)  # the link comes after the words
    page.get_by_role("link", name="Open this cell in Explore").press("Enter")
    expect(page.locator(".gi-answer")).to_be_visible()
    expect(page).to_have_url(re.compile("width=128"))
    assert faults(page) == []


def test_a_link_to_explore_opens_in_a_new_tab_and_the_map_stays(page, address):
    landscape(page, address, **SMALL)
    page.locator(".st-key-cell").get_by_role("slider", name="Width n").press("Home")
    expect(page.get_by_text("n = 16: NaN iteration")).to_be_visible()
    idle(page)
    link = page.get_by_role("link", name="Open this cell in Explore")
    expect(link).to_have_attribute("href", re.compile(r"\./\?width=16&depth=40&scale="))
    before = page.url
    with page.context.expect_page() as opening:
        link.click(modifiers=["ControlOrMeta"])
    other = opening.value
    expect(other).to_have_url(re.compile("width=16"))  # a new tab is blank at first
    listen(other)
    other.goto(other.url)  # from its beginning, now that it is listened to
    drawn(other)
    expect(other.locator(".gi-answer")).to_be_visible()
    assert query_of(other)["width"] == "16" and query_of(other)["depth"] == "40"
    other.close()
    assert page.url == before
    expect(page.locator(".gi-summary")).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("way, query", [("cell", SMALL), ("menu", SMALL), ("link", {})])
def test_leaving_a_map_is_one_step_back_to_it_as_it_was(page, address, way, query):
    page.goto("about:blank")
    landscape(page, address, **query)
    url, told, known = page.url, page.locator(".gi-summary").inner_text(), cells(page)
    before = page.evaluate("history.length")
    if way == "cell":
        x, y = page.evaluate(WHERE, [COLUMN, ROW])
        page.mouse.move(x, y)
        page.mouse.click(x, y)
    else:
        name = "Explore" if way == "menu" else "Open this cell in Explore"
        page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator(".gi-answer")).to_be_visible(timeout=30_000)
    drawn(page)
    there, answered = page.url, answer(page)
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    expect(page.locator(".gi-summary")).to_have_text(told)
    whole(page)
    expect(page).to_have_url(url)
    assert cells(page) == known
    page.go_forward()
    expect(page.locator(".gi-answer")).to_be_visible(timeout=30_000)
    drawn(page)
    expect(page).to_have_url(there)
    assert answer(page) == answered
    page.go_back()
    expect(page.locator(".gi-summary")).to_have_text(told)
    page.go_back()
    expect(page).to_have_url("about:blank")
    assert faults(page) == []


def test_a_preset_is_one_step_however_much_it_sets(page, address):
    landscape(page, address, **SMALL)
    query, told = query_of(page), page.locator(".gi-summary").inner_text()
    before = page.evaluate("history.length")
    page.get_by_role("button", name="Trainable depth of tanh").click()
    expect(page).to_have_url(re.compile("measure=trainable_depth"))
    expect(page.locator(".gi-summary")).to_contain_text("Trainable depth")
    assert query_of(page)["init"] == "xavier_normal" and "depth" not in query_of(page)
    assert page.evaluate("history.length") == before + 1
    page.get_by_role("button", name="Trainable depth of tanh").click()  # it is on screen already
    idle(page)
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    expect(page.locator(".gi-summary")).to_have_text(told)
    expect(page).to_have_url(re.compile("networks=3"))
    assert query_of(page) == query and faults(page) == []


def test_a_finger_reads_a_cell_first_and_opens_it_with_the_second_tap(visitor, address):
    page = visitor(viewport=PHONE, has_touch=True, is_mobile=True)
    landscape(page, address, **SMALL)
    scrolls_one_way(page, PHONE["width"])
    sides = "s => { const { top, bottom } = document.querySelector(s).getBoundingClientRect(); "
    sides += "return [top, bottom]; }"
    bar, plot = (
        page.evaluate(f"({sides})('.gi-plot {part}')") for part in (".cbfills", ".nsewdrag")
    )
    assert plot[0] < plot[1] < bar[0] < bar[1]  # the colour bar lies under the map
    page.locator(".gi-plot").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    x, y = page.evaluate(WHERE, [COLUMN, ROW])
    page.touchscreen.tap(x, y)
    expect(page.locator(".gi-plot .hovertext")).to_contain_text("NaN iteration")
    page.wait_for_timeout(500)
    assert "phase-diagram" in page.url
    page.touchscreen.tap(x, y)
    expect(page.locator(".gi-answer")).to_be_visible()
    assert faults(page) == []


def test_what_is_chosen_is_in_the_link_and_another_viewer_sees_the_same(page, visitor, address):
    landscape(page, address, **SMALL)
    page.get_by_role("button", name="Trainable depth of tanh").click()
    expect(page).to_have_url(re.compile("measure=trainable_depth"))
    page.get_by_text("12", exact=True).click()
    expect(page).to_have_url(re.compile(r"bias_std%3D0\.\.1%3A12"))
    choose(page, "Colour", "χ₁")
    expect(page).to_have_url(re.compile("measure=chi_1"))
    whole(page)
    wanted = {
        "activation": "tanh",
        "init": "xavier_normal",
        "weights": "fresh",
        "x": "sigma_w=0.5..3:12",
        "y": "bias_std=0..1:12",
        "measure": "chi_1",
    }
    has_query(page, wanted)
    other = visitor()
    other.goto(page.url)
    expect(other.locator(".gi-summary")).to_have_text(page.locator(".gi-summary").inner_text())
    whole(other)
    assert cells(other) == cells(page)
    assert faults(page) == faults(other) == []


def test_a_long_map_shows_its_first_part_and_stops_at_a_click(page, address):
    long = {"x": "scale=0.01..1:24", "y": "width=256..512:24", "real": "true"}
    long["seed"] = str(time.time_ns() % 10**9)  # the host keeps a map that was computed before
    page.goto(f"{address}/phase-diagram?{urlencode(long | {'networks': '4', 'depth': '600'})}")
    expect(page.get_by_role("progressbar")).to_be_visible()
    until(
        page,
        "document.querySelector('.gi-plot')?.calcdata?.[0]?.[0]?.z?.some(r => r.some(z => z > 0))",
    )
    line = "document.querySelector('.st-key-sweeping').offsetHeight"
    height = page.evaluate(line)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped at")).to_be_visible()
    drawn(page)
    assert page.evaluate(line) == height  # nothing below it moves
    _, rows = cells(page)
    assert any(z is not None for row in rows for z in row)
    page.wait_for_timeout(1500)
    assert cells(page)[1] == rows
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert page.evaluate("history.length") < 6  # looking again is no step of the viewer
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped at")).to_be_visible()
    assert faults(page) == []


def test_the_place_of_the_map_is_kept_until_its_script_is_there(page, address):
    page.route("**/assets/**", lambda route: None)  # held
    with page.expect_request("**/assets/**"):
        page.goto(f"{address}/phase-diagram?{urlencode(SMALL)}")
    line = page.locator(".st-key-sweeping")
    expect(line).to_have_text(re.compile("Done"))
    idle(page)
    assert not page.locator(".gi-plot .cartesianlayer").count()
    before = line.bounding_box()["y"]
    page.unroute("**/assets/**")  # what was held goes on
    whole(page)
    assert abs(line.bounding_box()["y"] - before) < 8  # was the height of the figure
    assert page.locator(".gi-plot .cartesianlayer").is_visible()


def test_the_width_sweep_follows_the_initialiser_and_its_link(page, visitor, address):
    landscape(page, address, "width-sweep", x="width=16..128:4", y="depth=1,2,8")
    expect(page.locator(".gi-summary")).to_contain_text("the exponent grows by ½ per layer")
    page.get_by_role("button", name="Xavier (normal)").click()
    expect(page.locator(".gi-summary")).to_contain_text("Flat")
    whole(page)
    assert page.locator(".st-key-sweeping").bounding_box()["height"] == 40  # as with its buttons
    names = "() => document.querySelector('.gi-plot').data.map(({ name }) => name)"
    assert all("slope " in name for name in page.evaluate(names))
    expect(page).to_have_url(re.compile("init=xavier_normal"))
    other = visitor()
    other.goto(page.url)
    expect(other.locator(".gi-summary")).to_contain_text("Flat")
    whole(other)
    assert other.evaluate(names) == page.evaluate(names)
    assert faults(page) == faults(other) == []


@pytest.mark.parametrize(
    "name, view", [*(("phase-diagram", view) for view in VIEWS), ("width-sweep", "dark")]
)
def test_axe_finds_nothing(visitor, address, name, view):
    part = SMALL if name == "phase-diagram" else {"x": "width=16..64:3"}
    page = landscape(visitor(**VIEWS[view]), address, name, **(part | {"real": "perhaps"}))
    page.locator("summary", has_text=re.compile("same in every cell|More")).click()
    idle(page)
    nothing_found(page)
    found_in(page, ".gi-words")
