"""Explore: the repeated a @ x, its std per layer, and the iteration at which it breaks."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts
from core.question.experiment import Experiment
from core.question.pins import Pins, to_query
from core.reading.equation import equation
from core.reading.expectation import predicted_iteration
from core.reading.trainable import trainable
from core.reading.verdict import Verdict, judge
from pages.controls import address, arrival, fields, layer, state
from pages.exploring import both_ways, class_view, pinned, share, spread, torch_default
from pages.exploring.both_ways import BothWays
from pages.exploring.class_view import ClassView
from pages.exploring.details import details
from pages.figures import live
from pages.figures.chart import show
from pages.words import page
from pages.work.progress import Progress, place_over_the_next
from pages.work.turns import SCRIPT_LOCK


class _Seen(NamedTuple):
    """A run with its gradient, and the verdicts on both."""

    both: BothWays
    verdict: Verdict
    gradient: Verdict | None


def _is_quick(experiment: Experiment, pins: Pins) -> bool:
    """Whether all runs with their gradients, the law and the ensemble are quick."""
    runs = all(both_ways.is_quickly_found(each) for each in (experiment, *pins.values()))
    needs_theory = class_view.current().shows("theory")
    backward = both_ways.is_drawn(experiment)
    return runs and (not needs_theory or spread.is_quick(experiment, backward=backward))


def _first_screen(
    experiment: Experiment,
    pins: Pins,
    expected: spread.Expected,
    device: str,
    working: DeltaGenerator,
) -> tuple[_Seen | None, dict[str, BothWays | str]]:
    """Draw the main chart; returns its run, None if the host refuses it, and those of the pins."""
    progress = Progress(working, "Multiplying…")
    found = pinned.measured(pins, device, progress)
    try:
        both = both_ways.found(experiment, device, progress)
    except ValueError as error:
        progress.done()
        st.error(str(error))
        return None, found
    progress.done()
    run, verdict = both.run, judge(both.run)
    figure = charts.std_per_layer(
        run,
        pinned.drawn(experiment, pins, found),
        bands=expected.bands,
        ensemble=expected.ensemble,
        verdict=verdict,
    )
    view = class_view.current()
    if not view.shows("verdict"):
        figure = charts.unanswered(figure)
    if view.on_projector:
        figure = charts.enlarged(figure)
    show(figure, key="std", urgent=True, live=live.description(run, state.named()))
    return _Seen(both, verdict, both_ways.gradient_of(both)), found


class _Places(NamedTuple):
    """Places for the answer, the chart and the controls: in columns, on a projector in rows.

    The gradient's chart and the controls that are folded away follow below.
    """

    answer: DeltaGenerator
    chart: DeltaGenerator
    controls: DeltaGenerator
    gradient: DeltaGenerator
    more: DeltaGenerator


def _places(on_projector: bool) -> _Places:
    if on_projector:
        answer, chart = st.container(), st.container()
        clicker = st.container(key="clicker", horizontal=True, vertical_alignment="bottom")
        return _Places(answer, chart, clicker, st.container(), st.container())
    left, right = st.columns([3, 1], gap="medium")
    with left:
        answer, chart = st.container(), st.container()
    return _Places(answer, chart, right, st.container(), st.container())


def _has_switch(view: ClassView) -> bool:
    return view.shows("ensemble") and view.shows("theory") and not view.on_projector


def _controls_of(view: ClassView, places: _Places) -> None:
    """Draw the controls that are shown."""
    with places.controls:
        fields.main_controls(view.shows)
        if view.shows("more") and not view.on_projector:
            layer.controls()
        if _has_switch(view):
            spread.switch()
    if view.shows("more") and not view.on_projector:
        with places.more:
            fields.more_controls()


def _explore(*, in_fragment: bool) -> None:
    with SCRIPT_LOCK.held():
        _page(in_fragment=in_fragment)


def _page(*, in_fragment: bool) -> None:
    _adopt_link()
    experiment, refused = state.current()
    pins, view = pinned.current(), class_view.current()
    if view.on_projector:
        page.projector_style()
    quick = _is_quick(experiment, pins)
    if quick != in_fragment:
        st.rerun()
    device = fields.current_device()
    places = _places(view.on_projector)
    # A quick run is drawn before the controls are sent again; a long run must not hide them.
    if not quick:
        _controls_of(view, places)
    problems = refused + arrival.link_problems(experiment)
    with places.chart:
        is_drawn, needs_theory = both_ways.is_drawn(experiment), view.shows("theory")
        expected = spread.expected(experiment, is_shown=needs_theory)
        going_back = spread.expected(experiment, backward=True, is_shown=needs_theory and is_drawn)
        page.warn(problems + expected.problems)
        page.equation(equation(experiment))
        working = place_over_the_next()
        seen, found = _first_screen(experiment, pins, expected, device, working)
    if seen is not None and not view.on_projector:
        with places.gradient:
            kept = pinned.gradients(experiment, pins, found)
            both_ways.chart(seen.both, kept, seen.gradient, going_back)
    if quick:
        _controls_of(view, places)
        if state.current()[0] != experiment:  # after a step back, bound widgets follow the address
            st.rerun()
    with places.controls:
        _below_controls(experiment, pins, found)
    if seen is not None:
        _words_and_rest(experiment, expected, device, seen, places.answer)
        if not (expected.is_whole and going_back.is_whole):
            spread.catch_up(experiment, working, backward=is_drawn)


def _below_controls(experiment: Experiment, pins: Pins, found: dict[str, BothWays | str]) -> None:
    """Draw the pins and the buttons below the controls, and write the page's own parameters."""
    view = class_view.current()
    if view.shows("pins") and not view.on_projector:
        pinned.controls(experiment, pins, found, tells_answer=view.shows("verdict"))
    beside = to_query(pins) | view.to_query()
    if not view.on_projector:
        share.button(experiment, beside | spread.to_query())
    class_view.projector_button()
    own = state.unbound()
    owned = ("pin_*", *class_view.OWNED, *own)
    address.write(owned, beside | own)


