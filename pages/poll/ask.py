"""Opens a room in which a class guesses what becomes of an experiment."""

from __future__ import annotations

import streamlit as st

from core.question.experiment import Experiment
from pages.poll import rooms
from pages.poll.store import RoomError
from pages.work import viewer


def room_for(experiment: Experiment) -> str | None:
    """The code of a new room; None, and a message, if there can be none."""
    try:
        return rooms.open(experiment, viewer.token()).code
    except RoomError as error:
        st.error(str(error))
        return None


def button(experiment: Experiment) -> None:
    """Opens a room for what is on screen, and goes there."""
    asked = st.button(
        "Ask the class",
        key="ask_class",
        icon=":material/how_to_vote:",
        help="Opens a room in which everyone guesses the iteration before the answer is shown.",
    )
    if asked and (code := room_for(experiment)):
        st.switch_page("pages/guess.py", query_params={"room": code})
