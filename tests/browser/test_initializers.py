"""Initialisers that a viewer types, and the card beside PyTorch's own."""

import numpy as np
import pytest
from playwright.sync_api import expect

from core import Experiment, propagate
from tests.browser.on_screen import (
    copied_link,
    curve,
    experiment_of,
    query_of,
    scrolls_one_way,
    seen,
    settled,
    type_value,
    visit,
)
from tests.browser.test_accessibility import VIEWS, nothing_found

BASE = {"width": "64", "depth": "20", "weights": "fresh", "activation": "relu"}
DEFAULT = BASE | {"init": "torch_linear"}
SIX_DIGITS = 1e-5


def chosen(page, text):
    """Type an initialiser, and wait for its run."""
    box = type_value(page, "Initialiser", text)
    settled(page)
    return box


@pytest.mark.parametrize(
    "text, name",
    [
        ("torch_trunc_normal(0.2)", "torch_trunc_normal(0.2)"),
        ("sparse(0.5)", "sparse(kept=0.5)"),
        ("lsuv_bias", "lsuv_bias"),
    ],
)
def test_a_typed_initialiser_is_run_and_its_link_shows_the_same(page, visitor, address, text, name):
    visit(page, address, **BASE)
    chosen(page, text)
    e = Experiment.from_query(BASE | {"init": name})[0]
    assert experiment_of(page) == e and query_of(page)["init"] == name
    assert curve(page) == pytest.approx(np.array(propagate(e).stats.std).tolist(), rel=SIX_DIGITS)
    other = visitor()
    other.goto(copied_link(page))
    settled(other)
    assert seen(other) == seen(page)
    assert page.problems == other.problems == []


def test_an_initialiser_that_is_not_accepted_is_told(page, address):
    visit(page, address, **BASE)
    chosen(page, "sparse(sparsity=0.9)")
    told = page.locator(".gi-problems")
    expect(told).to_contain_text("the number of sparse is called kept")
    assert page.problems == []


def opened(card, label, visitor, address):
    """Another viewer's page at the address that a link of the card leads to."""
    link = card.get_by_role("link", name=label, exact=True)
    expect(link).to_have_attribute("target", "_blank")
    page = visitor()
    page.goto(f"{address}/{link.get_attribute('href')}")
    settled(page)
    expect(page.locator(".gi-problems")).to_have_count(0)
    return page


def test_the_card_of_the_default_opens_each_case(page, visitor, address):
    visit(page, address, **DEFAULT)
    card = page.locator(".st-key-torch_default")
    expect(card).to_contain_text("× 0.408")
    for label, changes in {
        "without biases": {},
        "with its biases": {"bias_std": "1/√(3n)"},
        "two inputs": {"bias_std": "1/√(3n)", "batch_size": "2"},
        "critical weights instead": {"init": "critical"},
    }.items():
        tab = opened(card, label, visitor, address)
        assert experiment_of(tab) == Experiment.from_query(DEFAULT | changes)[0]
        assert tab.problems == []
    assert page.problems == []


def test_the_page_on_the_square_root_of_five_opens_its_cases(page, visitor, address):
    visit(page, address, **DEFAULT)
    card = page.locator(".st-key-torch_default")
    card.get_by_text("Why a = √5?").click()
    expect(card.get_by_role("heading", name="Why it is so")).to_be_visible()
    expect(card.get_by_role("table")).to_have_count(4)
    e = experiment_of(opened(card, "GELU, with bias", visitor, address))
    bias = (1 / (3 * 512)) ** 0.5
    assert (e.init, e.activation, e.depth, e.bias_std) == ("torch_linear", "gelu", 50, bias)
    assert page.problems == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_card_and_its_page_fit_the_window_and_axe_finds_nothing(visitor, address, view):
    page = visit(visitor(**VIEWS[view]), address, **DEFAULT)
    card = page.locator(".st-key-torch_default")
    card.get_by_text("Why a = √5?").click()
    tables = card.get_by_role("table")
    expect(tables).to_have_count(4)
    width = card.bounding_box()["x"] + card.bounding_box()["width"]
    for place in range(4):
        box = tables.nth(place).bounding_box()
        assert box["x"] + box["width"] <= width
    scrolls_one_way(page, VIEWS[view]["viewport"]["width"])
    nothing_found(page)
