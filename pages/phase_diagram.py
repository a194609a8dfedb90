"""Phase diagram: two fields varied, and where signals explode, vanish and hold."""

from __future__ import annotations

import streamlit as st

from core import charts
from core.sweep.link import Landscape
from core.sweep.words import summary
from pages import (
    _controls,
    _landscape,
    _map_cell,
    _map_controls,
    _map_words,
    _presets,
    _sweeping,
    _words,
)
from pages._chart import show
from pages._presets import DEFAULT, PAGE
from pages._sweeping import Seen


def _draw(landscape: Landscape, seen: Seen) -> None:
    """The map as far as it is known, in a frame that is there from the start."""
    if seen.state == "refused":
        st.error(seen.problem)
        if seen.result is None:
            return
    result = seen.result or landscape.blank()
    _map_words.say(summary(result))
    show(
        charts.phase_diagram(result, seen.borders or ()),
        key="map",
        urgent=True,
        on_cell=_map_cell.opened(landscape),
    )


def _page() -> None:
    _controls.adopt_link(PAGE)
    _landscape.adopt_link(PAGE, DEFAULT)
    _map_cell.open_clicked()
    experiment, refused = _controls.current()
    landscape = _landscape.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        _presets.buttons(landscape)
        _map_controls.controls(landscape)
    with left:
        _words.warn(refused + _controls.link_problems(experiment))
        seen = _sweeping.look(landscape, bordered=True)
        _draw(landscape, seen)
        _sweeping.button(landscape, seen)
    if seen.result:
        _map_cell.chooser(landscape, seen.result)
        _map_words.explained(landscape, seen)
    _map_controls.rest(landscape)
    _map_words.link(landscape, DEFAULT)
    _landscape.write(landscape, DEFAULT)
    _sweeping.come_back(seen)


_words.style()
_words.steady_style()
st.html(
    "<h1 class='gi-title'>Thousands of networks at once: where does a signal explode, "
    "vanish or hold?</h1>"
)
_page()
