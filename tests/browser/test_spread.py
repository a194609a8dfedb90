"""Law and luck on the screen: bands that follow the finger, the fan, the histogram."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from core import Experiment
from core.theory.finite_width import predict
from tests.browser.on_screen import (
    drawn,
    eventually,
    followed,
    query_of,
    scrolls_one_way,
    settled,
    shows,
    visit,
)

PHONE = {"width": 390, "height": 844}
FRESH = {"weights": "fresh", "width": "64", "depth": "30"}
MEDIAN = """document.querySelector('.gi-spread').children[2].getAttribute('d')"""
PLACES = """log2 => {
  const { xaxis, yaxis, _size: { l, t } } = document.querySelector('.gi-plot')._fullLayout;
  return log2.map((y, k) => [l + xaxis.d2p(k), t + yaxis.l2p(y * Math.log10(2))]);
}"""


def ends(page):
    return page.get_by_role("figure", name="Histogram of the iteration")


def names(page):
    return page.evaluate("document.querySelector('.gi-plot').data.map(({ uid }) => uid)")


def scale_now(page):
    text = page.locator('.st-key-scale input[type="range"]').get_attribute("aria-valuetext")
    return float(text)


def test_bands_follow_the_finger_as_the_law_says(page, address, dragging):
    visit(page, address, depth="40")
    with dragging("scale", -0.1):
        shows(page, "exact")
        followed(page, "scale")
        path, scale = page.evaluate(MEDIAN), scale_now(page)
        law = predict(Experiment(depth=40, scale=scale)).log2_std_quantiles[0.5]
        wanted = page.evaluate(PLACES, law.tolist())
        points = [[float(each) for each in point.split(",")] for point in path[1:].split("L")]
        assert scale < 0.5 and len(points) == 41
        np.testing.assert_allclose(points, wanted, atol=0.3)  # pixels
        expect(page.locator(".gi-preview .gi-predicted")).to_have_text("")
    settled(page)
    assert {"median", "band90low", "std"} <= set(names(page))
    expect(page.locator(".gi-predicted")).to_contain_text("predicted ")
    assert page.problems == []


def test_another_width_has_no_bands_until_the_answer_is_there(page, address, dragging):
    visit(page, address, depth="30", weights="fresh", scale="0.1")
    with dragging("width", -0.3):
        shows(page, "measured")
        assert page.locator(".gi-spread").first.evaluate("node => node.style.display") == "none"
    settled(page)
    assert page.problems == []


def test_the_switch_shows_the_fan_and_the_histogram_and_the_address_has_it(page, address, visitor):
    visit(page, address, **FRESH, scale="100")
    expect(ends(page)).to_be_visible()
    page.get_by_text("256 networks", exact=True).click()
    expect(page.locator(".gi-plot").first).to_contain_text("256 networks: 5, 50, 95 %")
    drawn(page)
    assert query_of(page)["ensemble"] == "true"
    totals = "plot => plot.data.map(({ name, y }) => [name, y.reduce((a, b) => a + b)])"

    def both():
        bars = ends(page).locator(".gi-plot").evaluate(totals)
        assert [name for name, _ in bars] == ["predicted", "in 256 networks"]
        assert all(total == pytest.approx(1, abs=0.02) for _, total in bars)

    eventually(both)
    other = visitor()
    other.goto(page.url)
    drawn(other)
    expect(other.locator(".gi-plot").first).to_contain_text("256 networks: 5, 50, 95 %")
    drawn(other)
    assert names(other) == names(page)
    assert page.problems == other.problems == []


def test_where_no_law_is_known_the_bands_come_after_the_curve(page, address):
    visit(page, address, activation="relu", scale="√(2/n)", width="500")
    expect(page.locator(".gi-expected")).to_contain_text("Sampled in 64 networks")
    expect(page.locator(".gi-plot").first).to_contain_text(
        "measured: median, half, nine in ten networks"
    )
    drawn(page)
    assert "median" in names(page) and "fan" not in names(page)
    assert page.problems == []


def test_a_phone_has_room_for_all_of_it(visitor, address):
    page = visitor(viewport=PHONE, has_touch=True, is_mobile=True)
    visit(page, address, **FRESH, scale="100", ensemble="true")
    scrolls_one_way(page, PHONE["width"], page.get_by_role("figure"))
    expect(page.locator(".gi-predicted")).to_contain_text(re.compile(r"predicted \d+ \("))
    assert page.problems == []
