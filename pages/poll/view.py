"""The view of a room for one viewer; the last one is shown while the store is away."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.reading.guesses import Guesses
from pages.poll import rooms
from pages.poll.room import Room
from pages.poll.store import RoomError

_LAST = "_last_views_of_rooms"


class RoomView(NamedTuple):
    """What a viewer sees of a room.

    Attributes:
        room: with the question.
        is_teacher: whether the viewer opened the room.
        guesses: of the whole class; only the teacher has them before the answer is shown.
        own: the viewer's guess in a tuple, for the guess "never" is None; None if there is none.
        is_away: whether the store is away, and this is the view from before.
    """

    room: Room
    is_teacher: bool
    guesses: Guesses
    own: tuple[int | None] | None
    is_away: bool = False


def view_of(code: str, viewer: str) -> RoomView | None:
    """The view of a room; None if there is no such room.

    Raises:
        RoomError: the store is away and the room was never seen, or the viewer has to wait.
    """
    seen: dict[str, RoomView] = st.session_state.setdefault(_LAST, {})
    try:
        room = rooms.find(code, viewer)
        if room is None:
            return None
        is_teacher = room.is_teacher(viewer)
        guesses = rooms.counted_guesses(code) if is_teacher or room.revealed else Guesses({})
        own = None if is_teacher else rooms.own_guess(code, viewer)
    except RoomError:
        if code not in seen:
            raise
        return seen[code]._replace(is_away=True)
    seen[code] = RoomView(room, is_teacher, guesses, own)
    return seen[code]


def last_answered() -> str | None:
    """The code of the viewer's own room whose answer was shown last."""
    views = reversed(st.session_state.get(_LAST, {}).values())
    return next((v.room.code for v in views if v.is_teacher and v.room.revealed), None)


def last_code() -> str | None:
    """The code of the room that the viewer was in last."""
    return next(reversed(st.session_state.get(_LAST, {})), None)
