"""The parameters of the address that a page writes by itself; bound widgets write their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.controls import state

_STEPS = "_steps_of_the_address"
_BACK = "_back_on_a_page"
_RETURNS = "_returns_to_an_address"
_COUNTED = {"steps": _STEPS, "returns": _RETURNS}
_STREAMLITS = ("embed", "embed_options")  # a page that writes these gets an error

_component = st.components.v2.component(
    "good_init_address", js=(Path(__file__).parent / "address.js").read_text()
)


def went_back(reader: str) -> bool:
    """Whether the viewer went back to an older address, which then overrides the session.

    After ``restore`` the page runs once more. In that run the answer is yes too, when a reader asks
    for the first time.

    Args:
        reader: a name for the part of the page that asks.
    """
    if goes_back():
        return True
    answered = st.session_state.get(_BACK)
    if answered is None or reader in answered:
        return False
    answered.add(reader)
    return True


def goes_back() -> bool:
    """Whether this run answers a step in the browser's history."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def asked() -> dict[str, str]:
    """The parameters that the browser sent with this run, before Streamlit removes any.

    In the first run after a link was followed they are still those of the page that is left.
    """
    context = get_script_run_ctx()
    return dict(parse_qsl(context.query_string)) if context else {}


def restore() -> None:
    """Run the page once more, with the whole address that the viewer went back to.

    Streamlit has removed from it every parameter that the page before has a widget for.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    st.session_state[_BACK] = set()
    asked = parse_qs(context.query_string, keep_blank_values=True)
    st.query_params.from_dict(
        {name: texts for name, texts in asked.items() if name not in _STREAMLITS}
    )
    st.rerun()


def step() -> None:
    """Let the next change of the address be an entry of the browser's history."""
    st.session_state[_STEPS] = st.session_state.get(_STEPS, 0) + 1


def write(owned: Iterable[str], params: Mapping[str, str | None]) -> None:
    """Set the parameters of the address that the page owns; those not named here are removed.

    When a bound widget writes its parameter, the browser checks that the page's are still there.

    Args:
        owned: names of the parameters that the page owns. A name that ends in * stands for all that
            begin so.
        params: name -> text, or None for a parameter that is to be absent.
    """
    if st.session_state.pop(_BACK, None) is not None or goes_back():
        st.session_state[_RETURNS] = st.session_state.get(_RETURNS, 0) + 1
    data: dict[str, object] = {"owned": list(owned), "params": _given(params)}
    data["beside"] = _given(state.texts_of_bound())
    data |= {name: st.session_state.get(key, 0) for name, key in _COUNTED.items()}
    _component(key="address", data=data | {"page": st.session_state[state.PAGE]})


def _given(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}
