"""The store of polls, on SQLite and on a real PostgreSQL, empty for each test."""

import pytest

from pages.poll import database, rooms
from pages.poll.attempts import Attempts
from pages.poll.store import disconnect
from tests.postgres import WHAT_TO_INSTALL, is_installed, postgresql


@pytest.fixture(scope="session")
def server():
    if not is_installed():
        pytest.skip(WHAT_TO_INSTALL)
    with postgresql() as running:
        yield running


def use(monkeypatch, url):
    """Let the store be there for the rest of a test."""
    monkeypatch.setenv("GOOD_INIT_ROOMS", url)
    monkeypatch.setattr(rooms, "failed_attempts", Attempts(most=20, seconds=300))


@pytest.fixture
def in_sqlite(monkeypatch, tmp_path):
    monkeypatch.setattr(database, "PATIENCE", 0.3)
    use(monkeypatch, f"sqlite:///{tmp_path / 'made' / 'rooms.sqlite'}")
    yield tmp_path / "made" / "rooms.sqlite"
    disconnect()


@pytest.fixture
def in_postgresql(monkeypatch, server):
    use(monkeypatch, server.new_database())
    yield server
    disconnect()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    return request.getfixturevalue(f"in_{request.param}")
