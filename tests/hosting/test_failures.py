"""A run that fails on the host: its viewer is told under which name, and no other notices."""

import json
import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.on_screen import answer, visit
from tests.load.floods import malformed
from tests.load.loop import run_apart
from tests.serving import serve

SMALL = {"width": "64", "depth": "30"}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "stderr"


@pytest.fixture(scope="module")
def breaking(log):
    with serve(program=("tests.hosting.breaking",), LOG_FILE=str(log)) as address:
        yield address


def lines(log):
    found = [line for line in log.read_text().splitlines() if line.startswith("{")]
    return [json.loads(line) for line in found]


@pytest.mark.parametrize("long", [False, True])
def test_a_run_that_fails_half_way_is_told_by_name_and_logged(visitor, breaking, log, long):
    other = visit(visitor(), breaking, **SMALL)
    before = answer(other)
    size = {"width": "1024", "depth": "200", "weights": "fresh"} if long else SMALL
    page = visitor()
    page.goto(f"{breaking}/?seed=13&hide=theory&" + "&".join(f"{k}={v}" for k, v in size.items()))
    told = page.get_by_text("Something went wrong here").first
    expect(told).to_be_visible()
    name = re.search(r"log has it as ([0-9a-f]{8})", told.inner_text())[1]
    [failure] = [line for line in lines(log) if line.get("id") == name]
    assert failure["event"] == "failure" and "only the host should know" in failure["error"]
    assert "only the host" not in page.content() and "Traceback" not in page.content()
    runs = [line for line in lines(log) if line.get("outcome") == "failed"]
    assert runs and {run["experiment"]["seed"] for run in runs} == {"13"}
    # This viewer goes on, and so does the other.
    visit(page, breaking, **SMALL, seed="14")
    expect(page.locator(".gi-answer")).to_be_visible()
    other.get_by_role("slider", name="Depth").press("ArrowRight")
    expect(other.locator(".gi-answer")).not_to_have_text(before)
    assert other.problems == []


def test_malformed_messages_write_a_line_each_and_end_only_their_own_connection(breaking, log):
    before = len(log.read_text().splitlines())
    ends = run_apart(malformed(breaking))
    assert ends == {"garbage": 1002, "empty": 1002, "text": 1003, "not UTF-8": 1007, "large": 1009}
    written = log.read_text().splitlines()[before:]
    assert len(written) == len(ends), written
    with urlopen(f"{breaking}/health", timeout=60) as health:
        assert health.status == 200
