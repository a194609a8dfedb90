"""Guess: a class guesses at which iteration x breaks, before the answer is shown."""

from __future__ import annotations

import streamlit as st

from pages.controls import address, arrival
from pages.controls.links import explore_link
from pages.poll import answer, student, teacher, watch
from pages.poll.codes import LENGTH, well_formed
from pages.poll.room import HOURS
from pages.poll.store import RoomError
from pages.poll.view import forget, last_code, view_of
from pages.words import page
from pages.work.viewer import address as own_address
from pages.work.viewer import token

_NO_CODE = (
    f"That is not a room code. It has {LENGTH} letters and digits and is on your teacher's screen."
)


def _join(problems: list[str]) -> None:
    """Draw a field for the code of a room, and how a teacher opens one."""
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
    explore_link("Open Explore")


def _over(code: str) -> str:
    """The words for a viewer whose room is not there."""
    if not forget(code):
        return f"There is no room {code}. A room is open for {HOURS} hours."
    return (
        f"Room {code} is over, and its guesses are gone. A room is open for {HOURS} hours, "
        "unless the host loses its polls."
    )


def _room(code: str) -> None:
    viewer = token()
    try:
        view = view_of(code, viewer, own_address())
    except RoomError as error:
        page.warn([str(error)])
        watch.watch(code, "version", None)
        return
    if view is None:
        _join([_over(code)])
    elif view.is_teacher:
        teacher.show(view, viewer)
    else:
        student.go_on_or_show(view, viewer)


def _page() -> None:
    arrival.remember_page("guess")
    asked = st.query_params.get("room", "")
    code = well_formed(asked)
    if code:
        st.fragment(_room)(code)
    else:
        _join([_NO_CODE] if asked else [])
    address.write((), {})


page.style()
answer.style()
_page()
