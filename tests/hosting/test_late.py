"""A host that begins every answer late: who is quicker sees the right numbers at the end."""

import pytest

from tests.browser.on_screen import curve, eventually, has_query, settled, step, visit
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
