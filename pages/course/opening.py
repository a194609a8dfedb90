"""A step that opens begins at the top of the window."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "good_init_opening", js=(Path(__file__).parent / "opening.js").read_text()
)


def at_the_top(slug: str) -> None:
    """Scroll to the top and give the title the focus, if another step was on screen before."""
    _component(key="opening", data={"step": slug})
