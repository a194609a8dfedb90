"""The map that a page is about: in the session and in the link, and what changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.maps.landscape import PARTS, Landscape
from core.question.experiment import Experiment
from pages.controls import address, state

_STATE = "_landscape_of_"


def adopt_link(
    page: str,
    default: Landscape,
    refusals: Callable[[Landscape], list[str]] = lambda landscape: [],
) -> None:
    """Start from what the link asks for, once per session, and when the viewer goes back.

    ``refusals`` says what of a landscape is not for this page, which then shows its own.
    """
    key, asked = _STATE + page, st.query_params.to_dict()
    is_new = address.went_back("landscape") and not state.is_opening(asked)
    if key in st.session_state and not is_new:
        return
    query = {name: text for name, text in asked.items() if name in PARTS}
    around = default.replace(base=state.current()[0])
    landscape, problems = Landscape.from_query(query, around)
    refused = refusals(landscape)
    st.session_state[key] = around if refused else landscape
    state.tell(problems + refused)


def current(page: str, base: Experiment) -> Landscape:
    """The map on screen, around an experiment."""
    landscape: Landscape = st.session_state[_STATE + page]
    return landscape.replace(base=base)


def shown(page: str) -> Landscape:
    """The map on screen, whatever it is around: for what only its axes matter to."""
    landscape: Landscape = st.session_state[_STATE + page]
    return landscape


def change(page: str, **changes: Any) -> None:
    """Something was chosen anew."""
    key = _STATE + page
    st.session_state[key] = st.session_state[key].replace(**changes)
    state.settle()


def stand(key: str, value: object) -> None:
    """Let a control stand for a value; one that does already is left to the hand that moves it."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def take(page: str, landscape: Landscape) -> None:
    """Show another map, around its own experiment: a step that the viewer can go back."""
    state.take(landscape.base)
    state.settle()
    st.session_state[_STATE + page] = landscape
    address.step()


def write(landscape: Landscape, default: Landscape) -> None:
    """Let the address say what is not as usual."""
    address.write(PARTS, to_query(landscape, default), landscape.base.to_query())


def to_query(landscape: Landscape, default: Landscape) -> Mapping[str, str]:
    """What a link must say of a map beside its experiment."""
    usual = default.to_query()
    return {name: text for name, text in landscape.to_query().items() if text != usual[name]}
