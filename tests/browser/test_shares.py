"""The chart of fractions on Explore: the shares of units, by measurement and by theory."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.on_screen import choose, drawn, visit

RELU = {"width": 64, "depth": 12, "init": "kaiming_normal", "activation": "relu"} | {
    "weights": "fresh",
    "batch_size": 4,
}
PHONE = {"width": 390, "height": 844}


def fractions(page):
    return page.get_by_role("figure", name="Fractions of the elements per layer")


def legend(page):
    return fractions(page).locator(".legendtext").all_text_contents()


@pytest.mark.parametrize("size", [None, PHONE], ids=["laptop", "phone"])
def test_the_chart_names_every_share_and_theory(page, address, size):
    if size:
        page.set_viewport_size(size)
    visit(page, address, **RELU)
    names = ["non-finite", "zero", "near zero", "dead", "mean²", "width → ∞"]
    assert legend(page) == names
    figure = fractions(page)
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    for name in figure.locator(".legendtext").all():  # none is cut off or scrolled away
        place = name.bounding_box()
        assert box["x"] <= place["x"] and place["y"] >= box["y"]
        assert place["x"] + place["width"] <= box["x"] + box["width"]
    plot = figure.locator(".gridlayer").first.bounding_box()
    assert plot["height"] > 80  # pixels are left for the curves
    assert page.problems == []


def test_another_activation_shows_its_own_shares(page, address):
    visit(page, address, **RELU)
    page.locator("summary", has_text="More: activation").click()
    choose(page, "Activation", "tanh")
    drawn(page)
    expect(fractions(page)).to_have_attribute("aria-label", re.compile("saturated"))
    assert "saturated" in legend(page) and "dead" not in legend(page)
    assert page.problems == []


def test_a_class_that_is_not_shown_theory_sees_no_dashes(page, address):
    visit(page, address, **RELU, hide="theory")
    assert "dead" in legend(page) and "width → ∞" not in legend(page)
    assert page.problems == []
