"""Opens a room in which a class guesses the result of an experiment."""

from __future__ import annotations

import streamlit as st

from core.question.experiment import Experiment
from pages.poll import rooms
from pages.poll.codes import spaced
from pages.poll.store import RoomError
from pages.poll.view import last_answered
from pages.work import viewer


def room_for(experiment: Experiment, *, after: str | None = None) -> str | None:
    """Open a room, to which the phones in the room ``after`` go on.

    Returns:
        The room's code, or None with a message on the page.
    """
    try:
        address = viewer.address()
        return rooms.open(experiment, viewer.token(), address=address, after=after).code
    except RoomError as error:
        st.error(str(error))
        return None


def button(experiment: Experiment) -> None:
    """Draw the button that opens a room for the experiment on screen, and goes there."""
    asked = st.button(
        "Ask the class",
        key="ask_class",
        icon=":material/how_to_vote:",
        help="Opens a room in which everyone guesses the iteration before the answer is shown.",
    )
    before = last_answered()
    if before and not st.checkbox(
        f"The phones in room {spaced(before)} come along", value=True, key="come_along"
    ):
        before = None
    if asked and (code := room_for(experiment, after=before)):
        st.switch_page("pages/guess.py", query_params={"room": code})
