import csv
import io
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import expect

from core import Experiment, propagate
from core.reading.verdict import judge
from tests.browser.on_screen import (
    ITERATION,
    answer,
    copied_link,
    curve,
    drawn,
    ends_above,
    eventually,
    has_query,
    main_figure,
    query_of,
    scrolls_one_way,
    seen,
    step,
    until,
    visit,
)
from tests.pages.work.test_log import measured

PHONE = {"width": 390, "height": 844}
LINK = {"width": "64", "depth": "30", "activation": "relu", "scale": "1/√n"}
MEANT = Experiment(width=64, depth=30, activation="relu", scale=0.125)
LONG_RUN = {"width": "2048", "depth": "2000", "weights": "fresh"}  # a minute, if nobody stops it
_NODES = "[...document.querySelectorAll('.gi-figure, .gi-plot')]"


def test_a_link_opens_with_its_values(page, address):
    visit(page, address, **LINK)
    for name, text in {"Width n": "64", "Depth": "30", "Scale factor": "1/√n"}.items():
        expect(page.get_by_role("slider", name=name)).to_have_attribute("aria-valuetext", text)
    expect(page.get_by_role("switch", name="ReLU")).to_be_checked()
    sentence = judge(propagate(MEANT)).sentence
    assert sentence in answer(page)
    assert sentence in main_figure(page).get_attribute("aria-label")
    assert len(curve(page)) == MEANT.depth + 1
    has_query(page, LINK)
    assert page.problems == []


def test_a_slider_step_changes_chart_answer_and_link_and_can_be_undone(page, address):
    visit(page, address)
    before = seen(page)
    step(page, "Scale factor", "ArrowLeft")
    assert all(new != old for new, old in zip(seen(page), before, strict=True))
    has_query(page, {"scale": "0.944"})
    step(page, "Scale factor", "ArrowRight")
    assert seen(page) == before
    has_query(page, {})
    assert page.problems == []


def test_the_address_shows_another_viewer_the_same(page, visitor, address):
    visit(page, address, **LINK)
    step(page, "Width n", "ArrowRight")
    step(page, "Depth", "ArrowLeft")
    other = visitor()
    other.goto(page.url)
    drawn(other)
    has_query(page, LINK | {"width": "72", "depth": "29"})
    assert seen(other) == seen(page)
    assert other.problems == []


def test_the_copied_link_shows_another_viewer_the_same(page, visitor, address):
    visit(page, address, **LINK)
    step(page, "Depth", "ArrowRight")
    link = copied_link(page)
    other = visitor()
    other.goto(link)
    drawn(other)
    assert all(f"{name}=" in link for name in Experiment().to_query())
    assert seen(other) == seen(page)
    assert page.problems == other.problems == []


_RANGE = "document.querySelector('.gi-plot')._fullLayout.xaxis.range"


