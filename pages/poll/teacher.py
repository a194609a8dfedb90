"""A room on the teacher's projector: how to join, the guesses as they come, then the answer."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.reading.guesses import in_class
from pages.controls.links import explore_link
from pages.poll import answer, ask, clearing, rooms, watch
from pages.poll.store import RoomError
from pages.poll.view import RoomView
from pages.words import page, qr


def show(view: RoomView, viewer: str) -> None:
    """Draw the room, for a projector."""
    if view.is_away:
        page.warn(["The guesses cannot be reached right now. They come back by themselves."])
    if view.room.revealed:
        _shown(view)
        clearing.show(view, viewer)
    else:
        _open(view, viewer)
    version = rooms.version(view.guesses, revealed=view.room.revealed)
    watch.watch(view.room.code, "version", None if view.is_away else version)


def _open(view: RoomView, viewer: str) -> None:
    answer.question(view.room.experiment)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        answer.histogram(view)
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.html(f'<p class="gi-count" role="status">{escape(in_class(view.guesses))}</p>')
            if st.button("Reveal", key="reveal", type="primary", icon=":material/visibility:"):
                _reveal(view, viewer)
        clearing.show(view, viewer)
    with right:
        _way_in(view.room.code)


def _way_in(code: str) -> None:
    """Draw the code in very large type, and the link as a QR code."""
    here = (st.context.url or "").split("?")[0]
    link = f"{here}?room={code}"
    address = here.split("://")[-1]
    st.html(
        f"""<div class="gi-room"><p>Join at <span>{escape(address)}</span> with the code</p>
        <strong>{escape(code[:3])}<i></i>{escape(code[3:])}</strong></div>"""
    )
    qr.show(link)


def _reveal(view: RoomView, viewer: str) -> None:
    """Show the answer, once it is computed: then every student gets it at once."""
    if answer.measured(view.room.experiment) is None:
        return
    try:
        rooms.reveal(view.room.code, viewer)
    except RoomError as error:
        page.warn([str(error)])
    else:
        st.rerun()


def _shown(view: RoomView) -> None:
    experiment = view.room.experiment
    answer.question(experiment, is_open=False)
    run = answer.measured(experiment)
    below = st.container() if run is None else answer.answer(view, run)
    with below, st.container(horizontal=True, gap="small", vertical_alignment="center"):
        again = st.button(
            "Ask again",
            key="ask_again",
            icon=":material/replay:",
            help="The same question in a new room. The phones in this room come along.",
        )
        explore_link("Open in Explore", experiment)
    if again and (code := ask.room_for(experiment, after=view.room.code)):
        st.query_params["room"] = code
        st.rerun()
