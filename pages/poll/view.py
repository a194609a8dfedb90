"""The view of a room for one viewer; the last one is shown while the store is away."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.reading.guesses import Guesses
from pages.poll import floods, rooms
from pages.poll.floods import Networks
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
        networks: what the teacher is told of the addresses that guesses came from.
        is_kept_out: whether the teacher takes no guesses from the viewer's address.
        was_removed: whether the viewer had a guess that the teacher has removed.
        is_away: whether the store is away, and this is the view from before.
    """

    room: Room
    is_teacher: bool
    guesses: Guesses
    own: tuple[int | None] | None
    networks: Networks = Networks()
    is_kept_out: bool = False
    was_removed: bool = False
    is_away: bool = False


def view_of(code: str, viewer: str, address: str) -> RoomView | None:
    """The view of a room; None if there is no such room.

    Raises:
        RoomError: the store is away and the room was never seen, or the viewer has to wait.
    """
    seen = _seen()
    try:
        room = rooms.find(code, viewer, address)
        if room is None:
            return None
        is_teacher = room.is_teacher(viewer)
        return remember(_teachers(room) if is_teacher else _students(room, viewer, address))
    except RoomError:
        if code not in seen:
            raise
        return seen[code]._replace(is_away=True)


def _seen() -> dict[str, RoomView]:
    """Code of a room -> the last view of it in this session."""
    return st.session_state.setdefault(_LAST, {})


def _teachers(room: Room) -> RoomView:
    guesses, networks = rooms.counted_guesses(room.code), floods.networks_of(room.code)
    return RoomView(room, True, guesses, None, networks)


def _students(room: Room, viewer: str, address: str) -> RoomView:
    guesses = rooms.counted_guesses(room.code) if room.revealed else Guesses({})
    own, is_out = rooms.own_guess(room.code, viewer), floods.is_kept_out(room.code, address)
    last = _seen().get(room.code)
    was_removed = own is None and last is not None and (last.own is not None or last.was_removed)
    return RoomView(room, False, guesses, own, is_kept_out=is_out, was_removed=was_removed)


def remember(view: RoomView) -> RoomView:
    """The view, from now on the last one of its room."""
    _seen()[view.room.code] = view
    return view


def forget(code: str) -> bool:
    """Forget a room that is over; returns whether the viewer was in it."""
    return _seen().pop(code, None) is not None


def last_answered() -> str | None:
    """The code of the viewer's own room whose answer was shown last."""
    views = reversed(_seen().values())
    return next((v.room.code for v in views if v.is_teacher and v.room.revealed), None)


def last_code() -> str | None:
    """The code of the room that the viewer was in last."""
    return next(reversed(_seen()), None)
