"""The tables of the polls, and transactions on them."""

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
    inspect,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pages.poll import database

_LOG = logging.getLogger("good_init")
_LOCK = 7_240_155_309  # the number of our advisory lock, in a PostgreSQL that others may use too
LONGEST_QUERY = 600
LONGEST_WAIT = 5
"""Seconds that a viewer waits for a transaction."""
_MISSING = ("no such table", "no such column", "has no column", "UndefinedTable", "UndefinedColumn")
"""In the error if tables are missing, or are those of an older version."""

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
    Column("cleared", Integer),
)
GUESSES = Table(
    "guesses",
    _metadata,
    Column("room", ForeignKey(ROOMS.c.code, ondelete="CASCADE"), primary_key=True),
    Column("voter", BigInteger, primary_key=True, autoincrement=False),
    Column("iteration", Integer),
    Column("network", Integer),
)
KEPT_OUT = Table(
    "kept_out",
    _metadata,
    Column("room", ForeignKey(ROOMS.c.code, ondelete="CASCADE"), primary_key=True),
    Column("network", Integer, primary_key=True, autoincrement=False),
)
NEXT_ROOMS = Table(
    "next_rooms",
    _metadata,
    Column("room", ForeignKey(ROOMS.c.code, ondelete="CASCADE"), primary_key=True),
    Column("code", String(6), nullable=False),
)

T = TypeVar("T")
_engines: dict[str, Engine] = {}
_ready: dict[str, tuple[int, ...] | None] = {}  # address -> the file with the tables
_making = threading.Lock()
_one_writer = threading.Lock()
_workers = ThreadPoolExecutor(database.MOST_CONNECTIONS, "rooms")


class RoomError(Exception):
    """Why something was not done, in a sentence for the viewer.

    Attributes:
        kind: the reason, for the caller.
    """

    def __init__(
        self, kind: Literal["unknown", "closed", "full", "teacher", "value", "away"], words: str
    ) -> None:
        super().__init__(words)
        self.kind = kind


def exclusive(connection: Connection) -> None:
    """Let all other exclusive transactions wait for the end of this one."""
    if connection.dialect.name == "postgresql":  # in SQLite every transaction that writes is alone
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def transact(work: Callable[[Connection], T], *, writes: bool = False) -> T:
    """Do some work in one transaction; a second time if the connection broke under it.

    The work is done in another thread, because a call to a frozen database cannot be ended.

    Args:
        work: what to do; it may raise a RoomError of its own.
        writes: whether it changes anything.

    Raises:
        RoomError: the store cannot be reached or cannot be written.
    """
    key = _key()
    given_up = threading.Event()

    def in_time(connection: Connection) -> T:
        result = work(connection)
        if given_up.is_set():  # the viewer was told that it failed: so nothing may be written now
            raise TimeoutError
        return result

    done = _workers.submit(_twice, key, in_time, writes)
    try:
        return done.result(LONGEST_WAIT)
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
    """Whether a second try may succeed: the database was restarted, or its tables are gone."""
    is_incomplete = any(sign in str(error) for sign in _MISSING)
    if is_incomplete:
        with _making:
            _forget(key)
    return is_incomplete or error.connection_invalidated


def _once(key: str, work: Callable[[Connection], T], writes: bool) -> T:
    engine = _engine_of(key)
    if key not in _ready:
        with engine.execution_options(writes=True).begin() as connection:
            exclusive(connection)
            _make_tables(connection)
        _ready[key] = database.file_of(engine.url)
    # Writers to an SQLite file queue here: SQLite itself lets them try again, in no order.
    turn = _one_writer if writes and engine.dialect.name == "sqlite" else nullcontext()
    with turn, engine.execution_options(writes=writes).begin() as connection:
        return work(connection)


def _make_tables(connection: Connection) -> None:
    """Make the tables that are missing, and the columns that an older version did not have."""
    _metadata.create_all(connection)
    for table in _metadata.sorted_tables:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD {column.name} {kind}"))


def engine() -> Engine:
    """The engine of the database that is set; this process has one."""
    return _engine_of(_key())


def disconnect() -> None:
    """Close all connections; the next transaction connects anew."""
    with _making:
        for key in list(_engines):
            _forget(key)


def _forget(key: str) -> None:
    """Let the next transaction connect anew and look for the tables; the caller holds the lock."""
    _ready.pop(key, None)
    if known := _engines.pop(key, None):
        known.dispose()


def _key() -> str:
    return database.address().render_as_string(hide_password=False)


def _engine_of(key: str) -> Engine:
    url = database.address()
    with _making:
        if key in _ready and _is_another(database.file_of(url), _ready[key]):
            _LOG.error("the file of polls was deleted: a new one is made, and the rooms are gone")
            _forget(key)
        if key not in _engines:
            _engines[key] = database.connect(url)
        return _engines[key]


def _is_another(found: tuple[int, ...] | None, known: tuple[int, ...] | None) -> bool:
    return found is None or found != known
