"""Files of long runs, asked for by many: the host goes on, and stops what nobody waits for."""

import asyncio
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request

from pages.serving import export
from pages.work import answers
from tests.load.loop import run_apart
from tests.pages.serving.test_routes import get
from tests.pages.work.test_log import measured
from tests.serving import serve

LONG = "width=1024&depth=1000&weights=fresh"  # several seconds each
MANY = 60  # more than the threads that pages and scripts share
SOON = 60.0  # seconds; the files take longer


@pytest.fixture(scope="module")
def host():
    with serve(GOOD_INIT_RUNS_AT_ONCE="1") as address:
        yield address


def ask(address, path):
    """Send a request, and read nothing of the answer."""
    place = urlsplit(address)
    asking = socket.create_connection((place.hostname, place.port))
    asking.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    return asking


def until(address, **gauges):
    deadline = time.monotonic() + SOON
    while True:
        found = measured(address)
        if all(said(found[f"good_init_{name}",]) for name, said in gauges.items()):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_many_long_files_keep_no_page_waiting_and_end_with_who_asked(host):
    with ExitStack() as crowd:
        for seed in range(MANY):
            crowd.enter_context(ask(host, f"/export.csv?{LONG}&seed={seed}"))
        until(host, running=lambda n: n == 1, waiting=lambda n: 0 < n < MANY)
        for path in ("/health", "/", "/guess", "/export.csv?width=8&depth=2"):
            start = time.monotonic()
            assert get(host + path)[0] == 200
            assert time.monotonic() - start < SOON
    until(host, running=lambda n: n == 0, waiting=lambda n: n == 0)


def test_more_files_than_a_host_can_promise_are_refused_in_words(host):
    with ExitStack() as crowd:
        for seed in range(120):
            crowd.enter_context(ask(host, f"/export.csv?{LONG}&seed={seed}"))
        until(host, running=lambda n: n == 1)
        status, _, body = get(f"{host}/export.csv?{LONG}&seed=120")
    assert status == 503 and b"too many files" in body


@pytest.mark.parametrize(
    "route, query",
    [
        (0, "width=512&depth=2000&weights=fresh&seed=77"),
        (1, "x=scale=1,2&y=seed=1,2&networks=1&real=true&width=512&depth=1000&weights=fresh"),
    ],
    ids=["run", "map"],
)
def test_a_file_that_takes_too_long_ends_in_words(monkeypatch, route, query):
    """It has no part of the numbers: a file that lacks rows would pass for a whole one."""
    monkeypatch.setattr(answers.work(), "most_seconds", 0.1)

    async def stays():
        await asyncio.sleep(SOON)

    scope = {"type": "http", "path_params": {"kind": "csv"}, "query_string": query.encode()}
    answer = run_apart(export.ROUTES[route].endpoint(Request(scope | {"headers": []}, stays)))
    assert answer.status_code == 422
    assert answer.body.startswith(b"this took longer than 0.1 s, the most that this host allows;")
