"""Back and forward over pages: each step shows the page that was left, as it was left."""

import pytest
from playwright.sync_api import expect

from tests.browser.on_screen import drawn, eventually, has_query, query_of, step, visit

SMALL = {"width": "64", "depth": "30", "scale": "0.1"}
PLACES = {
    "Explore": "slider",
    "Number formats": "slider",
    "Lesson": "button",
}


def go_to(page, name):
    """By the menu; waits until the page is there and whole."""
    page.get_by_role("link", name=name, exact=True).click()
    arrived(page, name)


def arrived(page, name):
    mark = {
        "Explore": page.locator(".gi-verdict"),
        "Number formats": page.get_by_text("Range"),
        "Lesson": page.locator(".gi-step h1"),
    }[name]
    expect(mark.first).to_be_visible()
    drawn(page)


def walked(page, address):
    """Three pages, each with something set by hand; returns their names and addresses."""
    visit(page, address, **SMALL)
    seen = []
    for name in ("Explore", "Number formats", "Lesson"):
        if seen:
            go_to(page, name)
        step(page, "Depth", "ArrowLeft")
        seen.append((name, page.evaluate("location.href"), query_of(page)))
    return seen
