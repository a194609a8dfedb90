"""Activations that a viewer types: a formula in x, or a name with a number."""

import numpy as np
import pytest
from playwright.sync_api import expect

from core import Experiment, propagate
from tests.browser.on_screen import (
    choose,
    copied_link,
    curve,
    experiment_of,
    query_of,
    seen,
    settled,
    type_value,
    until,
    visit,
)
from tests.browser.test_number_formats import faults
from tests.browser.test_phase_diagram import cells, landscape, whole

FORMULA = "x*sigmoid(1.702*x)"
BASE = {"width": "64", "depth": "20", "init": "critical", "weights": "fresh"}


def choose_also(page, box, text):
    """Type one more value into a list of values."""
    box.scroll_into_view_if_needed()
    box.click()
    box.fill(text)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")


def test_a_typed_formula_is_run_and_its_link_shows_another_viewer_the_same(page, visitor, address):
    visit(page, address, **BASE)
    type_value(page, "Activation", FORMULA)
    expect(page.locator(".gi-card")).to_contain_text(FORMULA)
    settled(page)
    e = Experiment.from_query(BASE | {"activation": FORMULA})[0]
    assert experiment_of(page) == e
    assert curve(page) == pytest.approx(
        np.array(propagate(e).stats.std).tolist(), rel=1e-5
    )  # six digits
    expect(page.locator(".gi-card")).to_contain_text("1.539")  # 1/√E φ²
    expect(page.locator(".gi-card")).to_contain_text("1.709")  # 1/std φ
    other = visitor()
    other.goto(copied_link(page))
    settled(other)
    assert seen(other) == seen(page)
    assert page.problems == other.problems == []


def test_a_formula_that_is_refused_is_told_beside_the_control_and_nothing_changes(page, address):
    visit(page, address, activation=FORMULA, **BASE)
    before = seen(page)
    for text, why in (
        ("x*foo(x)", "'foo' is not allowed; allowed are numbers, x, pi"),
        ("exp(x)", "φ must be finite for every x, got inf"),
        ("leaky_relu(20)", "negative_slope of leaky_relu must be from -10 to 10, got 20"),
        ("<img src=x onerror=alert(1)>", "it is no formula"),
    ):
        box = type_value(page, "Activation", text)
        told = page.locator(".gi-problems")
        expect(told).to_contain_text(why)
        expect(told).to_contain_text(f"{FORMULA} stays")
        assert told.bounding_box()["y"] > box.bounding_box()["y"]
        expect(box).to_have_value(text)  # to be mended
        expect(page.get_by_role("combobox", name="Activation")).to_have_value(FORMULA)
        settled(page)
        assert seen(page) == before
        assert experiment_of(page).activation == FORMULA
    page.get_by_role("button", name="0.1", exact=True).click()
    expect(page.locator(".gi-problems")).to_have_count(0)
    assert page.problems == []


def test_a_formula_that_begins_as_the_one_on_screen_is_taken_whole(page, address):
    visit(page, address, activation="tanh", **BASE)
    for text in ("tanh(2*x)", "tanh(2*x)+0.1*x"):
        type_value(page, "Activation", text)
        settled(page)
        assert experiment_of(page).activation == text
    page.get_by_role("combobox", name="Activation").scroll_into_view_if_needed()
    choose(page, "Activation", "ReLU")
    expect(page.get_by_role("textbox", name="Activation, typed")).to_have_value("")
    settled(page)
    assert experiment_of(page).activation == "relu"
    assert page.problems == []


def test_a_formula_is_a_value_of_a_map(page, address):
    query = {"x": "scale=0.5..2:3", "y": "activation=tanh,relu", "width": "32", "depth": "8"}
    landscape(page, address, **query, weights="fresh", init="critical", measure="log2_rms")
    chosen = page.get_by_role("combobox", name="Activation: values on the map")
    choose_also(page, chosen, FORMULA)
    until(page, "document.querySelector('.gi-plot')?.data?.[0]?.y?.length === 3")
    whole(page)
    assert query_of(page)["y"] == f"activation=tanh,relu,{FORMULA}"
    assert None not in cells(page)[1][2]
    choose_also(page, chosen, "x*foo(x)")
    expect(page.locator(".gi-problems")).to_contain_text("'foo' is not allowed")
    assert query_of(page)["y"] == f"activation=tanh,relu,{FORMULA}"
    assert faults(page) == []
