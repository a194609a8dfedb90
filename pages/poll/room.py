"""A room: a question to a class, and how it is read from the store."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from core.question.experiment import Experiment
from core.text import shown
from pages.poll.codes import number_of, well_formed
from pages.poll.store import NEXT_ROOMS, ROOMS, RoomError, insert

HOURS = 6
"""For how long a room is open."""


@dataclass(frozen=True)
class Room:
    """A question to a class.

    Attributes:
        code: what a student types.
        experiment: the question is at which iteration its network breaks.
        teacher: the viewer who opened it, as a number that means nothing outside this room.
        revealed: whether the answer is shown; guesses are then closed.
        following: the code of the teacher's next room, to which the phones in this one go on; None
            if there is none.
        cleared: how often the teacher has changed which networks may guess, and what they guessed.
    """

    code: str
    experiment: Experiment
    teacher: int
    revealed: bool
    following: str | None = None
    cleared: int = 0

    @property
    def stage(self) -> str:
        """What the phones in the room show: "open", "revealed", or the code that they go on to.

        It changes too when the teacher removes guesses.
        """
        shown = "revealed" if self.revealed else "open"
        return self.following or (f"{shown} {self.cleared}" if self.cleared else shown)

    def is_teacher(self, viewer: str) -> bool:
        """Whether this viewer is the teacher who opened the room."""
        return self.teacher == number_of(self.code, viewer)


def now() -> int:
    """The time by which rooms expire, in whole seconds since 1970."""
    return int(time.time())


def room_of(row: Row) -> Room:
    """The room of a row."""
    experiment, _ = Experiment.from_query(dict(parse_qsl(row.query)))
    return Room(row.code, experiment, row.host, row.revealed, row.following, row.cleared or 0)


def row_of(connection: Connection, code: str, *, alone: bool = False) -> Row:
    """The row of a room, locked against other transactions if ``alone``; raises RoomError."""
    known = well_formed(code)
    following = select(NEXT_ROOMS.c.code).where(NEXT_ROOMS.c.room == ROOMS.c.code)
    query = select(ROOMS, following.scalar_subquery().label("following"))
    query = query.where(ROOMS.c.code == known, ROOMS.c.expires > now())
    row = connection.execute(query.with_for_update() if alone else query).one_or_none()
    if row is None:
        raise RoomError("unknown", f"There is no room {shown(code)}: it is open for {HOURS} hours.")
    return row


def lead_on(connection: Connection, code: str, viewer: str, following: str) -> None:
    """Let the phones in a teacher's room go on to the next one; no other viewer may move them.

    They may have gone on before: then the last room that they went to leads on.
    """
    try:
        room = room_of(row_of(connection, code))
        if not room.is_teacher(viewer):
            return
        while room.following:
            room = room_of(row_of(connection, room.following))
    except RoomError:  # the room is over, so there is no phone in it
        return
    connection.execute(insert(connection, NEXT_ROOMS).values(room=room.code, code=following))
