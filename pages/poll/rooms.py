"""Polls: a room per question, a guess per viewer. No name and no address is stored."""

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
from pages.poll.attempts import FailedAttempts
from pages.poll.codes import new_code, number_of, well_formed
from pages.poll.store import GUESSES, ROOMS, RoomError, exclusive, insert, transact

HOURS = 6
MOST_GUESSES = 1000  # in a room
MOST_ROOMS = 1000  # in the store
MOST_OPEN = 20  # by one viewer

failed_attempts = FailedAttempts(most=20, seconds=300)


@dataclass(frozen=True)
class Room:
    """A question to a class.

    Attributes:
        code: what a student types.
        experiment: the question is at which iteration its network breaks.
        teacher: the viewer who opened it, as a number that means nothing outside this room.
        revealed: whether the answer is shown; guesses are then closed.
    """

    code: str
    experiment: Experiment
    teacher: int
    revealed: bool

    def is_teacher(self, viewer: str) -> bool:
        """Whether this viewer is the teacher who opened the room."""
        return self.teacher == number_of(self.code, viewer)


def now() -> int:
    """The time by which rooms expire, in whole seconds since 1970."""
    return int(time.time())


def _room(row: Row) -> Room:
    experiment, _ = Experiment.from_query(dict(parse_qsl(row.query)))
    return Room(row.code, experiment, row.host, row.revealed)


def _row(connection: Connection, code: str, *, alone: bool = False) -> Row:
    """The row of a room, locked against other transactions if ``alone``; raises RoomError."""
    known = well_formed(code)
    query = select(ROOMS).where(ROOMS.c.code == known, ROOMS.c.expires > now())
    row = connection.execute(query.with_for_update() if alone else query).one_or_none()
    if row is None:
        raise RoomError("unknown", f"There is no room {shown(code)}: it is open for {HOURS} hours.")
    return row


@contextmanager
def limit_attempts(viewer: str) -> Iterator[None]:
    """Count the codes of a viewer that are no room; raises once there are too many."""
    if failed_attempts.too_many(viewer):
        raise RoomError("full", "Too many codes that are no room: try again in five minutes.")
    try:
        yield
    except RoomError as error:
        if error.kind == "unknown":
            failed_attempts.add(viewer)
        raise


def open(experiment: Experiment, viewer: str) -> Room:
    """Open a new room for a question, and delete the rooms that have expired.

    Raises:
        RoomError: too many rooms are open, or the store is away.
    """

    def work(connection: Connection) -> Room:
        exclusive(connection)
        connection.execute(delete(ROOMS).where(ROOMS.c.expires <= now()))
        opened = {
            row.code: row.host for row in connection.execute(select(ROOMS.c.code, ROOMS.c.host))
        }
        if len(opened) >= MOST_ROOMS:
            raise RoomError("full", "Too many rooms are open here: try again later.")
        own = sum(number == number_of(code, viewer) for code, number in opened.items())
        if own >= MOST_OPEN:
            raise RoomError(
                "full", f"You have {MOST_OPEN} rooms open: each ends after {HOURS} hours."
            )
        code = next(code for code in iter(new_code, None) if code not in opened)
        values = {"code": code, "query": urlencode(experiment.to_query()), "revealed": False}
        values |= {
            "host": number_of(code, viewer),
            "opened": now(),
            "expires": now() + 3600 * HOURS,
        }
        connection.execute(ROOMS.insert().values(values))
        return Room(code, experiment, values["host"], False)

    return transact(work, writes=True)


def find(code: str, viewer: str) -> Room | None:
    """The room with this code; None if there is none.

    Raises:
        RoomError: the viewer has tried too many codes, or the store is away.
    """
    try:
        with limit_attempts(viewer):
            return transact(lambda connection: _room(_row(connection, code)))
    except RoomError as error:
        if error.kind != "unknown":
            raise
        return None


def guess(code: str, viewer: str, iteration: int | None) -> None:
    """Store a viewer's guess in place of the one before; None is "never".

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
    """Show the answer and close the guesses; only the room's teacher may.

    Raises:
        RoomError: the viewer is not the teacher, there is no such room, or the store is away.
    """

    def work(connection: Connection) -> None:
        row = _row(connection, code, alone=True)
        if not _room(row).is_teacher(viewer):
            raise RoomError("teacher", "Only the teacher who opened the room can show the answer.")
        connection.execute(update(ROOMS).where(ROOMS.c.code == row.code).values(revealed=True))

    transact(work, writes=True)


def counted_guesses(code: str) -> Guesses:
    """How often each iteration was guessed; raises RoomError."""

    def work(connection: Connection) -> Guesses:
        return _counted(connection, _row(connection, code).code)

    return transact(work)


def _counted(connection: Connection, code: str) -> Guesses:
    made = GUESSES.c.iteration
    query = select(made, func.count().label("total")).where(GUESSES.c.room == code).group_by(made)
    counts = {row.iteration: row.total for row in connection.execute(query)}
    return Guesses(counts, counts.pop(None, 0))


def own_guess(code: str, viewer: str) -> tuple[int | None] | None:
    """The viewer's guess in a tuple, for the guess "never" is None; None if there is no guess."""

    def work(connection: Connection) -> tuple[int | None] | None:
        room = _row(connection, code).code
        own = (GUESSES.c.room == room, GUESSES.c.voter == number_of(room, viewer))
        row = connection.execute(select(GUESSES.c.iteration).where(*own)).one_or_none()
        return None if row is None else (row.iteration,)

    return transact(work)


def status(code: str) -> dict[str, object]:
    """What a waiting page has to know of a room; its version changes with what the room shows.

    Raises:
        RoomError: there is no such room, or the store is away.
    """

    def work(connection: Connection) -> dict[str, object]:
        row = _row(connection, code)
        guesses = _counted(connection, row.code)
        return {
            "version": version(guesses, revealed=row.revealed),
            "guesses": guesses.total,
            "revealed": row.revealed,
        }

    return transact(work)


def version(guesses: Guesses, *, revealed: bool) -> str:
    """A short text that differs whenever a room shows something else."""
    shows = f"{sorted(guesses.counts.items())} {guesses.never} {revealed}"
    return blake2b(shows.encode(), digest_size=6).hexdigest()
