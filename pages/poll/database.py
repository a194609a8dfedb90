"""The database that polls are kept in: a file of SQLite's, or PostgreSQL; nothing hangs in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL, Connection

from core.host import settings

_ROOT = Path(__file__).parent.parent.parent
_PATIENCE = 2  # seconds for each thing that may hang: connecting, waiting for a lock, a statement
MOST_CONNECTIONS = 8
_POOL: dict[str, Any] = {
    "pool_size": MOST_CONNECTIONS,
    "max_overflow": 0,
    "pool_timeout": _PATIENCE,
    "hide_parameters": True,
}


def address() -> URL:
    """The database that GOOD_INIT_ROOMS names: a file of SQLite's, or PostgreSQL."""
    url = make_url(settings.value("GOOD_INIT_ROOMS"))
    if url.drivername == "sqlite":
        return url.set(database=str(_ROOT / str(url.database)))
    return url.set(drivername="postgresql+psycopg")


def _sqlite(url: URL) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _PATIENCE}, **_POOL)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        _write_ahead(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A reader that becomes a writer half-way would be refused instead of waiting its turn.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _write_ahead(connection: Any) -> None:
    """Readers and a writer side by side; the file remembers, but the first to say so may collide.

    SQLite gives up on that at once, however long it may wait for a lock.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _postgresql(url: URL) -> Engine:
    milliseconds = 1000 * _PATIENCE
    return create_engine(
        url,
        connect_args={
            "connect_timeout": _PATIENCE,
            "tcp_user_timeout": milliseconds,
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
            "prepare_threshold": None,  # a pooler between us may hand out another connection
        },
        pool_pre_ping=True,
        **_POOL,
    )


def connect(url: URL) -> Engine:
    """The way to a database; nothing is sent to it yet."""
    return (_sqlite if url.drivername == "sqlite" else _postgresql)(url)
