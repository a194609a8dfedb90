"""A map on its way to the screen: the coarse picture first, refined in place, stopped at will."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.borders import Border
from core.sweep import SweepResult
from core.sweep.link import Landscape
from pages import _cached
from pages._work import Unfinished

_PARTIAL, _STOPPED = "_partial_sweep", "_stopped_sweep"
_FIRST_LOOK = 0.35  # seconds until there is a coarse picture of most maps
_NEXT_LOOK = 0.6


class Seen(NamedTuple):
    """What there is of a map.

    Attributes:
        result: what is known by now; None if nothing is.
        state: done, going on, stopped, or refused.
        problem: why the host refuses it.
    """

    result: SweepResult | None
    state: str
    problem: str = ""


def look(landscape: Landscape) -> Seen:
    """What is known of a map by now; nobody waits for more than the first picture."""
    before = _partial(landscape)
    if st.session_state.get(_STOPPED) == landscape:
        return Seen(before, "stopped")
    st.session_state.pop(_STOPPED, None)
    try:
        result = _cached.sweep(landscape, patience=0.0 if before else _FIRST_LOOK)
    except Unfinished as unfinished:
        _remember(landscape, unfinished.so_far)
        return Seen(_partial(landscape), "going on")
    except ValueError as error:
        return Seen(None, "refused", str(error))
    st.session_state.pop(_PARTIAL, None)
    return Seen(result, "done")


def go_on(landscape: Landscape, place: DeltaGenerator) -> None:
    """Wait a moment for more, then draw the page again with it.

    It comes last on the page. A newer step of the viewer ends the waiting at once.
    """
    progress = _cached.Progress(place, "Working on it, the coarse picture first…")
    progress.due = 0.0
    try:
        _cached.sweep(landscape, progress, patience=_NEXT_LOOK)
    except Unfinished as unfinished:
        _remember(landscape, unfinished.so_far)
    except ValueError:
        pass  # told when the page comes again
    st.rerun()


def borders(landscape: Landscape) -> list[Border]:
    """Theory's borders, if they are found by now; a map that goes on has them at its next look."""
    try:
        return _cached.borders(landscape, patience=_FIRST_LOOK)
    except Unfinished:
        return []


def button(landscape: Landscape, state: str) -> None:
    """Stop a map that goes on; go on with one that was stopped."""
    if state == "going on":
        st.button("Stop", key="stop", on_click=_stop, args=(landscape,), icon=":material/stop:")
    elif state == "stopped":
        st.button("Go on", key="go_on", on_click=_resume, icon=":material/play_arrow:")


def _stop(landscape: Landscape) -> None:
    st.session_state[_STOPPED] = landscape


def _resume() -> None:
    st.session_state.pop(_STOPPED, None)


def _partial(landscape: Landscape) -> SweepResult | None:
    known, result = st.session_state.get(_PARTIAL, (None, None))
    return result if known == landscape else None


def _remember(landscape: Landscape, result: SweepResult | None) -> None:
    """Keep the fuller one of what was seen: who goes on with a stopped map begins anew."""
    before = _partial(landscape)
    if result and (before is None or result.fraction_done >= before.fraction_done):
        st.session_state[_PARTIAL] = landscape, result
