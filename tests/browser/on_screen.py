"""What a viewer of Explore sees and does, in the words of the tests."""

import time
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Error

_PATIENCE = 30_000  # ms; the first page of a cold server takes a few seconds
ITERATION = ".gi-numbers > :first-child strong"
_IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def until(page, expression, patience=_PATIENCE):
    """Wait until an expression holds in the page.

    Playwright's own waiting compiles text inside the page, which the page forbids.
    """
    deadline = time.monotonic() + patience / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"{expression} did not come true"
        page.wait_for_timeout(20)


def visit(page, address, **query):
    """Open a link and wait until everything on it is there."""
    page.goto(f"{address}/?{urlencode(query)}")
    drawn(page)
    return page


def drawn(page):
    """Wait until every figure is drawn and the server has nothing more to send."""
    page.wait_for_selector(".gi-plot .main-svg", timeout=_PATIENCE)
    # A quick run is drawn before the controls are sent.
    page.wait_for_selector('[data-testid="stSlider"]', state="attached", timeout=_PATIENCE)
    page.wait_for_selector(_IDLE, state="attached", timeout=_PATIENCE)
    until(
        page,
        "[...document.querySelectorAll('.gi-plot')].every(plot => plot._fullLayout)",
    )


def step(page, slider, key):
    """Move a slider by one key, and wait for the picture that answers it."""
    page.evaluate("window.dataBefore = document.querySelector('.gi-plot').data")
    page.get_by_role("slider", name=slider).press(key)
    until(page, "document.querySelector('.gi-plot').data !== window.dataBefore")
    drawn(page)


def query_of(page):
    """The parameters in the address bar."""
    return {name: texts[0] for name, texts in parse_qs(urlsplit(page.url).query).items()}


def has_query(page, wanted):
    """Wait until the address bar has these parameters and no others."""
    deadline = time.monotonic() + _PATIENCE / 1000
    while (found := query_of(page)) != wanted:
        assert time.monotonic() < deadline, f"{found} is not {wanted}"
        page.wait_for_timeout(20)


def answer(page):
    return page.locator(".gi-answer").inner_text()


def curve(page, figure=0):
    """The y values of a figure's main curve: the first of what was measured, or of all."""
    script = """i => {
      const { data } = [...document.querySelectorAll('.gi-plot')][i];
      return (data.find(({ meta }) => meta?.statistic) ?? data[0]).y;
    }"""
    return page.evaluate(script, figure)


def seen(page):
    """All that two viewers of the same link should have in common."""
    checks = page.locator(".gi-checks").inner_text()
    return answer(page), checks, curve(page)


def main_figure(page):
    return page.get_by_role("figure", name="Standard deviation of x per layer")


def bottom(locator):
    """How far down the window an element ends, in pixels."""
    box = locator.bounding_box()
    return box["y"] + box["height"]


def thumb(page, slider):
    """Where a slider's thumb is, and how long its track: x, y, length in pixels."""
    script = """name => {
      const input = document.querySelector(`.st-key-${name} input[type="range"]`);
      const track = input.closest('[data-testid="stSlider"]').getBoundingClientRect();
      const thumb = input.parentElement.parentElement.getBoundingClientRect();
      return [thumb.x + thumb.width / 2, thumb.y + thumb.height / 2, track.width];
    }"""
    return page.evaluate(script, slider)


def choose(page, name, option):
    """Pick from a list after scrolling to it, for an open one closes when the page scrolls."""
    box = page.get_by_role("combobox", name=name)
    box.scroll_into_view_if_needed()
    choice = page.get_by_role("option", name=option, exact=True)
    for _ in range(5):  # as a person does whom the page has moved the list away from
        page.wait_for_timeout(300)
        if not choice.is_visible():
            box.click()
        try:
            choice.click(timeout=2_000)
        except Error:
            continue
        return
    choice.click(timeout=1)
