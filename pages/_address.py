"""The part of the address that a page keeps by itself; what widgets are bound to keeps itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_STEPS = "_steps_of_the_address"

_component = st.components.v2.component(
    "good_init_address", js=(Path(__file__).parent / "address.js").read_text()
)


def went_back() -> bool:
    """Whether the viewer went back to an older address, which then has the say."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def step() -> None:
    """What follows is a step of its own, that the viewer can go back."""
    st.session_state[_STEPS] = st.session_state.get(_STEPS, 0) + 1


def write(
    owned: Iterable[str], params: Mapping[str, str | None], beside: Mapping[str, str]
) -> None:
    """Let the address have these parameters, and no others of those that are owned.

    Args:
        owned: names, or how they begin, with a * at the end.
        params: name -> text, or None for one that is not to be there.
        beside: the rest of the address, as far as it is known: whenever that changes the browser
            looks again, for an address that was written elsewhere may have lost these.
    """
    texts = {name: text for name, text in params.items() if text is not None}
    told = {"owned": list(owned), "params": texts, "beside": dict(beside)}
    _component(key="address", data=told | {"steps": st.session_state.get(_STEPS, 0)})