def _zoom(page):
    """Drag over a part of the main chart."""
    whole = _range(page)
    box = page.locator(".gi-plot .nsewdrag").first.bounding_box()
    left, middle = box["x"], box["y"] + box["height"] / 2
    page.mouse.move(left + 0.2 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(left + 0.6 * box["width"], middle, steps=4)
    page.mouse.up()
    until(page, f"{_RANGE}[0] !== {whole[0]}")
    page.wait_for_timeout(400)  # Plotly waits for a possible double click


def _range(page):
    return page.evaluate(_RANGE)


def test_the_chart_keeps_its_node_zoom_and_curves_while_controls_move(page, address):
    visit(page, address)
    whole = _range(page)
    _zoom(page)
    zoomed = _range(page)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    page.locator(".gi-plot .legendtoggle").nth(1).click()
    rms_is_visible = "document.querySelector('.gi-plot')._fullData[1].visible"
    until(page, f"{rms_is_visible} === true")
    page.evaluate(f"window.nodes = {_NODES}")
    for _ in range(5):
        step(page, "Scale factor", "ArrowLeft")
    assert page.evaluate(f"{_NODES}.every((node, i) => node === window.nodes[i])")
    assert _range(page) == zoomed
    assert page.evaluate(rms_is_visible) is True
    assert page.problems == []


def test_a_phone_shows_the_chart_at_once_and_scrolls_one_way(visitor, address):
    page = visit(visitor(viewport=PHONE, has_touch=True, is_mobile=True), address)
    scrolls_one_way(page, PHONE["width"])
    page.locator(".gi-title").scroll_into_view_if_needed()
    ends_above(PHONE["height"], main_figure(page))
    assert page.problems == []


def _box(page, selector):
    return page.locator(selector).first.bounding_box()


def test_a_phone_keeps_the_answer_below_its_row_of_pages_and_changes_page_in_one_tap(
    visitor, address
):
    page = visit(visitor(viewport=PHONE, has_touch=True, is_mobile=True), address)
    for button in page.get_by_role("button", name="Help for").locator("visible=true").all():
        box = button.bounding_box()
        assert box["width"] >= 24 and box["height"] >= 24
    main = page.get_by_test_id("stMain")
    main.evaluate("node => { node.scrollTop = 500; }")

    def below_the_row():
        assert _box(page, ".gi-stage")["y"] >= 59  # the row's height is 60 pixels
        assert main.evaluate("node => node.scrollTop") > 400

    eventually(below_the_row)
    for size, height in ((PHONE, 300), ({"width": 844, "height": 390}, 400), (PHONE, 300)):
        page.set_viewport_size(size)
        until(page, f"document.querySelector('.gi-plot')._fullLayout.height === {height}")
    row = page.locator(".st-key-menu")
    row.get_by_role("button", name="More").tap()
    page.get_by_role("link", name="Number formats").tap()
    expect(page).to_have_url(f"{address}/number-formats")
    expect(page.locator(".gi-title")).to_contain_text("number formats")
    expect(page.get_by_role("link", name="Number formats")).to_have_count(0)  # it is closed
    row.get_by_role("link", name="Lesson").tap()
    expect(page).to_have_url(f"{address}/lesson")
    expect(page.get_by_test_id("stSidebar").locator("visible=true")).to_have_count(0)
    assert page.problems == []


def test_a_link_of_the_menu_opens_a_tab_of_its_own_where_the_viewer_asks(page, address):
    visit(page, address, depth="30")
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="Lesson", exact=True).click(modifiers=["ControlOrMeta"])
    expect(opening.value).to_have_url(f"{address}/lesson")
    opening.value.close()
    has_query(page, {"depth": "30"})


def test_nothing_moves_while_a_bar_shows_progress(page, address):
    visit(page, address, width="1024", depth="200", weights="fresh", init="xavier_normal")
    more = page.locator("summary", has_text="More")
    before = more.bounding_box()
    page.get_by_role("slider", name="Width n").press("ArrowRight")
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert more.bounding_box() == before
    page.get_by_role("slider", name="Width n").press("Home")
    drawn(page)


def test_the_first_screen_answers_the_question(page, address):
    visit(page, address)
    expect(page.locator(".gi-verdict")).to_contain_text("explodes")
    expect(page.locator(ITERATION)).to_have_text("28")
    ends_above(900, page.locator(".gi-verdict"), page.locator(ITERATION), main_figure(page))
    assert page.problems == []


def _saved(page, figure, kind):
    """The name and the bytes of the file that the figure's own menu saves."""
    figure.get_by_label("Save the figure").click()
    with page.expect_download() as saving:
        figure.get_by_role("button", name=kind).click()
    expect(figure.get_by_role("button", name=kind)).to_be_hidden()
    return saving.value.suggested_filename, Path(saving.value.path()).read_bytes()


