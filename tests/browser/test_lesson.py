"""The lesson in Chromium: walked by keyboard alone, reloaded, opened in Explore, on a projector."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from core import Experiment
from core.lesson import STEPS
from tests.browser.on_screen import (
    drawn,
    ends_above,
    eventually,
    has_query,
    idle,
    query_of,
    scrolls_one_way,
    until,
)
from tests.browser.test_accessibility import VIEWS, nothing_found
from tests.browser.test_number_formats import PHONE, faults

SMALL = {"width": "64", "depth": "50"}
FOCUSED = """() => {
  const node = document.activeElement;
  return [node.tagName, node.type ?? '', node.innerText || node.ariaLabel || ''].join(' ');
}"""
MOST_TABS = 80
MAIN = '[data-testid="stMain"]'
# Of each formula in sight: how many lines it has, and by how much it is wider than its place.
FORMULAS = """() => [...document.querySelectorAll('.katex-display')]
  .filter((box) => box.offsetWidth).map((box) => {
    const tops = [...box.querySelectorAll('.katex-html > .base')].map((part) => part.offsetTop);
    return [new Set(tops).size, box.scrollWidth - box.clientWidth];
  })"""


def lesson(page, address, **query):
    page.goto(f"{address}/lesson?{urlencode(SMALL | query)}")
    expect(page.locator(".gi-step")).to_be_visible()
    if "teach" not in query:
        expect(page.get_by_role("slider").first).to_be_attached()
    idle(page)
    return page


def opens_at_the_top(page):
    """Wait until the page is at its top and its title has the focus."""
    until(page, f"document.querySelector('{MAIN}').scrollTop === 0")
    until(page, "document.activeElement === document.querySelector('.gi-step h1')")


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
        expect(page.locator(".gi-step h1")).to_have_text(step.at(50).title)
        idle(page)
        if step.number > 1:
            opens_at_the_top(page)
        if step.guess.kind == "choice":
            tab_to(page, "^INPUT radio")
            page.keyboard.press("Space")
            tab_to(page, "^BUTTON .*Check my guess")
            page.keyboard.press("Enter")
        else:
            tab_to(page, "^INPUT number")
            page.keyboard.type("2" if step.guess.whole else "1.5")
            page.keyboard.press("Enter")
        expect(page.locator(".gi-feedback")).to_be_visible()
        expect(page.locator(".gi-table tbody tr").first).to_be_visible()
        idle(page)
        if step.number == 6:
            page.reload()
            expect(page.locator(".gi-step h1")).to_have_text(step.at(50).title)
            expect(page.locator(".gi-done")).to_have_text("6 of 13 steps done")
            expect(page.locator(".gi-table tbody tr").first).to_be_visible()
            idle(page)
        if step.number < len(STEPS):
            tab_to(page, "^BUTTON .*Next step")
            page.keyboard.press("Enter")
    expect(page.locator(".gi-done")).to_have_text("13 of 13 steps done, and 3 of 3 more")
    expected = {"step": "norm-place", "done": "1-16"}
    has_query(page, SMALL | expected)
    page.go_back()  # to before the last answer
    expect(page.get_by_role("button", name="Check my guess")).to_be_visible()
    assert faults(page) == []


def opened(page, step):
    """Go to a step that is done, by the table of contents."""
    title = step.at(50).title
    page.get_by_role("button", name=f"{step.number}. {title}").click()
    expect(page.locator(".gi-step h1")).to_have_text(title)
    expect(page.get_by_text("The same in PyTorch")).to_be_visible()
    idle(page)


def test_open_this_in_explore_opens_just_that_and_the_way_back_is_kept(page, address):
    lesson(page, address, done="1-16")
    for step in STEPS.values():
        opened(page, step)
        meant = step.explore(step.setting(n=64, depth=50))
        page.get_by_role("link", name="Open this in Explore").click()
        expect(page.locator(".gi-answer")).to_be_visible()
        # Streamlit changes the path first, and the rest of the address a moment later.
        expect(page).not_to_have_url(re.compile("done="))
        drawn(page)
        found, problems = Experiment.from_query(query_of(page))
        assert problems == [] and found == meant
        page.get_by_role("link", name="Lesson", exact=True).click()
        expect(page.locator(".gi-step h1")).to_have_text(step.at(50).title)
        expect(page).to_have_url(re.compile("done=1-16"))
        expect(page).to_have_url(re.compile("width=64.*depth=50|depth=50.*width=64"))
        idle(page)
    assert faults(page) == []


@pytest.mark.parametrize(("window", "least"), [((1440, 900), 380), ((1024, 768), 240)])
def test_a_clicker_leads_a_class_through_steps_that_fit_the_screen(visitor, address, window, least):
    width, height = window
    page = visitor(viewport={"width": width, "height": height})
    steps = [*STEPS.values()][3:6]  # among them the longest words
    lesson(page, address, step=steps[0].slug, teach="true")
    for step, forward in zip(steps, ("ArrowRight", "PageDown", "ArrowRight"), strict=True):
        expect(page.locator(".gi-step h1")).to_have_text(step.at(50).title)
        expect(page.locator(".gi-right")).to_have_count(0)
        idle(page)
        page.keyboard.press(forward)
        expect(page.locator(".gi-right")).to_be_visible()
        idle(page)

        def fits():
            heading = page.locator(".gi-step h1").first
            assert heading.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 32
            assert page.get_by_role("figure").first.bounding_box()["height"] >= least
            main = page.locator(MAIN)
            assert main.evaluate("node => node.scrollHeight - node.clientHeight") <= 0

        eventually(fits)
        ends_above(height, page.get_by_role("button", name="Next step"))
        page.keyboard.press(forward)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".gi-step h1")).to_have_text(steps[-1].at(50).title)
    idle(page)
    asked = query_of(page)
    assert asked["teach"] == "true" and asked["done"] == "4-6"
    page.keyboard.press("f")
    expect(page.get_by_role("slider").first).to_be_attached()
    assert faults(page) == []


def formulas_fit(page, step):
    """Unfold the whole answer; wait until its formulas are in sight, broken only where allowed."""
    answer = step.measure(step.setting(n=64, depth=50)).answer
    folds = [*dict.fromkeys(sentence.fold for sentence in answer if sentence.fold)]
    for heading in folds:
        page.locator("summary", has_text=heading).click()
    ordered = [s.formula for fold in ("", *folds) for s in answer if s.formula and s.fold == fold]
    most = [formula.count(r"\allowbreak") + 1 for formula in ordered]

    def fit():
        found = page.evaluate(FORMULAS)
        assert len(found) == len(most)
        for formula, lines, (seen, wider) in zip(ordered, most, found, strict=True):
            assert 1 <= seen <= lines and wider <= 1, formula

    eventually(fit)


def test_a_phone_scrolls_one_way_in_every_step_and_breaks_no_formula(visitor, address):
    page = visitor(viewport=PHONE, has_touch=True, is_mobile=True)
    lesson(page, address, done="1-16")
    for step in STEPS.values():
        opened(page, step)
        if step.number > 1:
            opens_at_the_top(page)
        scrolls_one_way(page, PHONE["width"])
        formulas_fit(page, step)
    expect(page.get_by_test_id("InputInstructions").first).to_be_hidden()
    assert faults(page) == []


@pytest.mark.parametrize(
    ("view", "done"), [("light", ""), ("light", "8"), ("dark", "8"), ("phone", "8")]
)
def test_axe_finds_nothing(visitor, address, view, done):
    page = lesson(visitor(**VIEWS[view]), address, step="redraw", done=done)
    expect(page.locator(".gi-table, [data-testid=stForm]").first).to_be_visible()
    nothing_found(page)
