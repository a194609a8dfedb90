"""Polls: a room per question, a guess per viewer. No name and no address is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from urllib.parse import urlencode

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection

from core.question.experiment import Experiment
from core.reading.guesses import Guesses
from core.text import shown
from pages.poll import floods
from pages.poll.attempts import Attempts
from pages.poll.codes import network_of, new_code, number_of
from pages.poll.room import HOURS, Room, lead_on, now, room_of, row_of
from pages.poll.store import GUESSES, ROOMS, RoomError, exclusive, insert, transact

MOST_GUESSES = 1000  # in a room
MOST_ROOMS = 1000  # in the store
MOST_OPEN = 20  # by one viewer

failed_attempts = Attempts(most=20, seconds=300)
# By address: 300 people behind one may each mistype ten codes, and a code is one of 200 million.
failed_from_address = Attempts(most=3000, seconds=300)
# By address: 1200 people in several classes may each guess four times.
guessings = Attempts(most=5000, seconds=600)
# Three processes that each let one address open so many leave room for others until they expire.
openings = Attempts(most=50, seconds=3600)


@contextmanager
def limit_attempts(viewer: str, address: str | None = None) -> Iterator[None]:
    """Count the codes of a viewer, and of an address, that are no room; raises if too many are."""
    if failed_attempts.too_many(viewer):
        raise RoomError("full", "Too many codes that are no room: try again in five minutes.")
    if address and failed_from_address.too_many(address):
        words = "Too many codes from your network are no room: try again in five minutes."
        raise RoomError("full", words)
    try:
        yield
    except RoomError as error:
        if error.kind == "unknown":
            failed_attempts.add(viewer)
            if address:
                failed_from_address.add(address)
        raise


def open(
    experiment: Experiment, viewer: str, *, address: str | None = None, after: str | None = None
) -> Room:
    """Open a new room for a question, and delete the rooms that have expired.

    Args:
        experiment: the question.
        viewer: becomes the room's teacher.
        address: where the viewer is. Rooms are counted by it too: another viewer is only a cookie.
        after: the code of a room of the same teacher; the phones in it go on to the new room.

    Raises:
        RoomError: too many rooms are open, or the store is away.
    """
    if address and not openings.admit(address):
        raise RoomError("full", "Too many rooms were opened from your network: try again later.")

    def work(connection: Connection) -> Room:
        exclusive(connection)
        connection.execute(delete(ROOMS).where(ROOMS.c.expires <= now()))
        code = _free_code(connection, viewer)
        values = {"code": code, "query": urlencode(experiment.to_query()), "revealed": False}
        values |= {
            "host": number_of(code, viewer),
            "opened": now(),
            "expires": now() + 3600 * HOURS,
        }
        connection.execute(ROOMS.insert().values(values))
        if after:
            lead_on(connection, after, viewer, code)
        return Room(code, experiment, values["host"], False)

    return transact(work, writes=True)


def _free_code(connection: Connection, viewer: str) -> str:
    """A code that no open room has; raises RoomError if too many rooms are open."""
    opened = {row.code: row.host for row in connection.execute(select(ROOMS.c.code, ROOMS.c.host))}
    if len(opened) >= MOST_ROOMS:
        raise RoomError("full", "Too many rooms are open here: try again later.")
    own = sum(number == number_of(code, viewer) for code, number in opened.items())
    if own >= MOST_OPEN:
        raise RoomError("full", f"You have {MOST_OPEN} rooms open: each ends after {HOURS} hours.")
    return next(code for code in iter(new_code, None) if code not in opened)


def find(code: str, viewer: str, address: str | None = None) -> Room | None:
    """The room with this code; None if there is none.

    Raises:
        RoomError: the viewer or the address has tried too many codes, or the store is away.
    """
    try:
        with limit_attempts(viewer, address):
            return transact(lambda connection: room_of(row_of(connection, code)))
    except RoomError as error:
        if error.kind != "unknown":
            raise
        return None


def guess(code: str, viewer: str, iteration: int | None, address: str | None = None) -> None:
    """Store a viewer's guess in place of the one before; None is "never".

    Args:
        code: of the room.
        viewer: the guesser.
        iteration: the guess.
        address: where the viewer is. Guesses are counted by it too.

    Raises:
        RoomError: there is no such room or iteration, the answer is shown, the room is full or
            takes no more from this address, or the store is away.
    """
    if address and not guessings.admit(address):
        raise RoomError("full", "Too many guesses come from your network: wait ten minutes.")

    def work(connection: Connection) -> None:
        row = row_of(connection, code, alone=True)
        last = room_of(row).experiment.depth - 1
        if iteration is not None and not 0 <= iteration <= last:
            allowed = f"a whole number from 0 to {last}, or never"
            raise RoomError("value", f"A guess must be {allowed}, got {shown(iteration)}.")
        if row.revealed:
            raise RoomError("closed", "The answer is shown: guesses are closed.")
        voter = number_of(row.code, viewer)
        network = network_of(row.code, address) if address else None
        _check_place(connection, row.code, voter, network)
        made = {"iteration": iteration, "network": network}
        new = insert(connection, GUESSES).values(room=row.code, voter=voter, **made)
        key = [GUESSES.c.room, GUESSES.c.voter]
        connection.execute(new.on_conflict_do_update(index_elements=key, set_=made))

    transact(work, writes=True)


def _check_place(connection: Connection, room: str, voter: int, network: int | None) -> None:
    """Raise RoomError if the room has no place for a guess."""
    if network is not None:
        floods.check(connection, room, voter, network)
    others = select(func.count()).where(GUESSES.c.room == room, GUESSES.c.voter != voter)
    if connection.execute(others).scalar_one() >= MOST_GUESSES:
        raise RoomError("full", f"This room is full: it holds {MOST_GUESSES} guesses.")


def reveal(code: str, viewer: str) -> None:
    """Show the answer and close the guesses; only the room's teacher may.

    Raises:
        RoomError: the viewer is not the teacher, there is no such room, or the store is away.
    """

    def work(connection: Connection) -> None:
        row = row_of(connection, code, alone=True)
        if not room_of(row).is_teacher(viewer):
            raise RoomError("teacher", "Only the teacher who opened the room can show the answer.")
        connection.execute(update(ROOMS).where(ROOMS.c.code == row.code).values(revealed=True))

    transact(work, writes=True)


def counted_guesses(code: str) -> Guesses:
    """How often each iteration was guessed; raises RoomError."""

    def work(connection: Connection) -> Guesses:
        return _counted(connection, row_of(connection, code).code)

    return transact(work)


def _counted(connection: Connection, code: str) -> Guesses:
    made = GUESSES.c.iteration
    query = select(made, func.count().label("total")).where(GUESSES.c.room == code).group_by(made)
    counts = {row.iteration: row.total for row in connection.execute(query)}
    return Guesses(counts, counts.pop(None, 0))


def own_guess(code: str, viewer: str) -> tuple[int | None] | None:
    """The viewer's guess in a tuple, for the guess "never" is None; None if there is no guess."""

    def work(connection: Connection) -> tuple[int | None] | None:
        room = row_of(connection, code).code
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
        row = row_of(connection, code)
        guesses = _counted(connection, row.code)
        return {
            "version": version(guesses, revealed=row.revealed),
            "guesses": guesses.total,
            "revealed": row.revealed,
            "stage": room_of(row).stage,
        }

    return transact(work)


def version(guesses: Guesses, *, revealed: bool) -> str:
    """A short text that differs whenever a room shows something else."""
    shows = f"{sorted(guesses.counts.items())} {guesses.never} {revealed}"
    return blake2b(shows.encode(), digest_size=6).hexdigest()
