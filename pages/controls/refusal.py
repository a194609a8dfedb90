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


def tell(control: str) -> None:
    """Draw the sentence on what a control has refused, if there is one."""
    refused, sentence, experiment = st.session_state.get(_KEY, (None, "", None))
    if refused == control and state.current()[0] == experiment:
        st.html(f'<div class="gi-problems" role="alert">{escape(sentence)}</div>')
