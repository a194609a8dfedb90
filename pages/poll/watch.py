"""Lets a page know when a room has news: the browser asks, and the page is drawn again if so."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "good_init_watch", js=(Path(__file__).parent / "watch.js").read_text()
)


def watch(code: str, what: str, known: str | bool | None) -> None:
    """Draw the fragment that this is part of again when the room's answer differs.

    Args:
        code: of the room.
        what: the part of the answer that matters here.
        known: what is on screen; None if something waits for the store to come back.
    """
    _component(
        key="watch",
        data={"path": f"rooms/{code}.json", "what": what, "known": known},
        on_news_change=lambda: None,
    )
