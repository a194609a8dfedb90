import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core import Experiment, propagate
from core.verdict import judge
from tests.browser.on_screen import (
    answer,
    bottom,
    curve,
    drawn,
    main_figure,
    query_of,
    seen,
    step,
    visit,
)

PHONE = {"width": 390, "height": 844}
LINK = {"width": "64", "depth": "30", "activation": "relu", "scale": "1/√n"}
MEANT = Experiment(width=64, depth=30, activation="relu", scale=0.125)
FIRST_BYTES = {"png": b"\x89PNG", "svg": b"<svg", "csv": b"curve,x,y,z"}
# Seconds of work on this kind of host, so that an answer within SOON cannot be its own.
LONG_RUN = {"width": "2048", "depth": "400", "weights": "fresh"}
SOON = 4_000


def test_a_link_opens_with_its_values(page, address):
    visit(page, address, **LINK)
    for name, text in {"Width n": "64", "Depth": "30", "Scale factor": "1/√n"}.items():
        expect(page.get_by_role("slider", name=name)).to_have_attribute("aria-valuetext", text)
    expect(page.get_by_role("switch", name="ReLU")).to_be_checked()
    assert judge(propagate(MEANT)).sentence in answer(page)
    assert len(curve(page)) == MEANT.depth + 1
    assert query_of(page) == LINK
    assert page.problems == []


def test_a_slider_step_changes_chart_answer_and_link(page, address):
    visit(page, address)
    before = seen(page)
    step(page, "Scale factor", "ArrowLeft")
    assert all(new != old for new, old in zip(seen(page), before, strict=True))
    assert query_of(page) == {"scale": "0.944"}
    assert page.problems == []


def test_the_address_shows_another_viewer_the_same(page, visitor, address):
    visit(page, address, **LINK)
    step(page, "Width n", "ArrowRight")
    step(page, "Depth", "ArrowLeft")
    other = visitor()
    other.goto(page.url)
    drawn(other)
    assert query_of(page) == LINK | {"width": "72", "depth": "29"}
    assert seen(other) == seen(page)
    assert other.problems == []


def test_the_copied_link_shows_another_viewer_the_same(page, visitor, address):
    visit(page, address, **LINK)
    step(page, "Depth", "ArrowRight")
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stPopoverBody").locator("code").inner_text()
    other = visitor()
    other.goto(link)
    drawn(other)
    assert all(f"{name}=" in link for name in Experiment().to_query())
    assert seen(other) == seen(page)
    assert page.problems == other.problems == []


def test_back_and_forth_is_where_it_began(page, address):
    visit(page, address)
    before = seen(page)
    step(page, "Scale factor", "ArrowLeft")
    step(page, "Scale factor", "ArrowRight")
    assert seen(page) == before
    assert query_of(page) == {}


def _zoom(page):
    """Drag over a part of the main chart."""
    box = page.locator(".gi-plot .nsewdrag").first.bounding_box()
    left, middle = box["x"], box["y"] + box["height"] / 2
    page.mouse.move(left + 0.2 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(left + 0.6 * box["width"], middle, steps=4)
    page.mouse.up()
    page.wait_for_timeout(400)  # Plotly waits for a possible double click


def _range(page):
    return page.evaluate("document.querySelector('.gi-plot')._fullLayout.xaxis.range")


def test_the_chart_stays_with_its_zoom_while_controls_move(page, address):
    visit(page, address)
    whole = _range(page)
    _zoom(page)
    zoomed = _range(page)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    page.evaluate("window.nodes = [...document.querySelectorAll('.gi-plot, .gi-figure')]")
    for _ in range(5):
        step(page, "Scale factor", "ArrowLeft")
    assert page.evaluate(
        "window.nodes.length === 8 && window.nodes.every((node, i) =>"
        " node === [...document.querySelectorAll('.gi-plot, .gi-figure')][i])"
    )
    assert _range(page) == zoomed


def test_a_curve_switched_on_stays_on_while_controls_move(page, address):
    visit(page, address)
    page.locator(".gi-plot .legendtoggle").nth(1).click()
    visible = "document.querySelector('.gi-plot')._fullData[1].visible"
    page.wait_for_function(f"{visible} === true")
    step(page, "Depth", "ArrowLeft")
    assert page.evaluate(visible) is True


def test_a_phone_shows_the_chart_at_once_and_scrolls_one_way(visitor, address):
    page = visit(visitor(viewport=PHONE, has_touch=True, is_mobile=True), address)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".gi-title").scroll_into_view_if_needed()
    assert bottom(main_figure(page)) <= PHONE["height"]
    assert page.problems == []