def _words_and_rest(
    experiment: Experiment,
    expected: spread.Expected,
    device: str,
    seen: _Seen,
    place: DeltaGenerator,
) -> None:
    """The answer at its place, and everything below the first screen."""
    view = class_view.current()
    run, verdict = seen.both.run, seen.verdict
    is_answered = view.shows("verdict")
    if is_answered:
        with place:
            predicted = predicted_iteration(expected.prediction)
            tells_theory = view.shows("theory")
            page.answer(verdict, run, predicted, seen.gradient, tells_theory=tells_theory)
    if view.on_projector:
        return
    if view.shows("more"):
        torch_default.card(experiment, tells_theory=view.shows("theory"))
    if view.shows("theory"):
        spread.beside(run, expected, tells_answer=is_answered)
        if is_answered and seen.gradient is not None:
            page.paragraphs([trainable(experiment)])
    if is_answered:
        page.torch_checks(verdict, run)
    if view.shows("details"):
        details(experiment, device, seen.both)


def _title() -> None:
    """Draw the heading, what x and a are, and where a newcomer may begin."""
    st.html(
        "<h1 class='gi-title'>Push x through many layers <code>x = a @ x</code>: "
        "does it explode, vanish or hold?</h1>"
    )
    with st.container(key="welcome", horizontal=True, gap="small", vertical_alignment="center"):
        st.html(
            "<p class='gi-words'><b>x</b>: n random numbers. <b>a</b>: an n × n random matrix "
            "(a layer’s weights). We multiply again and again; how large do the numbers get?</p>"
        )
        st.page_link(
            "pages/lesson.py", label="New here? Start the lesson", icon=":material/school:"
        )


def _adopt_link() -> None:
    arrival.adopt_link("explore")
    pinned.adopt_link()
    spread.adopt_link()
    class_view.adopt_link()


page.style()
_title()
class_view.hear_keys()
_adopt_link()
# A fragment redraws only itself, which is quicker, but Streamlit lets it run to its end. So a long
# run is part of the whole page, which Streamlit interrupts for a newer step of a slider.
if _is_quick(state.current()[0], pinned.current()):
    st.fragment(_explore)(in_fragment=True)
else:
    with st.container():  # as deep in the page as a fragment, so that Streamlit keeps the charts
        _explore(in_fragment=False)
