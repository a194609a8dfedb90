"""A map while it is computed: a coarse picture first, then finer ones, until done or stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import streamlit as st

from core.maps.borders import Border
from core.maps.fitting import MapTooLarge
from core.maps.landscape import Landscape
from core.maps.words import grid
from core.sweep import SweepResult
from pages.controls import refresh
from pages.maps import on_screen
from pages.work import answers
from pages.work.jobs import Standing, TookTooLong, Unfinished
from pages.work.queue import QueueFull

_PARTIAL, _STOPPED, _WATCHED = "_partial_sweep", "_stopped_sweep", "_watched_sweep"
_LAST, _BESIDE = "_last_map_on_", "_sweeps_beside"
_MOST_PARTIAL = 2  # half-done maps of a viewer; a few MB each at most
FIRST_WAIT = 0.35
"""Seconds to wait for the first picture; most maps have a coarse one by then."""
_AT_FIRST = Standing(0, 0.0)


class MapView(NamedTuple):
    """What is known of a map, and how its computation stands.

    Attributes:
        landscape: the map that the numbers are of: the one that is asked for, or if the host
            refuses that, the one before.
        result: the numbers known so far; None if there are none.
        state: done, going on, stopped, or refused.
        standing: its place in the queue or the fraction done, while it goes on.
        problem: why the host refuses to compute it, or computes it no further.
        fitting: the smaller map that the host would compute instead.
        borders: theory's lines; None while they are computed.
    """

    landscape: Landscape
    result: SweepResult | None
    state: str
    standing: Standing = _AT_FIRST
    problem: str = ""
    fitting: Landscape | None = None
    borders: list[Border] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the page need not be drawn again."""
        return self.state == "refused" or (self.state != "going on" and self.borders is not None)


def view_of(page: str, landscape: Landscape, *, bordered: bool = False) -> MapView:
    """What is known of a map now; only for its first picture the script waits a moment.

    Args:
        page: whose map it is.
        landscape: the map.
        bordered: whether theory's lines belong to it.
    """
    view, key = _numbers(landscape), _LAST + page
    if view.state == "refused" and view.result is None and key in st.session_state:
        last, result = st.session_state[key]
        view = view._replace(landscape=last, result=result)
    if view.result is not None:
        st.session_state[key] = view.landscape, view.result
    return view._replace(borders=_borders(view.landscape) if bordered else [])


def beside(view: MapView, landscapes: Mapping[str, Landscape]) -> dict[str, SweepResult | None]:
    """The numbers of other maps beside the page's own, as far as they are known.

    Args:
        view: the page's own map, which is computed before them.
        landscapes: the others, by name.

    Returns:
        By name; None where they wait, or the host refuses.
    """
    wanted = {*landscapes.values(), view.landscape}
    for before in st.session_state.get(_BESIDE, ()):
        if before not in wanted:
            answers.leave_sweep(before)
    st.session_state[_BESIDE] = tuple(landscapes.values())
    if view.state != "done":
        return dict.fromkeys(landscapes)
    return {name: _so_far(each) for name, each in landscapes.items()}


def _so_far(landscape: Landscape) -> SweepResult | None:
    try:
        return answers.sweep(landscape, patience=0.0)
    except Unfinished as unfinished:
        return unfinished.so_far or landscape.blank()
    except (ValueError, TookTooLong, QueueFull):
        return None


def refresh_until_settled(view: MapView, others: Iterable[SweepResult | None] = ()) -> None:
    """Let the browser ask for the page again and again, until all maps are settled."""
    waits = any(each is not None and each.fraction_done < 1 for each in others)
    if waits or not view.is_settled:
        refresh.soon()


