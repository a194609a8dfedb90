"""A map on its way to the screen: the coarse picture first, refined in place, stopped at will."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from core.maps.borders import Border
from core.maps.landscape import Landscape
from core.sweep import SweepResult
from pages.work import answers
from pages.work.jobs import Standing, Unfinished
from pages.work.queue import QueueFull

_PARTIAL, _STOPPED, _WATCHED = "_partial_sweep", "_stopped_sweep", "_watched_sweep"
_MOST_KEPT = 2  # half-done maps of a viewer; a few MB each at most
_LOOKS = "_looks_at_sweeps"
_FIRST_LOOK = 0.35  # seconds until there is a coarse picture of most maps
_BETWEEN_LOOKS = 0.6
_AT_FIRST = Standing(0, 0.0)

_again = st.components.v2.component(
    "good_init_again", js=(Path(__file__).parent / "again.js").read_text()
)


class Seen(NamedTuple):
    """What there is of a map.

    Attributes:
        result: what is known by now; None if nothing is.
        state: done, going on, stopped, or refused.
        standing: how far it is, or its place in the queue, while it goes on.
        problem: why the host refuses it.
        borders: of theory; None while they are looked for.
    """

    result: SweepResult | None
    state: str
    standing: Standing = _AT_FIRST
    problem: str = ""
    borders: list[Border] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to come by itself."""
        return self.state == "refused" or (self.state != "going on" and self.borders is not None)


def look(landscape: Landscape, *, bordered: bool = False) -> Seen:
    """What is known of a map by now; nobody waits for more than the first picture."""
    seen = _numbers(landscape)
    return seen._replace(borders=_borders(landscape) if bordered else [])


def come_back(seen: Seen) -> None:
    """Let the browser come back for more, until the map is whole.

    It is the browser that asks, as it would for a step of a slider: so every look has its own
    address, and a step of the viewer finds nothing to wait for.
    """
    if not seen.is_settled:
        st.session_state[_LOOKS] = st.session_state.get(_LOOKS, 0) + 1
        data = {"look": st.session_state[_LOOKS], "after": _BETWEEN_LOOKS}
        _again(key="again", data=data, on_again_change=lambda: None)


def _numbers(landscape: Landscape) -> Seen:
    _leave_others(landscape)
    before = _partials().get(landscape)
    if st.session_state.get(_STOPPED) == landscape:
        return Seen(before, "stopped")
    st.session_state.pop(_STOPPED, None)
    try:
        patience = 0.0 if before else _FIRST_LOOK
        result = answers.sweep(landscape, patience=patience, known=before)
    except Unfinished as unfinished:
        _remember(landscape, unfinished.so_far)
        return Seen(_partials().get(landscape), "going on", unfinished.standing)
    except ValueError as error:
        return Seen(before, "refused", problem=str(error))
    _partials().pop(landscape, None)
    return Seen(result, "done")


def _leave_others(landscape: Landscape) -> None:
    """Work on what was watched before need not go on for this viewer."""
    before = st.session_state.get(_WATCHED)
    if before not in (None, landscape):
        answers.leave_sweep(before)
    st.session_state[_WATCHED] = landscape


def _borders(landscape: Landscape) -> list[Border] | None:
    try:
        return answers.borders(landscape, patience=0.0)
    except Unfinished:
        return None
    except QueueFull:
        return []


def button(landscape: Landscape, seen: Seen) -> None:
    """Below the picture: how far it is, and a button to stop it or to go on.

    The line is there when it is done too, so that nothing moves below it.
    """
    done = seen.result.fraction_done if seen.result else 0.0
    with st.container(horizontal=True, key="sweeping", vertical_alignment="center"):
        if seen.state == "going on":
            place = seen.standing.place
            text = f"{done:.0%} done"
            if place:
                text += f", place {place} in the queue"
            elif not done:
                text += ", the coarse picture first"
            st.progress(done, f"{text}…")
            st.button("Stop", key="stop", icon=":material/stop:", on_click=_stop, args=(landscape,))
        elif seen.state == "stopped":
            st.html(f'<p class="gi-words">Stopped at {done:.0%}.</p>', width="content")
            st.button("Go on", key="go_on", icon=":material/play_arrow:", on_click=_resume)
        elif seen.state == "done":
            cells = " × ".join(str(len(axis.values)) for axis in (landscape.x, landscape.y))
            st.html(f'<p class="gi-words">Done: {cells} cells.</p>', width="content")


def _stop(landscape: Landscape) -> None:
    st.session_state[_STOPPED] = landscape
    answers.leave_sweep(landscape)


def _resume() -> None:
    st.session_state.pop(_STOPPED, None)


def _partials() -> dict[Landscape, SweepResult]:
    """Maps that are half done, the one that was seen last at the end."""
    kept: dict[Landscape, SweepResult] = st.session_state.setdefault(_PARTIAL, {})
    return kept


def _remember(landscape: Landscape, result: SweepResult | None) -> None:
    """Keep the fuller one of what was seen: another viewer's work may be less far."""
    kept = _partials()
    before = kept.pop(landscape, None)
    is_fuller = result and (before is None or result.fraction_done >= before.fraction_done)
    fuller = result if is_fuller else before
    if fuller:
        kept[landscape] = fuller
    while len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
