"""The lesson in Chromium: walked by keyboard alone, reloaded, opened in Explore, on a projector."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from core import Experiment
from core.lesson import STEPS
from tests.browser.on_screen import drawn, eventually, has_query, idle, query_of, scrolls_one_way
from tests.browser.test_accessibility import VIEWS, nothing_found
from tests.browser.test_number_formats import PHONE, faults

SMALL = {"width": "64", "depth": "50"}
FOCUSED = """() => {
  const node = document.activeElement;
  return [node.tagName, node.type ?? '', node.innerText || node.ariaLabel || ''].join(' ');
}"""
MOST_TABS = 80


def lesson(page, address, **query):
    page.goto(f"{address}/lesson?{urlencode(SMALL | query)}")
    expect(page.locator(".gi-step")).to_be_visible()
    if "teach" not in query:
        expect(page.get_by_role("slider").first).to_be_attached()
    idle(page)
    return page


def tab_to(page, pattern):
    """Press Tab until what has the focus matches."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if re.search(pattern, page.evaluate(FOCUSED)):
            return
    raise AssertionError(f"no way by Tab to {pattern}")


def test_the_whole_lesson_by_keyboard_alone_with_a_reload_in_the_middle(page, address):
    lesson(page, address)
    for step in STEPS.values():
        expect(page.locator(".gi-step h1")).to_have_text(step.title)
        idle(page)
        if step.guess.kind == "choice":
            tab_to(page, "^INPUT radio")
            page.keyboard.press("Space")
            tab_to(page, "^BUTTON .*Check my guess")
            page.keyboard.press("Enter")
        else:
            tab_to(page, "^INPUT number")
            page.keyboard.type("1.5")
            page.keyboard.press("Enter")
        expect(page.locator(".gi-feedback")).to_be_visible()
        expect(page.locator(".gi-table tbody tr").first).to_be_visible()
        idle(page)
        if step.number == 6:
            page.reload()
            expect(page.locator(".gi-step h1")).to_have_text(step.title)
            expect(page.locator(".gi-done")).to_have_text("6 of 12 steps done")
            expect(page.locator(".gi-table tbody tr").first).to_be_visible()
            idle(page)
        if step.number < len(STEPS):
            tab_to(page, "^BUTTON .*Next step")
            page.keyboard.press("Enter")
    expect(page.locator(".gi-done")).to_have_text("12 of 12 steps done")
    expected = {"step": "whole-network", "done": "1-12"}
    has_query(page, SMALL | expected)
    page.go_back()  # to before the last answer
    expect(page.get_by_role("button", name="Check my guess")).to_be_visible()
    assert faults(page) == []


def opened(page, step):
    """Go to a step that is done, by the table of contents."""
    page.get_by_role("button", name=f"{step.number}. {step.title}").click()
    expect(page.locator(".gi-step h1")).to_have_text(step.title)
    expect(page.get_by_text("The same in PyTorch")).to_be_visible()
    idle(page)


def test_open_this_in_explore_opens_just_that_and_the_way_back_is_kept(page, address):
    lesson(page, address, done="1-12")
    for step in STEPS.values():
        opened(page, step)
        meant = step.explore(step.setting(n=64, depth=50))
        page.get_by_role("link", name="Open this in Explore").click()
        expect(page.locator(".gi-answer")).to_be_visible()
        drawn(page)
        found, problems = Experiment.from_query(query_of(page))
        assert problems == [] and found == meant
        page.get_by_role("link", name="Lesson", exact=True).click()
        expect(page.locator(".gi-step h1")).to_have_text(step.title)
        expect(page).to_have_url(re.compile("done=1-12"))
        expect(page).to_have_url(re.compile("width=64.*depth=50|depth=50.*width=64"))
        idle(page)
    assert faults(page) == []


def test_the_projector_view_fits_the_screen_and_is_large(page, address):
    lesson(page, address, step="magic-number", teach="true")
    expect(page.get_by_role("slider")).to_have_count(0)
    page.get_by_role("button", name="Show the answer").click()
    expect(page.get_by_role("figure").first).to_be_visible()
    idle(page)

    def fits():
        size = page.locator(".gi-step + *, .gi-step h1").first.evaluate(
            "node => parseFloat(getComputedStyle(node).fontSize)"
        )
        assert size >= 32
        box = page.get_by_role("figure").first.bounding_box()
        assert box["height"] > 500 and box["y"] + box["height"] <= 900

    eventually(fits)
    asked = query_of(page)
    assert asked["teach"] == "true" and asked["done"] == "6"
    page.get_by_role("button", name="Leave the projector view").click()
    expect(page.get_by_role("slider").first).to_be_attached()
    assert faults(page) == []


def test_a_phone_scrolls_one_way_in_every_step(visitor, address):
    page = visitor(viewport=PHONE, has_touch=True, is_mobile=True)
    lesson(page, address, done="1-12")
    for step in STEPS.values():
        opened(page, step)
        scrolls_one_way(page, PHONE["width"])
    assert faults(page) == []


@pytest.mark.parametrize(
    ("view", "done"), [("light", ""), ("light", "8"), ("dark", "8"), ("phone", "8")]
)
def test_axe_finds_nothing(visitor, address, view, done):
    page = lesson(visitor(**VIEWS[view]), address, step="redraw", done=done)
    expect(page.locator(".gi-table, [data-testid=stForm]").first).to_be_visible()
    nothing_found(page)
