"""Guess: a class says at which iteration x breaks, before anyone sees it."""

from __future__ import annotations

import streamlit as st

from core.parameter import shown
from pages import _address, _answer, _controls, _guesser, _host, _viewer, _watch, _words
from pages._codes import ALPHABET, LENGTH, well_formed
from pages._look import last_code, look
from pages._rooms import HOURS
from pages._store import RoomError

_ALLOWED = f"{LENGTH} letters and digits out of {ALPHABET}"


def _join(problems: list[str]) -> None:
    """A field for the code, and how a room comes to be."""
    st.html('<div class="gi-question"><h1>Guess the iteration</h1></div>')
    _words.warn(problems)
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
        _words.warn([str(error)])
        _watch.watch(code, "version", None)
        return
    if seen is None:
        _join([f"room: there is no room {code}. A room is open for {HOURS} hours."])
    elif seen.is_host:
        _host.show(seen, viewer)
    else:
        _guesser.show(seen, viewer)


def _page() -> None:
    _controls.leave("guess")
    asked = st.query_params.get("room", "")
    code = well_formed(asked)
    if code:
        st.fragment(_room)(code)
    else:
        _join([f"room must be {_ALLOWED}, got {shown(asked)}"] if asked else [])
    _address.write((), {}, {})


_words.style()
_answer.style()
_page()
