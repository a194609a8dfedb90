"""Width sweep: the size of activations against width, the coordinate check of an initialisation."""

from __future__ import annotations

from html import escape

import streamlit as st

from core import charts
from core.coordinate_check import CoordinateCheck, Slope, checked
from core.sweep.link import Landscape
from core.sweep.words import engines
from pages import _controls, _landscape, _map_words, _sweeping, _width_controls, _words
from pages._chart import show
from pages._sweeping import Seen
from pages._width_controls import DEFAULT, PAGE

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
    _map_words.say(check.sentence)
    show(charts.size_against_width(check), key="coordinate", urgent=True)


def _page() -> None:
    _controls.adopt_link(PAGE)
    _landscape.adopt_link(PAGE, DEFAULT, _width_controls.shape_problems)
    experiment, refused = _controls.current()
    landscape = _landscape.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        _width_controls.controls(landscape)
    with left:
        _words.warn(refused + _controls.link_problems(experiment))
        seen = _sweeping.look(landscape)
        _draw(landscape, seen)
        _sweeping.button(landscape, seen)
    if seen.result:
        check = checked(seen.result)
        _table(check)
        notes = [] if seen.state == "going on" else check.notes  # now, much has no size yet
        _words.paragraphs([*notes, engines(seen.result)])
    _width_controls.rest()
    _map_words.link(landscape, DEFAULT)
    _landscape.write(landscape, DEFAULT)
    _sweeping.come_back(seen)


_words.style()
_words.steady_style()
st.html("<h1 class='gi-title'>Make the network wider: do its activations keep their size?</h1>")
_page()