def _numbers(landscape: Landscape) -> MapView:
    _leave_others(landscape)
    before = _partials().get(landscape)
    stopped, why = st.session_state.get(_STOPPED, (None, ""))
    if stopped == landscape:
        return MapView(landscape, before, "stopped", problem=why)
    st.session_state.pop(_STOPPED, None)
    try:
        patience = 0.0 if before else FIRST_WAIT
        result = answers.sweep(landscape, patience=patience, known=before)
    except Unfinished as unfinished:
        _remember(landscape, unfinished.so_far)
        return MapView(landscape, _partials().get(landscape), "going on", unfinished.standing)
    except TookTooLong as error:
        _remember(landscape, error.so_far)
        st.session_state[_STOPPED] = landscape, str(error)
        return MapView(landscape, _partials().get(landscape), "stopped", problem=str(error))
    except MapTooLarge as error:
        return MapView(landscape, before, "refused", problem=str(error), fitting=error.fitting)
    except ValueError as error:
        return MapView(landscape, before, "refused", problem=str(error))
    _partials().pop(landscape, None)
    return MapView(landscape, result, "done")


def refusal(page: str, view: MapView) -> None:
    """Draw why the host refuses the map, and a button for the one that it would compute."""
    if view.problem:
        st.error(view.problem)
    fitting = view.fitting
    if fitting is not None:
        count = fitting.networks
        networks = f"{count} network{'s' * (count > 1)}"
        st.button(
            f"Measure {grid(fitting.x, fitting.y)} with {networks}",
            key="fitting",
            type="primary",
            on_click=on_screen.change_map,
            args=(page,),
            kwargs={"x": fitting.x, "y": fitting.y, "networks": count},
        )


def _leave_others(landscape: Landscape) -> None:
    """Give up the map that this viewer watched before, if it is another one."""
    before = st.session_state.get(_WATCHED)
    if before not in (None, landscape):
        answers.leave_sweep(before)
    st.session_state[_WATCHED] = landscape


def _borders(landscape: Landscape) -> list[Border] | None:
    try:
        return answers.borders(landscape, patience=0.0)
    except Unfinished:
        return None
    except (QueueFull, TookTooLong):
        return []


def button(landscape: Landscape, view: MapView, units: tuple[str, str] | None = None) -> None:
    """Draw how far the map is, and a button to stop it or to go on.

    The line stays when the map is done, so that nothing below it moves. The button comes first:
    what stands before it changes in width, and would take it away from under a viewer's hand.

    Args:
        landscape: the map.
        view: what is known of it.
        units: what a value of each axis is, if the result is no map of cells.
    """
    done = view.result.fraction_done if view.result else 0.0
    with st.container(horizontal=True, key="sweeping", vertical_alignment="center"):
        if view.state == "going on":
            place = view.standing.place
            text = f"{done:.0%} done"
            if place:
                text += f", place {place} in the queue"
            elif not done:
                text += ", the coarse picture first"
            st.button("Stop", key="stop", icon=":material/stop:", on_click=_stop, args=(landscape,))
            st.progress(done, f"{text}…")
        elif view.state == "stopped":
            st.button("Go on", key="go_on", icon=":material/play_arrow:", on_click=_resume)
            st.html(f'<p class="gi-words">Stopped at {done:.0%}.</p>', width="content")
        elif view.state == "done":
            size = grid(landscape.x, landscape.y, units)
            st.html(f'<p class="gi-words">Done: {size}.</p>', width="content")


def _stop(landscape: Landscape) -> None:
    st.session_state[_STOPPED] = landscape, ""
    answers.leave_sweep(landscape)


def _resume() -> None:
    st.session_state.pop(_STOPPED, None)


def _partials() -> dict[Landscape, SweepResult]:
    """The half-done maps of this viewer, the one seen last at the end."""
    partials: dict[Landscape, SweepResult] = st.session_state.setdefault(_PARTIAL, {})
    return partials


def _remember(landscape: Landscape, result: SweepResult | None) -> None:
    """Remember the numbers of a half-done map, unless the viewer has seen more of it already.

    The computation may be shared with a viewer who began it later.
    """
    partials = _partials()
    before = partials.pop(landscape, None)
    is_fuller = result and (before is None or result.fraction_done >= before.fraction_done)
    fuller = result if is_fuller else before
    if fuller:
        partials[landscape] = fuller
    while len(partials) > _MOST_PARTIAL:
        del partials[next(iter(partials))]
