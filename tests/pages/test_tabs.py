"""Each page names the browser's tab, so that tabs and history can be told apart."""

import pytest
import streamlit
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.papers import blank
from pages.work import answers
from tests.serving import ROOT

PAGES = {
    "": ({"width": "8", "depth": "3"}, "Explore - Good Init"),
    "lesson": ({"step": "not-equal"}, "Lesson 3: NaN is not NaN - Good Init"),
    "number-formats": ({"width": "8", "depth": "3"}, "Number formats - Good Init"),
    "phase-diagram": ({}, "Phase diagram - Good Init"),
    "width-sweep": ({}, "Width sweep - Good Init"),
    "papers": ({}, "Papers - Good Init"),
    "your-model": ({"model": "lenet"}, "Your model - Good Init"),
    "guess": ({}, "Guess - Good Init"),
}


def tab_names(monkeypatch, path, query):
    """The names that the tab gets while the whole app, with its menu, draws a page."""
    named = []
    monkeypatch.setattr(
        streamlit,
        "set_page_config",
        lambda page_title=None, **more: named.append(page_title) if page_title else None,
    )
    # Before it has run once, Streamlit's test would take the folder "pages" for the menu.
    begin = PagesManager.__init__

    def begin_with_the_menu(self, *arguments, **more):
        begin(self, *arguments, **more)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_with_the_menu)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at._page_hash = calc_hash(path)
    for name, text in query.items():
        at.query_params[name] = text
    at.run()
    assert not at.exception
    return named


@pytest.mark.parametrize("path", PAGES)
def test_every_page_names_its_tab_and_gives_it_no_other_name_meanwhile(monkeypatch, path):
    monkeypatch.setattr(answers, "_reproduced", blank)  # no row is still measured at the end
    query, title = PAGES[path]
    assert set(tab_names(monkeypatch, path, query)) == {title}


def test_the_name_of_a_step_has_the_depth_that_its_question_has(monkeypatch):
    named = tab_names(monkeypatch, "lesson", {"depth": "20"})
    assert named == ["Lesson 1: 20 products - Good Init"]
