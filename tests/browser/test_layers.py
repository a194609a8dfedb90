"""Layers with a name: the picture follows the finger, and their equation is typeset."""

import re

import pytest
from playwright.sync_api import expect

from core import Experiment
from core.question.presets import PRESETS
from tests.browser.on_screen import drawn, experiment_of, followed, settled, shows, visit
from tests.browser.test_live import (
    assert_close,
    measured,
    previewed,
    slider_input,
    slider_value,
    the_gradient_follows,
)

SMALL = {"width": 16, "depth": 30}


def choose(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    settled(page)


def as_asked(name, slider, value):
    """The experiment of a preset with a slider elsewhere; what follows the depth follows it."""
    sizes = SMALL | ({slider: int(value)} if slider in SMALL else {})
    e = PRESETS[name].applied(Experiment(**sizes))
    return e if slider in SMALL else e.replace(**{slider: float(value)})


@pytest.mark.parametrize("slider", ["width", "depth", "scale"])
@pytest.mark.parametrize("name", ["ResNet", "post-norm", "BatchNorm", "GPT-2"])
def test_a_drag_shows_the_run_of_the_layer_that_is_on_screen(page, address, dragging, name, slider):
    visit(page, address, **SMALL)
    choose(page, name)
    with dragging(slider, 0.06):
        shows(page, "measured")
        followed(page, slider)
        value, seen = slider_value(page, slider), previewed(page)
        e = as_asked(name, slider, value)
        assert_close(seen, measured(e), 1e-12)  # the same run: only a logarithm lies between
        the_gradient_follows(page, e)
    settled(page)
    assert experiment_of(page) == e
    assert page.problems == []


@pytest.mark.parametrize("unfolded", [False, True])
def test_a_branch_scale_that_follows_the_depth_does_so_while_it_moves(
    page, address, dragging, unfolded
):
    visit(page, address, **SMALL)
    choose(page, "GPT-2")
    if unfolded:
        page.locator("summary", has_text="Its parts").click()
        expect(slider_input(page, "branch_scale")).to_have_attribute("aria-valuetext", "1/√(2L)")
        drawn(page)
    with dragging("depth", -0.05):
        followed(page, "depth")
        assert_close(
            previewed(page),
            measured(as_asked("GPT-2", "depth", slider_value(page, "depth"))),
            1e-12,
        )
    settled(page)
    with dragging("depth", 0.1):  # and from another depth, where the page has runs of the first
        followed(page, "depth")
        value = slider_value(page, "depth")
        assert_close(previewed(page), measured(as_asked("GPT-2", "depth", value)), 1e-12)
    settled(page)


def test_a_branch_scale_is_dragged_too(page, address, dragging):
    visit(page, address, **SMALL)
    choose(page, "pre-norm")
    page.locator("summary", has_text="Its parts").click()
    page.locator(".st-key-branch_scale").scroll_into_view_if_needed()
    settled(page)
    with dragging("branch_scale", -0.2):
        shows(page, "measured")
        followed(page, "branch_scale")
        value, seen = float(slider_value(page, "branch_scale")), previewed(page)
    settled(page)
    assert_close(seen, measured(as_asked("pre-norm", "branch_scale", value)), 1e-12)


def test_the_equation_of_every_preset_is_typeset_and_the_chart_stays_on_the_first_screen(
    page, address
):
    visit(page, address, **SMALL)
    for name in PRESETS:
        choose(page, name)
        equation = page.locator(".st-key-equation")
        expect(equation.locator(".katex")).to_have_count(1)
        expect(equation.locator(".katex-error")).to_have_count(0)
        chart = page.locator(".gi-figure").first.bounding_box()
        assert chart["y"] + chart["height"] <= 900
        box = equation.bounding_box()
        assert box["y"] + box["height"] <= chart["y"] + 30  # within the margin above the curves
    assert page.problems == []


def test_every_field_goes_along_to_the_other_pages_and_back(page, address):
    e = Experiment(width=16, depth=8, branch="mlp", expansion=2, skip="identity", seed=3)
    e = e.replace(branch_scale=(1 / 16) ** 0.5, norm="batch", norm_place="inside", batch_size=4)
    e = e.replace(input="pixels", input_scale=2.0, scale=0.3, activation="tanh")
    visit(page, address, **e.to_query())
    places = {"Number formats": "number-formats", "Phase diagram": "phase-diagram"}
    for title, place in places.items():
        page.get_by_role("link", name=title, exact=True).click()
        expect(page).to_have_url(re.compile(f"/{place}.*norm_place=inside"))
        assert experiment_of(page) == e
    page.get_by_role("link", name="Explore", exact=True).click()
    expect(page).to_have_url(re.compile(r"/\?.*norm_place=inside"))
    settled(page)
    assert experiment_of(page) == e
    assert page.problems == []