def test_every_figure_is_saved_as_picture_and_as_numbers(page, address):
    visit(page, address, **LINK)
    for kind, start in {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b"curve,x,y,z\n"}.items():
        name, content = _saved(page, main_figure(page), kind)
        assert name == f"good-init-std.{kind.lower()}"
        assert content.startswith(start)
    for index, figure in enumerate(page.get_by_role("figure").all()):
        _, content = _saved(page, figure, "CSV")
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert all(row["curve"] not in ("", "undefined") for row in rows)
        if "iteration i" in figure.get_attribute("aria-label"):
            continue
        assert {float(row["x"]) for row in rows} == set(range(MEANT.depth + 1))
        if index == 0:
            assert [float(row["y"]) for row in rows if row["curve"] == "std"] == curve(page)
    assert page.problems == []


def _superseded(address):
    """How many runs the host has stopped because nobody waited for them."""
    return measured(address).get(("good_init_runs_total", "superseded", "there_and_back"), 0)


def test_a_long_run_shows_its_progress_and_gives_way(page, address):
    before = _superseded(address)
    page.goto(f"{address}/?{urlencode(LONG_RUN)}")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("slider", name="Width n").press("Home")
    expect(page.locator(".gi-answer")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    drawn(page)
    has_query(page, LONG_RUN | {"width": "1"})

    def stopped():  # and not at its end, which would take no such count
        assert _superseded(address) > before

    eventually(stopped)


def test_a_bad_link_says_so_and_is_mended(page, address):
    attack = "<img src=x onerror=window.hit=1>"
    visit(page, address, depth="50.7", init=attack, **{attack: "1"})
    expect(page.locator(".gi-problems li")).to_have_count(3)
    assert page.locator(".gi-problems img").count() == 0
    assert page.evaluate("window.hit") is None
    told = page.get_by_role("alert").filter(has_text="depth must be")
    expect(told).to_contain_text("got '50.7': 51 is used")
    until(page, "new URLSearchParams(location.search).get('depth') === '51'")
    assert len(curve(page)) == 52
    step(page, "Depth", "ArrowLeft")
    expect(told).to_have_count(0)
    until(page, "new URLSearchParams(location.search).get('depth') === '50'")
    assert "init" not in query_of(page)


def test_one_viewers_bad_link_disturbs_no_other(page, visitor, address):
    visit(page, address)
    other = visitor()
    other.goto(f"{address}/?width=16384&batch_size=4096&seed=nonsense")
    expect(other.get_by_role("alert").filter(has_text="lower width")).to_be_visible()
    expect(other.locator(".gi-problems")).to_contain_text("seed must be")
    step(page, "Scale factor", "ArrowLeft")
    has_query(page, {"scale": "0.944"})
    expect(page.locator(".gi-problems")).to_have_count(0)
    other.get_by_role("slider", name="Width n").press("Home")
    drawn(other)
    expect(other.get_by_role("alert").filter(has_text="lower width")).to_have_count(0)
    assert page.problems == other.problems == []


def test_going_back_shows_the_answer_that_belongs_to_the_address(page, visitor, address):
    visit(page, address)
    told = {page.url: page.locator(".gi-verdict").inner_text()}
    for stop in ("0.01", "0.1"):
        page.get_by_role("radio", name=stop, exact=True).or_(
            page.get_by_role("button", name=stop, exact=True)
        ).first.click()
        expect(page).to_have_url(f"{address}/?scale={stop}")
        expect(page.locator(".gi-verdict")).not_to_have_text(list(told.values())[-1])
        told[page.url] = page.locator(".gi-verdict").inner_text()
    for url in list(told)[-2::-1]:
        page.go_back()
        expect(page).to_have_url(url)
        expect(page.locator(".gi-verdict")).to_have_text(told[url])


def test_the_gradient_is_drawn_below_the_signal_on_the_same_layers(page, address):
    visit(page, address, width=64, depth=30, init="xavier_normal")
    plots = page.locator(".gi-figure .gi-plot")
    above, below = plots.nth(0).bounding_box(), plots.nth(1).bounding_box()
    assert below["y"] > above["y"] + above["height"] and below["x"] == above["x"]
    assert below["width"] == above["width"]
    ends = "node => node._fullLayout.xaxis.range"
    assert plots.nth(0).evaluate(ends) == plots.nth(1).evaluate(ends)
    assert page.locator(".gi-back").is_visible()
