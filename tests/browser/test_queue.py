"""Long runs of several viewers on one host: they take turns, and are stopped in time."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.on_screen import drawn, query_of
from tests.pages.work.test_log import measured
from tests.serving import serve

LONG = {"weights": "fresh", "depth": "1000", "hide": "theory"}  # half a minute at these widths


@pytest.fixture(scope="module")
def one_at_a_time():
    with serve(GOOD_INIT_RUNS_AT_ONCE="1", GOOD_INIT_LONGEST_QUEUE="1") as address:
        yield address


def arrive(page, address, **query):
    page.goto(f"{address}/?" + "&".join(f"{name}={text}" for name, text in query.items()))
    return page


def until(address, **gauges):
    """Wait until the host says so."""
    deadline = time.monotonic() + 60
    while True:
        found = measured(address)
        now = {name: found.get((f"good_init_{name}",), 0) for name in gauges}
        if now == gauges:
            return found
        assert time.monotonic() < deadline, now
        time.sleep(0.1)


def superseded(samples):
    return samples.get(("good_init_runs_total", "superseded", "there_and_back"), 0)


def test_long_runs_take_turns_and_end_with_their_viewers(visitor, one_at_a_time):
    host = one_at_a_time
    before = superseded(measured(host))
    first = arrive(visitor(), host, width=2048, **LONG)
    expect(first.get_by_text("Multiplying…")).to_be_visible()
    second = arrive(visitor(), host, width=2047, **LONG)
    expect(second.get_by_text("Multiplying…")).to_be_visible()
    until(host, running=1, waiting=1)
    # Its controls are there meanwhile, and a third viewer's quick run waits for nobody.
    expect(second.get_by_role("slider", name="Width")).to_be_visible()
    third = arrive(visitor(), host, width=64, depth=30)
    expect(third.locator(".gi-answer")).to_be_visible()
    # A fourth long run is too much; the same one as the second's is not another.
    fourth = arrive(visitor(), host, width=2046, **LONG)
    expect(
        fourth.get_by_text(re.compile(r"queue for long runs is full \(1 waiting\)"))
    ).to_be_visible()
    same = arrive(visitor(), host, width=2047, **LONG)
    expect(same.get_by_text("Multiplying…")).to_be_visible()
    until(host, running=1, waiting=1)
    # The first moves a slider: its long run is stopped, and the second's has the place.
    first.get_by_role("slider", name="Width").press("Home")
    expect(first.locator(".gi-answer")).to_be_visible()
    drawn(first)
    assert int(query_of(first)["width"]) < 100
    expect(second.get_by_text("Multiplying…")).to_be_visible()
    assert superseded(until(host, running=1, waiting=0)) == before + 1
    # One of the two who share it goes, and it goes on; with the other it ends.
    second.close()
    time.sleep(1)
    assert measured(host)["good_init_running",] == 1
    same.close()
    assert superseded(until(host, running=0, waiting=0)) == before + 2
    assert [problem for page in (first, third, fourth) for problem in page.problems] == []
