"""Phase diagram: where signals explode, vanish and hold as two fields vary."""

from __future__ import annotations

import streamlit as st

from core import charts
from core.maps.words import summary
from pages.controls import arrival, state
from pages.figures.chart import show
from pages.maps import cell, controls, on_screen, presets, refining, words
from pages.maps.presets import DEFAULT, FIRST, PAGE
from pages.maps.refining import MapView
from pages.words import page


def _draw(view: MapView) -> None:
    """Draw the map as far as it is known; its frame is there from the start."""
    refining.refusal(PAGE, view)
    if view.state == "refused" and view.result is None:
        return
    result = view.result or view.landscape.blank()
    words.say(summary(result))
    show(
        charts.phase_diagram(result, view.borders or ()),
        key="map",
        urgent=True,
        on_cell=cell.on_click(view.landscape),
    )


def _page() -> None:
    arrival.adopt_link(PAGE)
    on_screen.adopt_link(PAGE, DEFAULT, first=FIRST)
    cell.open_clicked()
    experiment, refused = state.current()
    landscape = on_screen.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        presets.buttons(landscape)
        controls.controls(landscape)
    with left:
        page.warn(refused + arrival.link_problems(experiment))
        view = refining.view_of(PAGE, landscape, bordered=True)
        _draw(view)
        refining.button(landscape, view)
    if view.result:
        cell.chooser(view.landscape, view.result)
        words.explained(view)
    controls.rest(landscape)
    words.link(landscape, DEFAULT, view)
    on_screen.write_address(landscape, DEFAULT)
    refining.refresh_until_settled(view)


page.style()
page.steady_style()
st.html(
    "<h1 class='gi-title'>Thousands of networks at once: where does a signal explode, "
    "vanish or hold?</h1>"
)
_page()
