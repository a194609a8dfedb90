"""The number formats page in Chromium: what moves, what a phone shows, and the way back."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from core.layer.number_formats import FORMAT_FAMILIES
from tests.browser.on_screen import choose, drawn, has_query, query_of, scrolls_one_way, until
from tests.browser.test_accessibility import VIEWS, found_in, nothing_found

PHONE = {"width": 390, "height": 844}
BAR = "name => [...document.querySelectorAll('.gi-plot')][1].data.find(t => t.name === name).x"


def formats(page, address, **query):
    page.goto(f"{address}/number-formats?{urlencode(query)}")
    expect(page.locator(".gi-table")).to_be_visible()
    drawn(page)
    return page


def faults(page):
    """Streamlit looks for its server below the page's own path first, and is told there is none."""
    return [each for each in page.problems if "404" not in each]


def test_a_step_of_depth_moves_the_windows_and_the_link(page, address):
    formats(page, address, width="64", depth="30")
    before = page.evaluate(BAR, "float16")
    page.get_by_role("slider", name="Depth").press("End")
    until(page, f"({BAR})('float16')[0] > {before[0]}")
    drawn(page)
    low, high = page.evaluate(BAR, "float16")
    assert before[0] < low < high < before[1]
    assert int(query_of(page)["depth"]) > 30
    expect(page.locator(".gi-table tbody tr")).to_have_count(len(FORMAT_FAMILIES["plain"]))
    assert faults(page) == []


def test_the_two_pages_share_what_is_set(page, address):
    formats(page, address, width="64", depth="30", pin_a="width:64,depth:9")
    page.get_by_role("link", name="Explore").click()
    expect(page.locator(".gi-answer")).to_be_visible()
    expect(page).to_have_url(re.compile("width=64"))
    page.get_by_text("256 networks", exact=True).click()
    page.locator("summary", has_text="More").click()
    choose(page, "Number format", "float16")
    expect(page).to_have_url(re.compile("number_format=float16"))
    page.get_by_role("slider", name="Depth").press("ArrowLeft")
    expect(page).to_have_url(re.compile("depth=29"))
    drawn(page)
    page.get_by_role("link", name="Number formats").click()
    expect(page.locator(".gi-table")).to_be_visible()
    expect(page).to_have_url(re.compile("depth=29"))
    page.get_by_role("link", name="Explore").click()
    expect(page.locator(".gi-answer")).to_be_visible()
    expect(page).to_have_url(re.compile("number_format=float16"))
    drawn(page)
    wanted = {
        "width": "64",
        "depth": "29",
        "number_format": "float16",
        "ensemble": "true",
        "pin_a": "width:64,depth:9",
    }
    has_query(page, wanted)
    assert faults(page) == []


def test_the_family_of_formats_is_in_the_link_and_another_browser_opens_it(page, visitor, address):
    formats(page, address, width="64", depth="30")
    for family in ("block-scaled", "conventions"):
        page.get_by_role("radio", name=family).click()
        expect(page.locator(".gi-table tbody tr")).to_have_count(len(FORMAT_FAMILIES[family]))
        has_query(page, {"width": "64", "depth": "30", "family": family})
        drawn(page)
    expect(page.get_by_text("it becomes 448. Here the first does at i = ")).to_be_visible()
    other = visitor()
    other.goto(page.url)
    rows = other.locator(".gi-table tbody tr")
    expect(rows).to_have_count(len(FORMAT_FAMILIES["conventions"]))
    for name in FORMAT_FAMILIES["conventions"]:
        expect(
            rows.filter(has=other.get_by_role("rowheader", name=name, exact=True))
        ).to_be_visible()
    page.get_by_role("radio", name="plain").click()
    expect(page.locator(".gi-table tbody tr")).to_have_count(len(FORMAT_FAMILIES["plain"]))
    has_query(page, {"width": "64", "depth": "30"})
    assert faults(page) == []


def test_explore_shows_a_block_scaled_format_and_what_its_band_leaves_out(page, address):
    query = {"number_format": "mxfp4_e2m1", "init": "critical", "width": "64", "weights": "fresh"}
    page.goto(f"{address}/?{urlencode(query)}")
    expect(page.locator(".gi-verdict").first).to_be_visible()
    told = "Without the rounding in blocks of 32 numbers, at layer 100 nine networks in ten"
    expect(page.get_by_text(told).first).to_be_visible()
    assert faults(page) == []


def test_a_phone_scrolls_one_way(visitor, address):
    page = formats(visitor(viewport=PHONE, has_touch=True, is_mobile=True), address)
    scrolls_one_way(page, PHONE["width"], page.get_by_role("figure"))
    assert faults(page) == []


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(visitor, address, view):
    page = formats(visitor(**VIEWS[view]), address, depth="30.5", width="64")
    nothing_found(page)
    found_in(page, ".gi-words")
