"""A room as its teacher shows it: how to get in, the guesses as they come, then the answer."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.guesses import in_class
from pages import _answer, _ask_class, _qr, _rooms, _watch, _words
from pages._exercise import explore_link
from pages._look import Look
from pages._store import RoomError


def show(look: Look, viewer: str) -> None:
    """The whole view, for a projector."""
    if look.is_away:
        _words.warn(["The guesses cannot be reached right now. They come back by themselves."])
    if look.room.revealed:
        _shown(look)
    else:
        _open(look, viewer)
    version = _rooms.version(look.guesses, revealed=look.room.revealed)
    _watch.watch(look.room.code, "version", None if look.is_away else version)


def _open(look: Look, viewer: str) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _answer.question(look.room.experiment)
        _answer.histogram(look)
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.html(f'<p class="gi-count" role="status">{escape(in_class(look.guesses))}</p>')
            if st.button("Reveal", key="reveal", type="primary", icon=":material/visibility:"):
                _reveal(look, viewer)
    with right:
        _way_in(look.room.code)


def _way_in(code: str) -> None:
    """The code in very large type, and the link to photograph."""
    here = (st.context.url or "").split("?")[0]
    link = f"{here}?room={code}"
    address = here.split("://")[-1]
    st.html(
        f"""<div class="gi-room"><p>Join at <span>{escape(address)}</span> with the code</p>
        <strong>{escape(code[:3])}<i></i>{escape(code[3:])}</strong></div>"""
    )
    _qr.show(link)


def _reveal(look: Look, viewer: str) -> None:
    """Find the answer first: it is there for all who ask at once."""
    if _answer.found(look.room.experiment) is None:
        return
    try:
        _rooms.reveal(look.room.code, viewer)
    except RoomError as error:
        _words.warn([str(error)])
    else:
        st.rerun()


def _shown(look: Look) -> None:
    experiment = look.room.experiment
    _answer.question(experiment, is_open=False)
    run = _answer.found(experiment)
    if run is not None:
        _answer.answer(look, run)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        again = st.button("Ask again", key="ask_again", icon=":material/replay:")
        explore_link("Open in Explore", experiment)
    if again and (code := _ask_class.room_for(experiment)):
        st.query_params["room"] = code
        st.rerun()