def test_the_first_screen_answers_the_question(page, address):
    visit(page, address)
    expect(page.locator(".gi-verdict")).to_contain_text("explodes")
    expect(page.locator(".gi-main strong")).to_have_text("28")
    for part in (page.locator(".gi-verdict"), page.locator(".gi-main"), main_figure(page)):
        assert bottom(part) <= 900
    assert page.problems == []


def test_the_chart_has_the_verdict_as_its_name(page, address):
    visit(page, address, **LINK)
    sentence = judge(propagate(MEANT)).sentence
    assert sentence in main_figure(page).get_attribute("aria-label")
    step(page, "Depth", "ArrowRight")
    assert sentence not in main_figure(page).get_attribute("aria-label")


@pytest.mark.parametrize("kind", FIRST_BYTES)
def test_a_figure_is_saved(page, address, kind):
    visit(page, address, **LINK)
    figure = main_figure(page)
    figure.get_by_label("Save this figure").click()
    with page.expect_download() as saving:
        figure.get_by_role("button", name=kind.upper()).click()
    assert saving.value.suggested_filename == f"good-init-std.{kind}"
    assert Path(saving.value.path()).read_bytes().startswith(FIRST_BYTES[kind])
    assert figure.get_by_role("button", name="PNG").is_hidden()
    assert page.problems == []


def _saved_rows(page, figure):
    figure.get_by_label("Save this figure").click()
    with page.expect_download() as saving:
        figure.get_by_role("button", name="CSV").click()
    return list(csv.DictReader(io.StringIO(Path(saving.value.path()).read_text())))


def test_every_figure_is_saved_as_numbers(page, address):
    visit(page, address, **LINK)
    for figure in page.get_by_role("figure").all():
        rows = _saved_rows(page, figure)
        assert {float(row["x"]) for row in rows} == set(range(MEANT.depth + 1))
        assert all(row["curve"] not in ("", "undefined") for row in rows)
    std = [float(row["y"]) for row in _saved_rows(page, main_figure(page))]
    assert std == curve(page)


def test_a_long_run_shows_its_progress_and_gives_way(page, address):
    page.goto(f"{address}/?width=2048&depth=400&weights=fresh")
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=20_000)
    page.get_by_role("slider", name="Width n").press("Home")
    expect(page.locator(".gi-answer")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    drawn(page)
    assert query_of(page) == {"depth": "400", "weights": "fresh", "width": "1"}


def test_a_bad_link_says_so_and_is_mended(page, address):
    visit(page, address, depth="50.7")
    told = page.get_by_role("alert").filter(has_text="depth")
    expect(told).to_contain_text("got '50.7': 51 is used")
    assert query_of(page) == {"depth": "51"}
    assert len(curve(page)) == 52
    step(page, "Depth", "ArrowLeft")
    expect(told).to_have_count(0)
    assert query_of(page) == {"depth": "50"}


def test_markup_in_a_link_stays_text(page, address):
    attack = "<img src=x onerror=window.hit=1>"
    visit(page, address, init=attack, **{attack: "1"})
    expect(page.locator(".gi-problem")).to_have_count(2)
    assert page.evaluate("window.hit") is None
    assert page.locator(".gi-problem img").count() == 0


def test_one_viewers_bad_link_disturbs_no_other(page, visitor, address):
    visit(page, address)
    other = visitor()
    other.goto(f"{address}/?width=16384&batch_size=4096&seed=nonsense")
    expect(other.get_by_role("alert").filter(has_text="lower width")).to_be_visible()
    expect(other.locator(".gi-problem")).to_contain_text("seed must be")
    step(page, "Scale factor", "ArrowLeft")
    assert query_of(page) == {"scale": "0.944"}
    expect(page.locator(".gi-problem")).to_have_count(0)
    assert page.problems == other.problems == []


def test_a_refused_run_can_be_lowered_again(page, address):
    page.goto(f"{address}/?width=16384&batch_size=4096")
    expect(page.get_by_role("alert").filter(has_text="lower width")).to_be_visible()
    page.get_by_role("slider", name="Width n").press("Home")
    drawn(page)
    assert page.get_by_role("alert").count() == 0
    assert "multiplies" in answer(page) or "products" in answer(page)
