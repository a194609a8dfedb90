"""Polls: a room per question, a guess per viewer. No name and no address is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.engine import Connection

from core.question.experiment import Experiment
from core.reading.guesses import Guesses
from core.text import shown
from pages.poll.attempts import Misses
from pages.poll.codes import new_code, number_of, well_formed
from pages.poll.store import GUESSES, ROOMS, RoomError, exclusive, insert, transact

HOURS = 6
MOST_GUESSES = 1000  # in a room
MOST_ROOMS = 1000  # in the store
MOST_OPEN = 20  # by one viewer

_misses = Misses(most=20, seconds=300)


@dataclass(frozen=True)
class Room:
    """A question to a class.

    Attributes:
        code: what a student types.
        experiment: what is asked about.
        host: who opened it, as a number that means nothing outside this room.
        revealed: whether the answer is shown, after which nobody guesses.
    """

    code: str
    experiment: Experiment
    host: int
    revealed: bool

    def is_host(self, viewer: str) -> bool:
        """Whether this viewer opened it."""
        return self.host == number_of(self.code, viewer)


def _now() -> int:
    return int(time.time())


def _room(row: Row) -> Room:
    experiment, _ = Experiment.from_query(dict(parse_qsl(row.query)))
    return Room(row.code, experiment, row.host, row.revealed)


def _row(connection: Connection, code: str, *, alone: bool = False) -> Row:
    """The room's row, ``alone`` with nobody else changing it; raises if there is none."""
    known = well_formed(code)
    query = select(ROOMS).where(ROOMS.c.code == known, ROOMS.c.expires > _now())
    row = connection.execute(query.with_for_update() if alone else query).one_or_none()
    if row is None:
        raise RoomError("unknown", f"There is no room {shown(code)}: it is open for {HOURS} hours.")
    return row


@contextmanager
def patience(viewer: str) -> Iterator[None]:
    """Let a viewer name so many rooms that are not there, and then none for a while."""
    if _misses.too_many(viewer):
        raise RoomError("full", "Too many codes that are no room: try again in five minutes.")
    try:
        yield
    except RoomError as error:
        if error.kind == "unknown":
            _misses.note(viewer)
        raise


def open(experiment: Experiment, viewer: str) -> Room:
    """A new room for a question; what has expired makes way for it.

    Raises:
        RoomError: too many rooms are open, or the store is away.
    """

    def work(connection: Connection) -> Room:
        exclusive(connection)
        connection.execute(delete(ROOMS).where(ROOMS.c.expires <= _now()))
        hosts = {
            row.code: row.host for row in connection.execute(select(ROOMS.c.code, ROOMS.c.host))
        }
        if len(hosts) >= MOST_ROOMS:
            raise RoomError("full", "Too many rooms are open here: try again later.")
        if sum(host == number_of(code, viewer) for code, host in hosts.items()) >= MOST_OPEN:
            raise RoomError(
                "full", f"You have {MOST_OPEN} rooms open: each ends after {HOURS} hours."
            )
        code = next(code for code in iter(new_code, None) if code not in hosts)
        values = {"code": code, "query": urlencode(experiment.to_query()), "revealed": False}
        values |= {
            "host": number_of(code, viewer),
            "opened": _now(),
            "expires": _now() + 3600 * HOURS,
        }
        connection.execute(ROOMS.insert().values(values))
        return Room(code, experiment, values["host"], False)

    return transact(work, writes=True)


def find(code: str, viewer: str) -> Room | None:
    """The room with this code; None if there is none.

    Raises:
        RoomError: the viewer has asked for too many that are not there, or the store is away.
    """
    try:
        with patience(viewer):
            return transact(lambda connection: _room(_row(connection, code)))
    except RoomError as error:
        if error.kind != "unknown":
            raise
        return None


def guess(code: str, viewer: str, iteration: int | None) -> None:
    """Keep a viewer's guess instead of the one before, if any; None is "never".

    Raises:
        RoomError: there is no such room or iteration, the answer is shown, the room is full, or
            the store is away.
    """

    def work(connection: Connection) -> None:
        row = _row(connection, code, alone=True)
        last = _room(row).experiment.depth - 1
        if iteration is not None and not 0 <= iteration <= last:
            allowed = f"a whole number from 0 to {last}, or never"
            raise RoomError("value", f"A guess must be {allowed}, got {shown(iteration)}.")
        if row.revealed:
            raise RoomError("closed", "The answer is shown: guesses are closed.")
        voter = number_of(row.code, viewer)
        others = select(func.count()).where(GUESSES.c.room == row.code, GUESSES.c.voter != voter)
        if connection.execute(others).scalar_one() >= MOST_GUESSES:
            raise RoomError("full", f"This room is full: it holds {MOST_GUESSES} guesses.")
        new = insert(connection, GUESSES).values(room=row.code, voter=voter, iteration=iteration)
        key = [GUESSES.c.room, GUESSES.c.voter]
        connection.execute(
            new.on_conflict_do_update(index_elements=key, set_={"iteration": iteration})
        )

    transact(work, writes=True)


def reveal(code: str, viewer: str) -> None:
    """Show the answer, which only who opened the room may do; nobody guesses any more.

    Raises:
        RoomError: it is another's room, there is none, or the store is away.
    """

    def work(connection: Connection) -> None:
        row = _row(connection, code, alone=True)
        if not _room(row).is_host(viewer):
            raise RoomError("host", "Only who opened the room can show the answer.")
        connection.execute(update(ROOMS).where(ROOMS.c.code == row.code).values(revealed=True))

    transact(work, writes=True)


def tally(code: str) -> Guesses:
    """How often each iteration was guessed; raises RoomError."""

    def work(connection: Connection) -> Guesses:
        return _tally(connection, _row(connection, code).code)

    return transact(work)


def _tally(connection: Connection, code: str) -> Guesses:
    made = GUESSES.c.iteration
    query = select(made, func.count().label("total")).where(GUESSES.c.room == code).group_by(made)
    counts = {row.iteration: row.total for row in connection.execute(query)}
    return Guesses(counts, counts.pop(None, 0))


def mine(code: str, viewer: str) -> tuple[int | None] | None:
    """The viewer's own guess, in brackets because "never" is None; None if there is none."""

    def work(connection: Connection) -> tuple[int | None] | None:
        room = _row(connection, code).code
        own = (GUESSES.c.room == room, GUESSES.c.voter == number_of(room, viewer))
        row = connection.execute(select(GUESSES.c.iteration).where(*own)).one_or_none()
        return None if row is None else (row.iteration,)

    return transact(work)


def status(code: str) -> dict[str, object]:
    """What a page that waits for news needs: another version means that there are some.

    Raises:
        RoomError: there is no such room, or the store is away.
    """

    def work(connection: Connection) -> dict[str, object]:
        row = _row(connection, code)
        guesses = _tally(connection, row.code)
        return {
            "version": version(guesses, revealed=row.revealed),
            "guesses": guesses.total,
            "revealed": row.revealed,
        }

    return transact(work)


def version(guesses: Guesses, *, revealed: bool) -> str:
    """A name for what a room shows."""
    told = f"{sorted(guesses.counts.items())} {guesses.never} {revealed}"
    return blake2b(told.encode(), digest_size=6).hexdigest()
