"""A class's link in Chromium: the dialog that makes it, what it hides, the projector, embedding."""

import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from playwright.sync_api import expect

from pages.exploring.class_view import ANSWERS
from tests.browser.on_screen import (
    choose,
    curve,
    drawn,
    ends_above,
    eventually,
    has_query,
    idle,
    main_figure,
    query_of,
    visit,
)
from tests.browser.test_accessibility import VIEWS, nothing_found

SMALL = {"width": "64", "depth": "30"}


def share(page):
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".gi-qr")).to_be_visible()
    return dialog


def link_in(dialog):
    code = dialog.locator("pre code").first
    expect(code).to_contain_text("http")
    return code.inner_text().strip()


def test_a_teacher_makes_a_link_and_the_class_sees_that_and_no_more(visitor, address):
    teacher = visit(visitor(), address, **SMALL, scale="0.1")
    dialog = share(teacher)
    before = link_in(dialog)
    assert "hide" not in before
    for name in ("Depth", ANSWERS["verdict"]):
        dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog.locator("pre code").first).to_contain_text("hide=depth,verdict")
    link = link_in(dialog)
    asked = {name: texts[0] for name, texts in parse_qs(urlsplit(link).query).items()}
    assert asked == SMALL | {"scale": "0.1", "hide": "depth,verdict"}
    # The code to photograph is that link's own.
    drawn_again = segno.make(link, error="l", micro=False).svg_data_uri(
        dark="#000000", light="#ffffff", border=4
    )
    expect(dialog.locator(".gi-qr")).to_have_attribute("src", drawn_again)
    student = visitor()
    student.goto(link)
    drawn(student)
    expect(student.get_by_role("slider", name="Width")).to_be_visible()
    expect(student.get_by_role("slider", name="Depth")).to_have_count(0)
    expect(student.locator(".gi-answer")).to_have_count(0)
    assert curve(student) == curve(teacher)
    assert student.problems == []


def test_what_is_hidden_stays_hidden_while_the_student_moves_on(page, address):
    visit(page, address, **SMALL, hide="depth,scale,relu,more,details")
    page.get_by_role("slider", name="Width").press("ArrowRight")
    expect(page).to_have_url(re.compile(r"width=(?!64)\d+"))
    drawn(page)
    asked = query_of(page)
    assert asked["hide"] == "depth,scale,relu,more,details" and asked["depth"] == "30"
    for name in ("Depth", "Scale factor"):
        expect(page.get_by_role("slider", name=name)).to_have_count(0)
    expect(page.locator("summary", has_text="More")).to_have_count(0)
    page.reload()
    drawn(page)
    expect(page.get_by_role("slider", name="Depth")).to_have_count(0)
    assert page.problems == []


def test_f_is_the_projector_and_a_clicker_moves_the_slider(page, address):
    visit(page, address, **SMALL)
    type_size = "e => parseFloat(getComputedStyle(e).fontSize)"
    small = page.locator(".gi-numbers strong").first.evaluate(type_size)
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("view=projector"))
    expect(page.locator(".gi-checks")).to_have_count(0)
    drawn(page)

    def large():
        number = page.locator(".gi-numbers strong").first
        assert number.evaluate(type_size) > 1.4 * small

    eventually(large)
    for width, height in ((1024, 768), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        ends_above(height, page.locator(".st-key-clicker"))
        eventually(lambda: fills_the_window(page))
    slider = page.get_by_role("slider", name="Depth")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("depth=3[1-9]"))
    drawn(page)
    page.keyboard.press("f")
    expect(page.locator(".gi-checks")).to_have_count(1)
    expect(page).not_to_have_url(re.compile("view="))
    assert page.problems == []


FORGETS_ONCE = """() => {
  const replace = history.replaceState.bind(history);
  window.forgotten = 0;
  history.replaceState = (state, title, url) => {
    if (window.forgotten || !String(url).includes("depth=31")) return replace(state, title, url);
    window.forgotten += 1;
  };
}"""


def test_a_slider_at_a_new_place_is_in_the_address_though_streamlit_forgets(page, address):
    visit(page, address, **SMALL)
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("view=projector"))
    drawn(page)
    page.evaluate(FORGETS_ONCE)
    page.get_by_role("slider", name="Depth").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("depth=31"))
    assert page.evaluate("window.forgotten") == 1
    has_query(page, SMALL | {"depth": "31", "view": "projector"})
    assert page.problems == []


def test_what_was_chosen_under_more_is_in_the_link_of_the_projector_too(page, address):
    visit(page, address, **SMALL)
    expect(page.get_by_role("combobox", name="Activation")).to_have_count(0)  # sent once unfolded
    page.locator("summary", has_text="More").click()
    choose(page, "Activation", "tanh")
    expect(page).to_have_url(re.compile("activation=tanh"))
    expect(page.locator(".gi-verdict")).to_contain_text("holds")
    entries = page.evaluate("history.length")
    page.get_by_role("button", name="Projector view").click()
    expect(page).to_have_url(re.compile("view=projector"))
    expect(page.locator(".gi-checks")).to_have_count(0)
    drawn(page)
    projected = SMALL | {"activation": "tanh", "view": "projector"}
    has_query(page, projected)
    page.reload()
    expect(page.locator(".gi-verdict")).to_contain_text("holds")
    drawn(page)
    has_query(page, projected)
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    expect(page).not_to_have_url(re.compile("view="))
    expect(page.locator(".gi-checks")).to_have_count(1)
    expect(page.locator(".gi-verdict")).to_contain_text("holds")
    has_query(page, SMALL | {"activation": "tanh"})
    assert page.problems == []


def fills_the_window(page):
    """The numbers are in one row, and the chart takes most of what is left above the controls."""
    cells = page.locator(".gi-stage > .gi-numbers > div").all()
    assert len({cell.bounding_box()["y"] for cell in cells}) == 1
    chart, controls = main_figure(page), page.locator(".st-key-clicker")
    box = chart.bounding_box()
    assert box["height"] > 0.4 * page.viewport_size["height"]
    assert box["y"] + box["height"] <= controls.bounding_box()["y"]


@contextmanager
def another_site(html):
    """A page of another origin."""

    class Course(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Course) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_the_snippet_shows_the_view_inside_a_course_page(visitor, address):
    teacher = visit(visitor(), address, **SMALL)
    dialog = share(teacher)
    dialog.locator("summary", has_text="Embed").click()
    snippet = dialog.locator("code", has_text="iframe").inner_text()
    course = visitor()
    with another_site(snippet) as site:
        course.goto(site)
        inside = course.frame_locator("iframe")
        expect(inside.locator(".gi-answer")).to_be_visible()
        inside.get_by_role("slider", name="Width").press("ArrowRight")
        expect(inside.locator(".gi-answer")).to_contain_text("√n = 8.49")
    assert course.problems == []


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_in_the_dialog(visitor, address, view):
    page = visit(visitor(**VIEWS[view]), address, **SMALL)
    share(page)
    idle(page)
    nothing_found(page)
