"""Width sweep: sizes of activations and gradients against width, the coordinate check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

import streamlit as st

from core import charts
from core.maps.words import engines
from core.sweep import SweepResult
from core.sweep.coordinate_check import SIZES, CoordinateCheck, Slope, checked
from core.text import typeset
from pages.controls import arrival, state
from pages.figures.chart import show
from pages.maps import on_screen, refining, width_controls, words
from pages.maps.refining import MapView
from pages.maps.width_controls import DEFAULT, PAGE
from pages.words import page, table

_COLUMNS = dict.fromkeys(("slope", "standard error", "in words"), "")
_CAPTION = (
    "slope of its logarithm against log n; 0 is flat, ½ grows as √n. By least squares over all "
    "networks, with a term in 1/n for the effect of a finite width."
)


def _table(check: CoordinateCheck, others: Mapping[str, SweepResult | None]) -> None:
    """Draw the exponent of every layer, and beside it those of the other sizes."""
    slopes = {name: _slopes(result) for name, result in others.items()}
    columns = _COLUMNS | {f"{SIZES[name].name}: slope": SIZES[name].help for name in slopes}
    rows = [_row(check, slope, slopes.values()) for slope in check.slopes]
    table.show(f"{check.size.title}: {_CAPTION}", "Layer", columns, rows)


def _slopes(result: SweepResult | None) -> dict[int, str]:
    """Layer -> the slope of another size, where it is known."""
    found = checked(result).slopes if result else ()
    return {slope.layer: slope.text for slope in found}


def _row(
    check: CoordinateCheck, slope: Slope, others: Iterable[dict[int, str]]
) -> tuple[str, tuple[str, ...]]:
    exponent = f"{slope.slope:z.3f}".replace("-", "−")
    texts = [exponent, f"{slope.standard_error:.3f}", slope.in_words]
    texts += [each.get(slope.layer, table.NOTHING) for each in others]
    return check.size.place(slope.layer), tuple(typeset(escape(text)) for text in texts)


def _draw(view: MapView) -> None:
    """Draw the sizes as far as they are known."""
    refining.refusal(PAGE, view)
    if view.state == "refused" and view.result is None:
        return
    check = checked(view.result or view.landscape.blank())
    words.say(check.sentence)
    show(charts.size_against_width(check), key="coordinate", urgent=True)


def _page() -> None:
    arrival.adopt_link(PAGE)
    on_screen.adopt_link(PAGE, DEFAULT, width_controls.shape_problems)
    experiment, refused = state.current()
    landscape = on_screen.current(PAGE, experiment)
    left, right = st.columns([3, 1], gap="medium")
    with right:
        width_controls.controls(landscape)
    with left:
        page.warn(refused + arrival.link_problems(experiment))
        view = refining.view_of(PAGE, landscape)
        _draw(view)
        refining.button(landscape, view, ("width", "layer"))
    others = refining.beside(view, width_controls.others(view.landscape))
    if view.result:
        check = checked(view.result)
        _table(check, others)
        # The notes tell which sizes are missing; meanwhile most are only not computed yet.
        notes = [] if view.state == "going on" else check.notes
        page.paragraphs([*notes, engines(view.result)])
    width_controls.rest()
    words.link(landscape, DEFAULT, view)
    on_screen.write_address(landscape, DEFAULT)
    refining.refresh_until_settled(view, others.values())


page.style()
page.steady_style()
st.html("<h1 class='gi-title'>Make the network wider: do signal and gradient keep their size?</h1>")
_page()
