"""Width sweep: the size of activations against width, the coordinate check of an initialisation."""

from __future__ import annotations

from html import escape

import streamlit as st

from core import charts
from core.maps.landscape import Landscape
from core.maps.words import engines
from core.sweep.coordinate_check import CoordinateCheck, Slope, checked
from pages.controls import state
from pages.figures.chart import show
from pages.maps import on_screen, refining, width_controls, words
from pages.maps.refining import Seen
from pages.maps.width_controls import DEFAULT, PAGE
from pages.words import page

_COLUMNS = ("slope", "standard error", "in words")


def _cells(slope: Slope) -> tuple[str, str, str]:
    return f"{slope.slope:z.3f}", f"{slope.standard_error:.3f}", slope.in_words


def _table(check: CoordinateCheck) -> None:
    """The exponent of every layer."""
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    rows = "".join(
        f'<tr><th scope="row">layer {each.layer}</th>'
        + "".join(
            f'<td data-label="{column}">{escape(text)}</td>'
            for column, text in zip(_COLUMNS, _cells(each), strict=True)
        )
        + "</tr>"
        for each in check.slopes
    )
    st.html(
        f"""<div class="gi-table"><table><caption>Slope of log rms against log n: 0 is flat,
        ½ grows as √n. By least squares over all networks, with a term in 1/n for what a finite
        width does</caption><thead><tr>
        <th scope="col">Layer</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"""
    )


def _draw(landscape: Landscape, seen: Seen) -> None:
    """The sizes as far as they are known."""
    if seen.state == "refused":
        st.error(seen.problem)
        if seen.result is None:
            return
    check = checked(seen.result or landscape.blank())
    words.say(check.sentence)
    show(charts.size_against_width(check), key="coordinate", urgent=True)


def _page() -> None:
    state.adopt_link(PAGE)
    on_screen.adopt_link(PAGE, DEFAULT, width_controls.shape_problems)
    experiment, refused = state.current()
    landscape = on_screen.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        width_controls.controls(landscape)
    with left:
        page.warn(refused + state.link_problems(experiment))
        seen = refining.look(landscape)
        _draw(landscape, seen)
        refining.button(landscape, seen)
    if seen.result:
        check = checked(seen.result)
        _table(check)
        notes = [] if seen.state == "going on" else check.notes  # now, much has no size yet
        page.paragraphs([*notes, engines(seen.result)])
    width_controls.rest()
    words.link(landscape, DEFAULT)
    on_screen.write(landscape, DEFAULT)
    refining.come_back(seen)


page.style()
page.steady_style()
st.html("<h1 class='gi-title'>Make the network wider: do its activations keep their size?</h1>")
_page()
