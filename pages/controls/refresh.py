"""Ask for the page once more after a moment, because more of an answer is computed by then."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_COUNT = "_refreshes_of_the_page"
AFTER = 0.6
"""Seconds until the next look, where a picture grows."""

_refresh = st.components.v2.component(
    "good_init_refresh", js=(Path(__file__).parent / "refresh.js").read_text()
)


def soon(after: float = AFTER) -> None:
    """Let the browser ask for the page once more after a moment.

    The browser asks as it does for a step of a slider. So no script runs between two pictures, and
    a step of the viewer is answered at once.

    Args:
        after: seconds.
    """
    st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
    data = {"count": st.session_state[_COUNT], "after": after}
    _refresh(key="refresh", data=data, on_refresh_change=lambda: None)
