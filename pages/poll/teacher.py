"""A room as its teacher shows it: how to get in, the guesses as they come, then the answer."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.reading.guesses import in_class
from pages.controls.state import explore_link
from pages.poll import answer, ask, rooms, watch
from pages.poll.store import RoomError
from pages.poll.view import Look
from pages.words import page, qr


def show(look: Look, viewer: str) -> None:
    """The whole view, for a projector."""
    if look.is_away:
        page.warn(["The guesses cannot be reached right now. They come back by themselves."])
    if look.room.revealed:
        _shown(look)
    else:
        _open(look, viewer)
    version = rooms.version(look.guesses, revealed=look.room.revealed)
    watch.watch(look.room.code, "version", None if look.is_away else version)


def _open(look: Look, viewer: str) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        answer.question(look.room.experiment)
        answer.histogram(look)
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
    qr.show(link)


def _reveal(look: Look, viewer: str) -> None:
    """Find the answer first: it is there for all who ask at once."""
    if answer.found(look.room.experiment) is None:
        return
    try:
        rooms.reveal(look.room.code, viewer)
    except RoomError as error:
        page.warn([str(error)])
    else:
        st.rerun()


def _shown(look: Look) -> None:
    experiment = look.room.experiment
    answer.question(experiment, is_open=False)
    run = answer.found(experiment)
    if run is not None:
        answer.answer(look, run)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        again = st.button("Ask again", key="ask_again", icon=":material/replay:")
        explore_link("Open in Explore", experiment)
    if again and (code := ask.room_for(experiment)):
        st.query_params["room"] = code
        st.rerun()
