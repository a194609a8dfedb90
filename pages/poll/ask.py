"""Opens a room in which a class guesses the result of an experiment."""

from __future__ import annotations

import streamlit as st

from core.question.experiment import Experiment
from pages.poll import rooms
from pages.poll.store import RoomError
from pages.work import viewer


def room_for(experiment: Experiment) -> str | None:
    """Open a room; returns its code, or None with a message on the page."""
    try:
        return rooms.open(experiment, viewer.token()).code
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
    if asked and (code := room_for(experiment)):
        st.switch_page("pages/guess.py", query_params={"room": code})
