"""Phase diagram: two fields varied, and where signals explode, vanish and hold."""

from __future__ import annotations

import streamlit as st

from core import charts
from core.maps.landscape import Landscape
from core.maps.words import summary
from pages.controls import state
from pages.figures.chart import show
from pages.maps import cell, controls, on_screen, presets, refining, words
from pages.maps.presets import DEFAULT, PAGE
from pages.maps.refining import Seen
from pages.words import page


def _draw(landscape: Landscape, seen: Seen) -> None:
    """The map as far as it is known, in a frame that is there from the start."""
    if seen.state == "refused":
        st.error(seen.problem)
        if seen.result is None:
            return
    result = seen.result or landscape.blank()
    words.say(summary(result))
    show(
        charts.phase_diagram(result, seen.borders or ()),
        key="map",
        urgent=True,
        on_cell=cell.opened(landscape),
    )


def _page() -> None:
    state.adopt_link(PAGE)
    on_screen.adopt_link(PAGE, DEFAULT)
    cell.open_clicked()
    experiment, refused = state.current()
    landscape = on_screen.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        presets.buttons(landscape)
        controls.controls(landscape)
    with left:
        page.warn(refused + state.link_problems(experiment))
        seen = refining.look(landscape, bordered=True)
        _draw(landscape, seen)
        refining.button(landscape, seen)
    if seen.result:
        cell.chooser(landscape, seen.result)
        words.explained(landscape, seen)
    controls.rest(landscape)
    words.link(landscape, DEFAULT)
    on_screen.write(landscape, DEFAULT)
    refining.come_back(seen)


page.style()
page.steady_style()
st.html(
    "<h1 class='gi-title'>Thousands of networks at once: where does a signal explode, "
    "vanish or hold?</h1>"
)
_page()
