"""Explore: the repeated a @ x, its std per layer, and the iteration at which it breaks."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts
from core.devices import is_quick
from core.expectation import predicted_iteration
from core.experiment import Experiment
from core.pins import Pins, to_query
from core.propagate import Run
from core.records import layer_table
from core.snippet import to_script
from core.verdict import judge
from pages import (
    _activation_card,
    _address,
    _cached,
    _class_view,
    _controls,
    _live,
    _pins,
    _share,
    _spread,
    _words,
)
from pages._chart import show
from pages._class_view import ClassView
from pages._turns import TURNS


def _details(experiment: Experiment, device: str, run: Run) -> None:
    query = urlencode(experiment.to_query() | {"device": device})
    st.link_button("Download CSV", f"export.csv?{query}")
    link = st.expander("Copy link", key="link", on_change="rerun")
    script = st.expander("PyTorch script", key="script", on_change="rerun")
    table = st.expander("All layers as a table", key="table", on_change="rerun")
    if link.open:
        link.code(
            _controls.link(experiment, to_query(_pins.kept()) | _spread.to_query()),
            language=None,
            wrap_lines=True,
        )
    if script.open:
        script.code(to_script(experiment), language="python")
    if table.open:
        table.dataframe(layer_table(run), hide_index=True)


def _is_quick(experiment: Experiment, pins: Pins) -> bool:
    """Whether it, all that is kept beside it and the networks around it are done at once."""
    runs = all(is_quick(each) for each in (experiment, *pins.values()))
    is_told = _class_view.current().shows("theory")
    return runs and (not is_told or _spread.is_quick(experiment))


def _first_screen(
    experiment: Experiment,
    pins: Pins,
    expected: _spread.Expected,
    device: str,
    problems: list[str],
) -> tuple[Run | None, dict[str, Run | str]]:
    """The main chart; its run, None if the host refuses it, and those of the pins."""
    _words.warn(problems)
    bar = st.empty()
    progress = _cached.Progress(bar, "Multiplying…")
    found = _pins.measured(pins, device, progress)
    try:
        run = _cached.run(experiment, device, progress)
    except ValueError as error:
        bar.error(str(error))
        return None, found
    progress.done()
    figure = charts.std_per_layer(
        run,
        _pins.drawn(experiment, pins, found),
        bands=expected.bands,
        ensemble=expected.ensemble,
    )
    view = _class_view.current()
    if not view.shows("verdict"):
        figure = charts.unanswered(figure)
    if view.on_projector:
        figure = charts.enlarged(figure)
    show(figure, key="std", urgent=True, live=_live.description(run))
    return run, found


class _Places(NamedTuple):
    """Where things go: beside each other, or on a projector below each other."""

    answer: DeltaGenerator
    chart: DeltaGenerator
    controls: DeltaGenerator


def _places(on_projector: bool) -> _Places:
    if on_projector:
        answer, chart = st.container(), st.container()
        clicker = st.container(key="clicker", horizontal=True, vertical_alignment="bottom")
        return _Places(answer, chart, clicker)
    left, right = st.columns([3, 1], gap="medium")
    with left:
        return _Places(st.container(), st.container(), right)


def _has_switch(view: ClassView) -> bool:
    return view.shows("ensemble") and view.shows("theory") and not view.on_projector


def _controls_of(view: ClassView, places: _Places) -> DeltaGenerator:
    """The controls that are shown; returns where an ensemble says how far it is."""
    with places.controls:
        _controls.main_controls(view.shows)
        progress = _spread.switch() if _has_switch(view) else st.empty()
    if view.shows("more") and not view.on_projector:
        _controls.more_controls()
    return progress


def _rest(experiment: Experiment, device: str, run: Run) -> None:
    """Everything below the first screen but theory and verdict."""
    left, right = st.columns(2)
    with left:
        means = charts.mean_per_layer(run)
        is_told = _class_view.current().shows("verdict")
        show(means if is_told else charts.unanswered(means), key="mean")
    with right:
        show(charts.fractions_per_layer(run), key="fractions")
    show(charts.distribution_per_layer(run), key="distribution")
    _activation_card.card(experiment)
    _details(experiment, device, run)


def _explore(*, in_fragment: bool) -> None:
    with TURNS.turn():
        _page(in_fragment=in_fragment)


def _page(*, in_fragment: bool) -> None:
    _adopt_link()
    experiment, refused = _controls.current()
    pins, view = _pins.kept(), _class_view.current()
    if view.on_projector:
        _words.projector_style()
    quick = _is_quick(experiment, pins)
    if quick != in_fragment:
        st.rerun()
    device = _controls.current_device()
    places = _places(view.on_projector)
    # A quick run is drawn before the controls are sent again; a long one must not hide them.
    progress = None if quick else _controls_of(view, places)
    problems = refused + _controls.link_problems(experiment)
    with places.chart:
        expected = _spread.expected(experiment, is_told=view.shows("theory"))
        problems += expected.problems
        run, found = _first_screen(experiment, pins, expected, device, problems)
    if quick:
        _controls_of(view, places)
        if _controls.current()[0] != experiment:  # the browser went back: the address had the say
            st.rerun()
    with places.controls:
        if view.shows("pins") and not view.on_projector:
            _pins.controls(experiment, pins, found)
        beside = to_query(pins) | view.to_query()
        if not view.on_projector:
            _share.button(experiment, beside | _spread.to_query())
        _class_view.projector_button()
        own = _controls.unbound()
        owned = ("pin_*", *_class_view.OWNED, *own)
        _address.write(owned, beside | own, experiment.to_query())
    if run is None:
        return
    verdict = judge(run) if view.shows("verdict") else None
    if verdict:
        with places.answer:
            _words.answer(verdict, run, predicted_iteration(expected.prediction))
    if not view.on_projector:
        if view.shows("theory"):
            _spread.beside(run, expected)
        if verdict:
            _words.torch_checks(verdict, run)
        if view.shows("details"):
            _rest(experiment, device, run)
    _spread.catch_up(experiment, expected, progress)


def _adopt_link() -> None:
    _controls.adopt_link("explore")
    _pins.adopt_link()
    _spread.adopt_link()
    _class_view.adopt_link()


_words.style()
st.html(
    "<h1 class='gi-title'>Push x through many layers <code>x = a @ x</code>: "
    "does it explode, vanish or hold?</h1>"
)
_class_view.hear_keys()
_adopt_link()
# A fragment redraws only itself, which is quicker; but nothing ends it before its time. A long run
# is therefore part of the whole page, which a newer step of a slider interrupts.
if _is_quick(_controls.current()[0], _pins.kept()):
    st.fragment(_explore)(in_fragment=True)
else:
    with st.container():  # as deep in the page as a fragment: the charts stay where they are
        _explore(in_fragment=False)
