"""Keeps a page up to date: the browser asks for news of a room, and has the page drawn again."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "good_init_watch", js=(Path(__file__).parent / "watch.js").read_text()
)


def watch(code: str, what: str, known: str | bool | None) -> None:
    """Draw the enclosing fragment again whenever the room's news differs from what is on screen.

    Args:
        code: of the room.
        what: which part of ``rooms.status`` is compared.
        known: its value on screen; None if the page waits for the store to come back.
    """
    _component(
        key="watch",
        data={"path": f"rooms/{code}.json", "what": what, "known": known},
        on_news_change=lambda: None,
    )
