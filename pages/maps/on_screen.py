"""The map on screen, in the session and in the link, and its changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.maps.landscape import PARTS, Landscape
from core.question.experiment import Experiment
from pages.controls import address, arrival, links, state

_MAP = "_landscape_of_"


def adopt_link(
    page: str,
    default: Landscape,
    refusals: Callable[[Landscape], list[str]] = lambda landscape: [],
    first: Landscape | None = None,
) -> None:
    """Take the map from the link: once per session, and after a step back in the history.

    Args:
        page: whose map it is.
        default: gives the parts that a link lacks.
        refusals: why a map is not for this page, in sentences; the page then shows its own.
        first: shown where no link asks for anything; the default if None.
    """
    key, asked = _MAP + page, st.query_params.to_dict()
    is_new = address.went_back("landscape") and not links.opens_another(asked)
    if key in st.session_state and not is_new:
        return
    query = {name: text for name, text in asked.items() if name in PARTS}
    has_no_link = not asked or (arrival.came_from_another_page() and not query)
    start = first if first and has_no_link and not is_new else default
    around = start.replace(base=state.current()[0])
    landscape, problems = Landscape.from_query(query, around)
    refused = refusals(landscape)
    st.session_state[key] = around if refused else landscape
    arrival.add_problems(problems + refused)


def current(page: str, base: Experiment) -> Landscape:
    """The map on screen, with the experiment of the controls as its base."""
    landscape: Landscape = st.session_state[_MAP + page]
    return landscape.replace(base=base)


def stored(page: str) -> Landscape:
    """The map as the session has it: its base may be older than the controls."""
    landscape: Landscape = st.session_state[_MAP + page]
    return landscape


def change_map(page: str, **changes: Any) -> None:
    """Change parts of the map, as a control asks."""
    key = _MAP + page
    st.session_state[key] = st.session_state[key].replace(**changes)
    arrival.forget_problems()


def set_unless_same(key: str, value: object) -> None:
    """Set a widget, unless it has the value already.

    Setting it again would move it under the viewer's hand. The widget needs the value as its
    default too. For what a script sends may be dropped where the viewer acts before it arrives: the
    browser then draws the default, and tells it as the viewer's choice.
    """
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def show_map(page: str, landscape: Landscape) -> None:
    """Show another map and its own experiment, as a step of its own in the browser's history."""
    state.set_controls(landscape.base)
    arrival.forget_problems()
    st.session_state[_MAP + page] = landscape
    address.step()


def write_address(landscape: Landscape, default: Landscape) -> None:
    """Write into the address every part of the map, and every menu, that differs from the default.

    A field on an axis has no value of its own in the address.
    """
    menus = {name: text for name, text in state.unbound().items() if name not in landscape.varied}
    query = to_query(landscape, default) | menus
    address.write([*PARTS, *menus], query)


def to_query(landscape: Landscape, default: Landscape) -> Mapping[str, str]:
    """The parts of a map that differ from the default, for a link; without its experiment."""
    usual = default.to_query()
    return {name: text for name, text in landscape.to_query().items() if text != usual[name]}
