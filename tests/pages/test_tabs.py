"""Each page names the browser's tab, so that tabs and history can be told apart."""

import pytest
import streamlit

from tests.pages.test_explore import visited


@pytest.mark.parametrize(
    ("page", "query", "title"),
    [
        ("explore", {"width": "8", "depth": "3"}, "Explore - Good Init"),
        ("lesson", {"step": "not-equal"}, "Lesson 3: NaN is not NaN - Good Init"),
        ("lesson", {"depth": "20"}, "Lesson 1: 20 products - Good Init"),
        ("number_formats", {"width": "8", "depth": "3"}, "Number formats - Good Init"),
        ("phase_diagram", {}, "Phase diagram - Good Init"),
        ("width_sweep", {}, "Width sweep - Good Init"),
        ("guess", {}, "Guess - Good Init"),
    ],
)
def test_every_page_names_its_tab_and_only_once(monkeypatch, page, query, title):
    named = []
    monkeypatch.setattr(
        streamlit,
        "set_page_config",
        lambda page_title=None, **more: named.append(page_title) if page_title else None,
    )
    visited(f"pages/{page}.py", query)
    assert set(named) == {title}, "a title that changes while the page is drawn flickers"
