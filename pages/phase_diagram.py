"""Phase diagram: two fields varied, and where signals explode, vanish and hold."""

from __future__ import annotations

import streamlit as st

from core import charts
from core.borders import Border
from core.sweep.link import Landscape
from core.sweep.words import summary
from pages import _controls, _landscape, _map_cell, _map_controls, _map_words, _sweeping, _words
from pages._chart import show
from pages._map_controls import DEFAULT, PAGE
from pages._sweeping import Seen

_HINT = "Click a cell to open it in Explore; on a touch screen, tap it twice."


def _map(landscape: Landscape, seen: Seen, problems: list[str]) -> list[Border]:
    """The map as far as it is known, in a frame that is there from the start."""
    _words.warn(problems)
    if seen.state == "refused":
        st.error(seen.problem)
        return []
    result = seen.result or landscape.blank()
    borders = _sweeping.borders(landscape)
    _map_words.say(summary(result))
    show(
        charts.phase_diagram(result, borders),
        key="map",
        urgent=True,
        on_cell=_map_cell.opened(landscape),
    )
    return borders


def _page() -> None:
    _controls.adopt_link(PAGE)
    _landscape.adopt_link(PAGE, DEFAULT)
    _map_cell.open_clicked()
    experiment, refused = _controls.current()
    landscape = _landscape.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    below = st.container()
    with right:
        _map_controls.presets(landscape)
        _map_controls.controls(landscape)
    with left:
        seen = _sweeping.look(landscape)
        borders = _map(landscape, seen, refused + _controls.link_problems(experiment))
        progress = _map_words.progress(landscape, seen, _HINT)
    with below:
        if seen.result:
            _map_words.explained(landscape, seen.result, borders)
            _map_cell.chooser(landscape, seen.result)
        _map_controls.rest(landscape)
        _map_words.link(landscape, DEFAULT)
    _landscape.write(landscape, DEFAULT)
    if seen.state == "going on":
        _sweeping.go_on(landscape, progress)


_words.style()
st.html(
    "<h1 class='gi-title'>Ten thousand networks at once: where does a signal explode, "
    "vanish or hold?</h1>"
)
_page()
