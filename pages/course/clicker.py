"""A presenter's clicker on the lesson's projector view."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "good_init_clicker", js=(Path(__file__).parent / "clicker.js").read_text()
)


def listen() -> None:
    """Let the keys of a clicker press what the arrow keys press."""
    _component(key="clicker")
