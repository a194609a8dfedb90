"""Guess: a class says at which iteration x breaks, before anyone sees it."""

from __future__ import annotations

import streamlit as st

from core.text import shown
from pages.controls import address, state
from pages.poll import answer, student, teacher, watch
from pages.poll.codes import ALPHABET, LENGTH, well_formed
from pages.poll.rooms import HOURS
from pages.poll.store import RoomError
from pages.poll.view import last_code, look
from pages.words import page
from pages.work import viewer as _viewer

_ALLOWED = f"{LENGTH} letters and digits out of {ALPHABET}"


def _join(problems: list[str]) -> None:
    """A field for the code, and how a room comes to be."""
    st.html('<div class="gi-question"><h1>Guess the iteration</h1></div>')
    page.warn(problems)
    with st.form("join", border=False):
        typed = st.text_input(
            "Code of the room", placeholder="Your teacher shows it", max_chars=20, key="code"
        )
        if st.form_submit_button("Join", key="join", type="primary") and typed.strip():
            st.query_params["room"] = well_formed(typed) or typed
            st.rerun()
    last = last_code()
    if last:
        st.page_link("pages/guess.py", label=f"Back to room {last}", query_params={"room": last})
    st.html(
        """<p class="gi-words">Teachers: set up an experiment in Explore, then choose
        <b>Share</b> and <b>Ask the class</b>. Nobody sees the answer until you reveal it.</p>"""
    )
    st.page_link("pages/explore.py", label="Open Explore", icon=":material/insights:")


def _room(code: str) -> None:
    viewer = _viewer.token()
    try:
        seen = look(code, viewer)
    except RoomError as error:
        page.warn([str(error)])
        watch.watch(code, "version", None)
        return
    if seen is None:
        _join([f"room: there is no room {code}. A room is open for {HOURS} hours."])
    elif seen.is_host:
        teacher.show(seen, viewer)
    else:
        student.show(seen, viewer)


def _page() -> None:
    state.leave("guess")
    asked = st.query_params.get("room", "")
    code = well_formed(asked)
    if code:
        st.fragment(_room)(code)
    else:
        _join([f"room must be {_ALLOWED}, got {shown(asked)}"] if asked else [])
    address.write((), {}, {})


page.style()
answer.style()
_page()
