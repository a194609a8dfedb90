"""The part of the address that a page keeps by itself; what widgets are bound to keeps itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_STEPS = "_steps_of_the_address"
_BACK = "_back_on_a_page"
_OWN = ("embed", "embed_options")  # Streamlit's, that nobody else may write

_component = st.components.v2.component(
    "good_init_address", js=(Path(__file__).parent / "address.js").read_text()
)


def went_back(reader: str) -> bool:
    """Whether the viewer went back to an older address, which then has the say.

    Once a page is restored that is so for each reader's first look, and not for what comes after.
    """
    if goes_back():
        return True
    heard = st.session_state.get(_BACK)
    if heard is None or reader in heard:
        return False
    heard.add(reader)
    return True


def goes_back() -> bool:
    """Whether it is a step back that this run answers."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def restore() -> None:
    """Begin anew with the whole address of the page that the viewer went back to.

    Streamlit takes out of it whatever the page that is left has a widget for.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    st.session_state[_BACK] = set()
    asked = parse_qs(context.query_string, keep_blank_values=True)
    st.query_params.from_dict({name: texts for name, texts in asked.items() if name not in _OWN})
    st.rerun()


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
    st.session_state.pop(_BACK, None)
    texts = {name: text for name, text in params.items() if text is not None}
    told = {"owned": list(owned), "params": texts, "beside": dict(beside)}
    _component(key="address", data=told | {"steps": st.session_state.get(_STEPS, 0)})
