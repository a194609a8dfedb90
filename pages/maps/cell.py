"""One cell of a map: clicked, or chosen with sliders, and opened in Explore."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from core.maps.landscape import Landscape
from core.maps.words import cell, valued
from core.question.experiment import Experiment
from core.sweep import Axis, SweepResult
from core.text import typeset
from pages.controls import links

CLICKED = "_clicked_experiment"
"""Session key of the experiment that ``open_clicked`` opens."""


def on_click(landscape: Landscape) -> Callable[[Any], None]:
    """The callback of a click on a cell: it stores the experiment that ``open_clicked`` opens."""

    def store(place: Any) -> None:
        column, row = place["column"], place["row"]
        within = 0 <= column < len(landscape.x.values) and 0 <= row < len(landscape.y.values)
        if within:
            st.session_state[CLICKED] = landscape.experiment(column, row)

    return store


def open_clicked() -> None:
    """Go to Explore if a cell was clicked."""
    experiment = st.session_state.pop(CLICKED, None)
    if experiment is not None:
        st.switch_page("pages/explore.py", query_params=links.query_to_open(experiment))


def chooser(landscape: Landscape, result: SweepResult) -> None:
    """Draw sliders for a column and a row, their cell in words, and its link to Explore."""
    st.html(
        """<h2 class="gi-heading">One cell</h2><p class="gi-words">Click a cell of the map to open
        it in Explore; on a touch screen, tap it twice. Or choose it here.</p>"""
    )
    with st.container(horizontal=True, gap="medium", key="cell"):
        column = _place("x", landscape.x, landscape.base)
        row = _place("y", landscape.y, landscape.base)
    words = typeset(escape(cell(result, (column, row))))
    st.html(f'<p class="gi-words">{words}</p>')
    try:
        experiment = landscape.experiment(column, row)
    except ValueError:
        return
    links.explore_link("Open this cell in Explore", experiment)


def _place(letter: str, axis: Axis, base: Experiment) -> int:
    """Draw the slider over an axis; it begins at the controls' own value, or near to it.

    Returns:
        The index of the value.
    """
    places = list(range(len(axis.values)))
    key = f"cell_{letter}_{len(places)}"
    if st.session_state.get(key) not in places:
        st.session_state[key] = axis.nearest(getattr(base, axis.name))
    return st.select_slider(
        axis.parameter.label,
        places,
        st.session_state[key],
        key=key,
        format_func=lambda place: valued(axis, axis.values[place]).replace("*", "∗"),  # no Markdown
    )
