"""A connection that does not finish its request is ended; one that waits for an answer is not."""

import asyncio
import contextlib

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.asyncio.client import connect

from pages.serving import half_sent
from tests.load.loop import run_apart
from tests.serving import free_port

PATIENCE = 0.3
LONG = 60.0  # for what ends at once, on any machine
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope, receive, send):
    """Answers later than a request may take to come; a websocket gets back what it says."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "bytes": message["bytes"]})
        return
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(3 * PATIENCE)
    size = (b"content-length", b"2")
    await send({"type": "http.response.start", "status": 200, "headers": [size]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.asynccontextmanager
async def served():
    class Own(H11Protocol):
        pass

    half_sent.set_deadline(Own)
    half_sent.set_deadline(Own)
    port = free_port()
    config = uvicorn.Config(app, port=port, http=Own, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await running


async def _told(port, *parts):
    """All that a connection gets that says this, with gaps between; it is ended by the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(PATIENCE / 4)
    async with asyncio.timeout(LONG):
        found = await reader.read()
    writer.close()
    return found


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(half_sent, "PATIENCE", PATIENCE)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [WHOLE[:20]],
        [b"GET / HTTP/1.1\r\n", *[b"a: b\r\n"] * 3],
        [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"],
    ],
    ids=["nothing", "half a header", "headers one by one", "half a body"],
)
def test_half_a_request_is_ended(parts):
    async def tried():
        async with served() as port:
            return await _told(port, *parts)

    assert run_apart(tried()) == b""


def test_a_slow_body_that_goes_on_is_not_ended():
    async def tried():
        async with served() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n")
            for part in (b"s", b"l", b"o", b"w", b"b", b"o", b"d", b"y"):  # twice the patience
                await asyncio.sleep(PATIENCE / 4)
                writer.write(part)
            async with asyncio.timeout(LONG):
                found = await reader.readuntil(b"ok")
            writer.close()
            return found

    assert run_apart(tried()).startswith(b"HTTP/1.1 200")


def test_who_waits_for_an_answer_is_not_ended_and_nor_is_who_then_asks_again():
    async def tried():
        async with served() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for part in (WHOLE, WHOLE[:9], WHOLE[9:]):
                writer.write(part)
                if part != WHOLE[:9]:
                    async with asyncio.timeout(LONG):
                        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            writer.write(WHOLE[:9])  # and now it is
            async with asyncio.timeout(LONG):
                assert await reader.read() == b""
            writer.close()

    run_apart(tried())


def test_a_websocket_that_says_nothing_is_not_ended():
    async def tried():
        async with served() as port, connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
            await asyncio.sleep(3 * PATIENCE)
            await socket.send(b"still here")
            return await socket.recv()

    assert run_apart(tried()) == b"still here"
