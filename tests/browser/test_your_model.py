"""The page that checks a model, on the screen: its ladder, its link, and a file that is dropped."""

import json
import re

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

from core.probe.check import check
from tests.browser.on_screen import choose, eventually, idle, listen, query_of, scrolls_one_way
from tests.browser.test_accessibility import VIEWS, found_in, nothing_found

QUICK = "model=mlp&mlp_depth=20&mlp_width=64&mlp_init=normal"
BOTH = f"{QUICK}&beside=factors"


def opened(page, address, query=QUICK):
    listen(page)
    page.goto(f"{address}/your-model?{query}")
    expect(page.locator(".gi-ladder").first).to_be_visible(timeout=30_000)
    idle(page)
    return page


def rungs(page):
    """The lines of the ladder that are on the page, folded ones left out."""
    return page.locator(".gi-ladder summary:visible")


@pytest.fixture(scope="module")
def report():
    """That of a model of one's own, with modules in modules."""
    torch.manual_seed(0)
    blocks = [nn.Sequential(nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 32)) for _ in range(20)]
    model = nn.Sequential(*blocks)
    for each in model.modules():
        if isinstance(each, nn.Linear):
            nn.init.normal_(each.weight)
    return check(model, torch.randn(16, 32))


def dropped(page, text, *, name="report.json", at=0):
    place = page.locator("input[type=file]").nth(at)
    place.set_input_files({"name": name, "mimeType": "application/json", "buffer": text.encode()})


def test_a_line_folds_out_into_its_numbers_and_its_picture(page, address):
    opened(page, address)
    rungs(page).first.click()
    more = page.locator(".gi-rung-more:visible")
    expect(more).to_have_count(1)
    expect(more).to_contain_text("output: rms, std")
    picture = more.locator("img")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")


def test_marks_stand_where_their_numbers_are(page, address):
    """Marks of one ladder are on a log axis: equal factors are equal distances."""
    opened(page, address)
    track = page.locator(".gi-ladder-head .gi-track span")
    ticks = {
        int(tick.inner_text()[2:].replace("−", "-")): tick.bounding_box() for tick in track.all()
    }
    (low, first), (high, last) = min(ticks.items()), max(ticks.items())
    middle = [box["x"] + box["width"] / 2 for box in (first, last)]
    for rung in rungs(page).all()[:12]:
        told = rung.locator(".gi-size b").first.inner_text().replace("−", "-")
        box = rung.locator(".gi-mark.gi-out").bounding_box()
        share = (box["x"] + box["width"] / 2 - middle[0]) / (middle[1] - middle[0])
        decade = low + share * (high - low)
        width = (middle[1] - middle[0]) / (high - low)  # pixels of a decade
        assert abs(10**decade / float(told) - 1) < 10 ** (1.5 / width) - 1 + 0.006


def test_the_link_follows_the_controls_and_opens_the_same(page, address):
    opened(page, address, "")
    choose(page, "Network", "LeNet-5")
    choose(page, "Weights", "N(0, 0.01²)")
    expect(page.locator(".gi-check-verdict").first).to_contain_text("vanishes")
    wanted = {"model": "lenet", "lenet_init": "small"}
    eventually(lambda: _same(query_of(page), wanted))
    page.reload()
    expect(page.locator(".gi-check-verdict").first).to_contain_text("vanishes")
    idle(page)
    _same(query_of(page), wanted)


def _same(found, wanted):
    assert {name: texts for name, texts in found.items() if name != "embed"} == wanted


def test_a_step_back_in_the_history_brings_the_page_back(page, address):
    opened(page, address, "model=lenet&lenet_init=small")
    page.get_by_role("link", name="Papers").first.click()
    expect(page.locator("details.gi-claim").first).to_be_visible(timeout=30_000)
    page.go_back()
    expect(page.locator(".gi-check-verdict").first).to_contain_text("vanishes", timeout=30_000)
    _same(query_of(page), {"model": "lenet", "lenet_init": "small"})


def test_a_report_of_ones_own_is_dropped_and_folded_as_its_modules_are(page, address, report):
    listen(page)
    page.goto(f"{address}/your-model?show=file")
    dropped(page, report.to_text())
    expect(page.locator(".gi-check-verdict").first).to_contain_text("saturates", timeout=30_000)
    shown = rungs(page).count()
    assert shown < 3 * 20  # folded, but where something was found
    group = page.locator("details.gi-group:not([open]) > summary").first
    group.click()
    assert rungs(page).count() == shown + 3


def test_a_hostile_file_is_words_and_runs_nothing(page, address, report):
    listen(page)
    seen = []
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    page.goto(f"{address}/your-model?show=file")
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    parts = json.loads(report.to_text())
    parts["evidence"]["model"] = evil
    for row in parts["evidence"]["rows"]:
        row["kind"] = evil
    dropped(page, json.dumps(parts))
    expect(page.locator(".gi-ladder").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    assert page.locator(".gi-ladder script, .gi-ladder img[src=x]").count() == 0
    assert "onerror" in page.locator(".gi-ladder").first.inner_text() and seen == []
    dropped(page, "not json", name="<b>.json")
    problem = page.locator(".gi-problems")
    expect(problem).to_contain_text("<b>.json is no report: the file must be JSON")


def test_the_report_is_kept_as_a_page_that_needs_no_network(page, address, tmp_path):
    opened(page, address)
    with page.expect_download() as download:
        page.get_by_role("button", name="Report as a page").click()
    path = tmp_path / "report.html"
    download.value.save_as(path)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    expect(page.locator(".gi-ladder").first).to_be_visible()
    away = [url for url in requests if not url.startswith(("file:", "data:"))]
    assert away == [] and page.title() == "Sequential: explodes - Good Init"
    nothing_found(page)


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_nothing_is_wider_than_the_screen(page, address, width):
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, address, BOTH)
    scrolls_one_way(page, width, page.locator(".gi-ladder").first)
    rungs(page).first.click()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(visitor, address, view):
    page = opened(visitor(**VIEWS[view]), address, BOTH)
    rungs(page).first.click()
    nothing_found(page)
    found_in(page, ".gi-rung-name small")


def test_the_keyboard_alone_folds_a_line_out(page, address):
    opened(page, address)
    rungs(page).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".gi-rung-more:visible")).to_have_count(1)
    assert re.match("Sequential|Linear", page.locator(".gi-rung-more dd").first.inner_text()[3:])
