"""Floods: very many guesses from one address. The room's teacher sees them and removes them.

A new viewer is only a new cookie, so one person with a script is as many viewers as they like.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection

from pages.poll.codes import network_of
from pages.poll.room import room_of, row_of
from pages.poll.store import GUESSES, KEPT_OUT, ROOMS, RoomError, insert, transact

MANY = 300
"""Guesses from one address; of more than these the teacher is told. Few classes are larger."""
MOST_FROM_ONE = 600
"""Guesses from one address in a room: a full lecture hall, and there is room for others."""


@dataclass(frozen=True)
class Flood:
    """The guesses of the address that most guesses in a room came from.

    Attributes:
        network: the address's number in the room.
        guesses: how many came from it.
        total: all guesses in the room.
    """

    network: int
    guesses: int
    total: int


@dataclass(frozen=True)
class Networks:
    """The counts by address that a room's teacher sees.

    Attributes:
        flood: very many guesses from one address; None if there are not so many.
        kept_out: how many addresses the teacher keeps out.
    """

    flood: Flood | None = None
    kept_out: int = 0


def networks_of(code: str) -> Networks:
    """The counts by address for a room's teacher; raises RoomError."""

    def work(connection: Connection) -> Networks:
        room = row_of(connection, code).code
        total = func.count().label("total")
        query = select(GUESSES.c.network, total).where(GUESSES.c.room == room)
        counts = connection.execute(query.group_by(GUESSES.c.network).order_by(total.desc())).all()
        out = select(func.count()).where(KEPT_OUT.c.room == room)
        everyone = sum(row.total for row in counts)
        known = (row for row in counts if row.network is not None and row.total > MANY)
        found = next((Flood(row.network, row.total, everyone) for row in known), None)
        return Networks(found, connection.execute(out).scalar_one())

    return transact(work)


def check(connection: Connection, room: str, voter: int, network: int) -> None:
    """Raise RoomError if a room takes no guess of this voter from this network."""
    if _is_out(connection, room, network):
        raise RoomError("closed", "This room takes no guesses from your network.")
    others = select(func.count()).where(
        GUESSES.c.room == room, GUESSES.c.network == network, GUESSES.c.voter != voter
    )
    if connection.execute(others).scalar_one() >= MOST_FROM_ONE:
        many = f"This room has {MOST_FROM_ONE} guesses from your network, and takes no more"
        raise RoomError("full", f"{many}: tell your teacher, who can remove them.")


def _is_out(connection: Connection, room: str, network: int) -> bool:
    query = select(KEPT_OUT).where(KEPT_OUT.c.room == room, KEPT_OUT.c.network == network)
    return connection.execute(query).first() is not None


def is_kept_out(code: str, address: str) -> bool:
    """Whether the teacher keeps an address out of a room; raises RoomError."""

    def work(connection: Connection) -> bool:
        room = row_of(connection, code).code
        return _is_out(connection, room, network_of(room, address))

    return transact(work)


def clear(code: str, viewer: str, network: int, *, keep_out: bool) -> None:
    """Remove all guesses of a network from a room; only the room's teacher may.

    Args:
        code: of the room.
        viewer: the teacher.
        network: a ``Flood.network``.
        keep_out: whether nobody there can guess in this room from now on.

    Raises:
        RoomError: the viewer is not the teacher, there is no such room, or the store is away.
    """

    def work(connection: Connection) -> None:
        room = _own_room(connection, code, viewer)
        if keep_out:
            new = insert(connection, KEPT_OUT).values(room=room, network=network)
            connection.execute(new.on_conflict_do_nothing())
        theirs = (GUESSES.c.room == room, GUESSES.c.network == network)
        connection.execute(delete(GUESSES).where(*theirs))

    transact(work, writes=True)


def let_in(code: str, viewer: str) -> None:
    """Let all networks guess in a room again; only the room's teacher may. Raises RoomError."""

    def work(connection: Connection) -> None:
        room = _own_room(connection, code, viewer)
        connection.execute(delete(KEPT_OUT).where(KEPT_OUT.c.room == room))

    transact(work, writes=True)


def _own_room(connection: Connection, code: str, viewer: str) -> str:
    """The code of a teacher's room, locked; its phones are to draw it again. Raises RoomError."""
    row = row_of(connection, code, alone=True)
    if not room_of(row).is_teacher(viewer):
        raise RoomError("teacher", "Only the teacher who opened the room can do this.")
    now = func.coalesce(ROOMS.c.cleared, 0) + 1
    connection.execute(update(ROOMS).where(ROOMS.c.code == row.code).values(cleared=now))
    return row.code
