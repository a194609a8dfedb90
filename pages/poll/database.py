"""The database of the polls, an SQLite file or PostgreSQL, set up so that nothing hangs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL, Connection

from core.host import settings

_ROOT = Path(__file__).parent.parent.parent
PATIENCE = 2
"""Seconds for each operation that may hang: connecting, waiting for a lock, a statement."""
MOST_CONNECTIONS = 8
_POOL: dict[str, Any] = {
    "pool_size": MOST_CONNECTIONS,
    "max_overflow": 0,
    "pool_timeout": PATIENCE,
    "hide_parameters": True,
}


def address() -> URL:
    """The address of the database that GOOD_INIT_ROOMS names."""
    url = make_url(settings.value("GOOD_INIT_ROOMS"))
    if url.drivername == "sqlite":
        return url.set(database=str(_ROOT / str(url.database)))
    return url.set(drivername="postgresql+psycopg")


def file_of(url: URL) -> tuple[int, ...] | None:
    """The file of an SQLite database, told from any other that had its name; None if it is gone.

    A connection to a file that was deleted reads and writes what no other process sees.
    """
    if url.drivername != "sqlite":
        return ()
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_way(path: Path) -> None:
    """Make the folder of a new file, and remove what is left beside a file that was deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        for part in ("-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": PATIENCE}, **_POOL)

    @event.listens_for(engine, "do_connect")
    def make_way(*_: object) -> None:
        _make_way(Path(str(url.database)))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions begin where ``begin`` below says
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        write_ahead(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that turns from reading to writing would be refused instead of waiting.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def write_ahead(connection: Any) -> None:
    """Let readers and a writer use the file side by side, by SQLite's write-ahead log.

    The file stores this setting. Processes that set it at the same moment on a new file collide:
    SQLite then fails at once, without waiting for the lock as it does elsewhere. So try again.
    """
    until = time.monotonic() + PATIENCE
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
    milliseconds = 1000 * PATIENCE
    return create_engine(
        url,
        connect_args={
            "connect_timeout": PATIENCE,
            "tcp_user_timeout": milliseconds,
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
            "prepare_threshold": None,  # behind a pooler each statement may get another connection
        },
        pool_pre_ping=True,
        **_POOL,
    )


def connect(url: URL) -> Engine:
    """The engine of a database; it connects at first use."""
    return (_sqlite if url.drivername == "sqlite" else _postgresql)(url)
