"""A host that begins every answer late: who is quicker sees the right numbers at the end."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.on_screen import curve, eventually, has_query, settled, step, visit
from tests.browser.test_number_formats import faults
from tests.serving import serve


@pytest.fixture(scope="module")
def late():
    with serve(program=("tests.late",), LATE="1.0") as address:
        yield address


def test_keys_that_come_faster_than_answers_leave_the_page_alive(page, late):
    visit(page, late)
    before = curve(page)
    for _ in range(2):
        step(page, "Scale factor", "ArrowRight")
    # Back to what this page has kept of the first answer, and forgets while the next one is due.
    page.keyboard.press("ArrowRight")
    until_owed(page)
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    settled(page)
    has_query(page, {})
    assert curve(page) == before
    step(page, "Depth", "ArrowLeft")
    assert len(curve(page)) == 100
    assert page.problems == []


def until_owed(page):
    def owed():
        page.wait_for_timeout(20)
        assert page.owed()

    eventually(owed)


def test_a_click_that_comes_between_two_looks_at_a_map_is_not_lost(page, late):
    slow = {"x": "scale=0.01..1:24", "y": "width=256..512:24", "real": "true", "depth": "600"}
    page.goto(f"{late}/phase-diagram?{urlencode(slow | {'networks': '4', 'seed': '3'})}")
    expect(page.locator(".gi-plot .cartesianlayer").first).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped at")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert faults(page) == []


def test_a_step_that_a_link_follows_at_once_is_there_when_the_viewer_comes_back(page, late):
    visit(page, late)
    page.get_by_role("slider", name="Scale factor").press("ArrowRight")
    page.get_by_role("link", name="Lesson", exact=True).click()
    expect(page.get_by_role("heading", name="100 products")).to_be_visible()
    page.get_by_role("link", name="Explore", exact=True).click()
    settled(page)
    has_query(page, {"scale": "1.06"})
    assert page.problems == []
