"""The tables of polls, and transactions on them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Literal, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pages.poll import database

_LOG = logging.getLogger("good_init")
_LOCK = 7_240_155_309  # names our lock in PostgreSQL, which other programs may share
LONGEST_QUERY = 600
_LONGEST = 5  # seconds that a viewer waits
_EMPTY = ("no such table", "UndefinedTable")

_metadata = MetaData()
ROOMS = Table(
    "rooms",
    _metadata,
    Column("code", String(6), primary_key=True),
    Column("query", String(LONGEST_QUERY), nullable=False),
    Column("host", BigInteger, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
    Column("revealed", Boolean, nullable=False),
)
GUESSES = Table(
    "guesses",
    _metadata,
    Column("room", ForeignKey(ROOMS.c.code, ondelete="CASCADE"), primary_key=True),
    Column("voter", BigInteger, primary_key=True, autoincrement=False),
    Column("iteration", Integer),
)

T = TypeVar("T")
_engines: dict[str, Engine] = {}
_ready: set[str] = set()
_making = threading.Lock()
_one_writer = threading.Lock()
_workers = ThreadPoolExecutor(database.MOST_CONNECTIONS, "rooms")


class RoomError(Exception):
    """Why something was not done, in a sentence for the viewer.

    Attributes:
        kind: what is the matter, for whoever has to act on it.
    """

    def __init__(
        self, kind: Literal["unknown", "closed", "full", "host", "value", "away"], words: str
    ) -> None:
        super().__init__(words)
        self.kind = kind


def exclusive(connection: Connection) -> None:
    """Until the end of this transaction nobody else does what only one may do at a time."""
    if connection.dialect.name == "postgresql":  # in SQLite every transaction that writes is alone
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def transact(work: Callable[[Connection], T], *, writes: bool = False) -> T:
    """Do some work in one transaction; once more if the connection broke under it.

    In a thread of its own: from a database that is frozen there is no other way back in time.

    Raises:
        RoomError: the store cannot be reached or cannot be written; and what the work raises.
    """
    key = database.address().render_as_string(hide_password=False)
    given_up = threading.Event()

    def in_time(connection: Connection) -> T:
        result = work(connection)
        if (
            given_up.is_set()
        ):  # the viewer was told that it failed, and may have done something else
            raise TimeoutError
        return result

    done = _workers.submit(_twice, key, in_time, writes)
    try:
        return done.result(_LONGEST)
    except (SQLAlchemyError, OSError, ImportError) as error:  # a timeout is an OSError
        given_up.set()
        done.cancel()
        _LOG.error("the store of polls is away: %s", str(error) or "no answer")
        raise RoomError("away", "The guesses cannot be reached right now.") from error


def _twice(key: str, work: Callable[[Connection], T], writes: bool) -> T:
    try:
        return _once(key, work, writes)
    except DBAPIError as error:
        if not _may_pass(key, error):
            raise
        return _once(key, work, writes)


def _may_pass(key: str, error: DBAPIError) -> bool:
    """Whether the same may succeed at once: the database was restarted, or came back empty."""
    is_empty = any(sign in str(error) for sign in _EMPTY)
    if is_empty:
        _ready.discard(key)
    return is_empty or error.connection_invalidated


def _once(key: str, work: Callable[[Connection], T], writes: bool) -> T:
    engine = _engine(key)
    if key not in _ready:
        with engine.execution_options(writes=True).begin() as connection:
            exclusive(connection)
            _metadata.create_all(connection)
        _ready.add(key)
    # Writers to a file stand in line here, where it is short: SQLite lets those who wait try again
    # in no order.
    turn = _one_writer if writes and engine.dialect.name == "sqlite" else nullcontext()
    with turn, engine.execution_options(writes=writes).begin() as connection:
        return work(connection)


def _engine(key: str) -> Engine:
    """The one engine of this process."""
    with _making:
        if key not in _engines:
            _engines[key] = database.connect(database.address())
        return _engines[key]
