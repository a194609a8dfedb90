"""What a room shows to this viewer; remembered while the store is away."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.reading.guesses import Guesses
from pages.poll import rooms
from pages.poll.rooms import Room
from pages.poll.store import RoomError

_LAST = "_last_looks_into_rooms"


class Look(NamedTuple):
    """What a viewer sees of a room.

    Attributes:
        guesses: of all, for the host, and for everyone once the answer is shown.
        own: the viewer's guess in brackets, for "never" is None; None if there is none.
        is_away: whether this is what was seen before the store went away.
    """

    room: Room
    is_host: bool
    guesses: Guesses
    own: tuple[int | None] | None
    is_away: bool = False


def look(code: str, viewer: str) -> Look | None:
    """A look into a room; None if there is none.

    Raises:
        RoomError: the store is away and the room was never seen, or the viewer has to wait.
    """
    seen: dict[str, Look] = st.session_state.setdefault(_LAST, {})
    try:
        room = rooms.find(code, viewer)
        if room is None:
            return None
        is_host = room.is_host(viewer)
        guesses = rooms.tally(code) if is_host or room.revealed else Guesses({})
        own = None if is_host else rooms.mine(code, viewer)
    except RoomError:
        if code not in seen:
            raise
        return seen[code]._replace(is_away=True)
    seen[code] = Look(room, is_host, guesses, own)
    return seen[code]


def last_code() -> str | None:
    """The room that the viewer was in last."""
    return next(reversed(st.session_state.get(_LAST, {})), None)
