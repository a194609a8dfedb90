"""A text that a viewer typed into a control, and that is not accepted: told beside the control."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.controls import state

_KEY = "_refused_by_a_control"


def refuse(control: str, sentence: str) -> None:
    """Say what a control has just refused, until any control is moved.

    Args:
        control: its key.
        sentence: on the value, what is allowed, and what is used.
    """
    st.session_state[_KEY] = control, sentence, state.current()[0]


def forget() -> None:
    """Drop the sentence: a control has accepted something since."""
    st.session_state.pop(_KEY, None)


def is_told(control: str) -> bool:
    """Whether there is a sentence on what this control has refused."""
    refused, _, experiment = st.session_state.get(_KEY, (None, "", None))
    return refused == control and bool(state.current()[0] == experiment)


def tell(control: str) -> None:
    """Draw the sentence on what a control has refused, if there is one."""
    if is_told(control):
        sentence = escape(st.session_state[_KEY][1])
        st.html(f'<div class="gi-problems" role="alert">{sentence}</div>')
