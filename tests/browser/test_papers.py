"""The page of published numbers on the screen: rows that stay folded out, and links that agree."""

import pytest
from playwright.sync_api import expect

from core.papers import CLAIMS
from tests.browser.on_screen import curve, drawn, eventually, idle, listen, scrolls_one_way
from tests.browser.test_accessibility import VIEWS, found_in, nothing_found
from tests.serving import serve

SIX_DIGITS = 1e-5
ROWS = "details.gi-claim"


def opened(page, address, query=""):
    listen(page)
    page.goto(f"{address}/papers{query}")
    expect(page.locator(ROWS).first).to_be_visible()
    return page


def measured(page):
    """Wait until every row is measured."""
    expect(page.get_by_role("status").filter(has_text="measured so far")).to_have_count(
        0, timeout=90_000
    )
    idle(page)
    return page


@pytest.fixture
def new_address():
    """That of a server which has measured nothing yet."""
    with serve() as running:
        yield running


@pytest.mark.parametrize("name", ["makemore-std", "cs231n-xavier"])
def test_a_row_opens_in_explore_with_its_numbers(page, address, name):
    """The link shows the first of the networks whose mean the row is."""
    claim = CLAIMS[name]
    opened(page, address, f"?row={name}")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open in Explore").click()
    explore = popup.value
    listen(explore)
    drawn(explore)
    layers = [int(place.removeprefix("layer ")) for place in claim.at]
    first = claim.measure(claim.experiment, 1)[0]
    assert [curve(explore)[k] for k in layers] == pytest.approx(first, rel=SIX_DIGITS)


def test_a_row_that_is_folded_out_stays_so_while_others_come(page, new_address):
    opened(page, new_address)
    row = page.locator(f"{ROWS}[data-name=selu-gain]")  # the last but one to be measured
    row.locator("summary").click()
    expect(row.get_by_text("They asked:")).to_be_visible()
    assert "±" not in row.inner_text()
    measured(page)
    expect(page.locator(ROWS)).to_have_count(len(CLAIMS))
    expect(row).to_contain_text("±")
    expect(row.get_by_text("They asked:")).to_be_visible()
    expect(row.locator("summary")).to_be_focused()
    pictures = page.locator(f"{ROWS} summary img")
    assert pictures.count() >= 10
    drawn_pictures = pictures.evaluate_all("all => all.every((each) => each.naturalWidth > 0)")
    assert drawn_pictures


def test_the_filter_travels_in_the_address(page, address):
    measured(opened(page, address))
    box = page.get_by_label("Find")
    box.fill("karpathy")
    box.press("Enter")
    idle(page)
    count = sum("Karpathy" in claim.source.authors for claim in CLAIMS.values())
    expect(page.locator(ROWS)).to_have_count(count)
    eventually(lambda: _asks(page, "find=karpathy"))
    page.reload()
    expect(page.locator(ROWS)).to_have_count(count)


def _asks(page, what):
    assert what in page.evaluate("location.search")


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_on_a_row_that_is_folded_out(visitor, address, view):
    page = opened(visitor(**VIEWS[view]), address, "?topic=Gains")
    measured(page)
    page.locator(f"{ROWS} summary").first.click()
    nothing_found(page)
    found_in(page, ".gi-claim-title")


@pytest.mark.parametrize("width", [320, 390, 700, 1024, 1440])
def test_no_screen_scrolls_sideways(visitor, address, width):
    page = measured(opened(visitor(viewport={"width": width, "height": 900}), address))
    page.locator(f"{ROWS} summary").first.click()
    scrolls_one_way(page, width)
