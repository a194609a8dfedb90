"""Floods: more connections, cookies and half-finished requests than a class ever makes."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import random
import re
import resource
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeVar

from streamlit.proto.Element_pb2 import Element
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from core.question.experiment import Experiment
from pages.poll import floods, rooms
from pages.poll.codes import ALPHABET
from pages.poll.store import disconnect
from tests.load.crowd import CUT_OFF, Elsewhere, percentile
from tests.load.faults import Outcome
from tests.load.loop import run_apart
from tests.load.viewer import Answer, Viewer
from tests.serving import App, processes

T = TypeVar("T")
CLASS, FLOOD, TEACHER = "192.0.2.7", "198.51.100.9", "teacher-0123456789-0123456789"
_FEW_FILES = 1024  # open files, as many shells allow
_AT_ONCE = 20
_PUPILS = 20
_PAUSE = 1.0  # seconds between a pupil's guesses
_MOST = 1.0  # seconds that a pupil should wait at the most, in 19 of 20 cases


class Guest(Viewer):
    """A viewer who presses buttons by their labels, and reads what is said."""

    def __init__(self, address: str, room: str = "", *, visitor: str, origin: str) -> None:
        super().__init__(address, {"room": room} if room else {}, visitor=visitor, origin=origin)
        self.buttons: dict[str, tuple[str, str]] = {}
        self.told = ""

    def _look(self, element: Element, fragment: str, answer: Answer) -> None:
        super()._look(element, fragment, answer)
        kind = element.WhichOneof("type")
        if kind == "button":
            self.buttons[element.button.label] = element.button.id, fragment
        elif kind == "alert":
            self.told += element.alert.body
        elif kind == "html" and element.html.body.startswith(_SAYS):
            self.told += _words(element.html.body)

    async def enter(self) -> Answer:
        """Open the page: that of the room, if there is one."""
        await self.connect()
        message = self.run([])
        message.rerun_script.page_name = "guess" if "room" in self.query else ""
        return await self.ask(message)

    async def press(self, label: str) -> Answer:
        """Press a button, and read what is said then."""
        name, fragment = self.buttons[label]
        pressed = WidgetState(id=name, trigger_value=True)
        message = self.run([*self.states.values(), pressed])
        message.rerun_script.fragment_id = fragment
        self.told = ""
        return await self.ask(message)


_SAYS = ('<p class="gi-feedback', '<div class="gi-problems', '<div class="gi-room')


def _words(told: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", told).split()))


async def malformed(address: str) -> dict[str, int]:
    """Send what no page sends: what was sent -> the code by which the connection was ended."""
    header = b"\x81\x82\x00\x00\x00\x00"  # of a text of two bytes
    messages: dict[str, bytes | str] = {
        "garbage": b"\xff\xfe garbage",
        "empty": b"",
        "text": "hello",
        "large": bytes(2_000_000),
    }
    ends = {}
    for name in [*messages, "not UTF-8"]:
        stream = address.replace("http", "ws", 1) + "/_stcore/stream"
        async with connect(stream, proxy=None) as socket:
            with contextlib.suppress(ConnectionClosed):
                if name in messages:
                    await socket.send(messages[name])
                else:
                    socket.transport.write(header + b"\xff\xff")
                async with asyncio.timeout(60):
                    while True:
                        await socket.recv()
            ends[name] = socket.close_code or 0
    return ends


def _open_files(app: App) -> int:
    return len(list(Path(f"/proc/{app.process.pid}/fd").iterdir()))


def half_sent(app: App, count: int = 50, patience: float = 30.0) -> Outcome:
    """Connections that begin a request and never end it."""
    before = _open_files(app)
    start = time.perf_counter()
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            to = stack.enter_context(socket.create_connection(("127.0.0.1", app.port)))
            to.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        time.sleep(0.5)
        held = left = _open_files(app) - before
        while left > 0 and time.perf_counter() - start < patience:
            time.sleep(0.5)
            left = _open_files(app) - before
    took = time.perf_counter() - start
    seen = f"{held} open files, {max(left, 0)} of them after {took:.0f} s"
    return Outcome(f"{count} half-sent requests", seen, is_fine=held > count / 2 and left <= 0)


@contextlib.contextmanager
def few_files() -> Iterator[None]:
    """What is started now may open few files, unless it raises its limit itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FEW_FILES, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _arrive_and_stay(app: App, count: int) -> tuple[list[float], list[str], int]:
    """Times of arrivals, what went wrong, and the open files of the app with all viewers there."""
    times: list[float] = []
    errors: list[str] = []
    doors = asyncio.Semaphore(_AT_ONCE)

    async def arrive(viewer: Viewer) -> None:
        try:
            async with doors:
                answer = await viewer.arrive()
            times.append(answer.seconds)
            errors.extend(answer.exceptions)
        except (TimeoutError, *CUT_OFF) as error:
            errors.append(repr(error))

    async with contextlib.AsyncExitStack() as stack:
        viewers = [Viewer(app.address, {}, visitor=f"viewer{k:020}") for k in range(count)]
        for viewer in viewers:
            await stack.enter_async_context(viewer)
        await asyncio.gather(*map(arrive, viewers))
        files = _open_files(app)
        steps = [await viewer.step("scale", "0.1") for viewer in viewers[:: count // 10]]
        errors += [error for step in steps for error in step.exceptions]
    return times, errors, files


def many_connections(count: int = 300) -> Outcome:
    """Viewers of Explore who stay, on a process whose shell allows it few open files."""
    with few_files():
        app = App()
    try:
        app.wait_until_ready()
        times, errors, files = run_apart(_arrive_and_stay(app, count))
        allowed = Path(f"/proc/{app.process.pid}/limits").read_text()
    finally:
        app.stop()
    [limit] = [line.split()[3] for line in allowed.splitlines() if line.startswith("Max open")]
    seen = (
        f"{len(times)} served, last after {max(times, default=float('nan')):.1f} s; "
        f"{len(errors)} errors; {files} open files of {limit}"
    )
    done = f"{count} viewers at ulimit -n {_FEW_FILES}"
    return Outcome(done, seen, is_fine=len(times) == count and not errors)


async def _each(count: int, do: Callable[[int], Awaitable[str]]) -> Counter[str]:
    """The answers to so many requests, some of them at once: the words -> how often."""
    doors = asyncio.Semaphore(_AT_ONCE)

    async def one(k: int) -> str:
        async with doors:
            try:
                return await do(k)
            except (TimeoutError, *CUT_OFF) as error:
                return repr(error)

    return Counter(await asyncio.gather(*(one(k) for k in range(count))))


async def _flood(address: str, room: str, cookies: int) -> list[Counter[str]]:
    """New cookies, all from one address: what they are told who guess, try codes and open rooms."""

    async def guess(k: int) -> str:
        async with Guest(address, room, visitor=f"cookie{k:020}", origin=FLOOD) as guest:
            await guest.enter()
            await guest.press("It never does")
            return guest.told

    async def open_room(k: int) -> str:
        async with Guest(address, visitor=f"opener{k:020}", origin=FLOOD) as guest:
            await guest.enter()
            await guest.press("Share")
            await guest.press("Ask the class")
            return "a room" if guest.told.startswith("Join at") else guest.told

    async def try_code(k: int) -> str:
        return await asyncio.to_thread(_asked, f"{address}/rooms/{_code(k)}.json", k % cookies)

    openers, codes = cookies // 10, 4 * cookies
    return [
        await _each(cookies, guess),
        await _each(openers, open_room),
        await _each(codes, try_code),
    ]


def _code(k: int) -> str:
    return "AA" + "".join(ALPHABET[k // 25**place % 25] for place in range(4))


def _asked(url: str, cookie: int) -> str:
    """The status of a request from the flood's address."""
    headers = {"X-Forwarded-For": FLOOD, "Cookie": f"good_init_viewer=tries{cookie:020}"}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as done:
            return str(done.status)
    except urllib.error.HTTPError as refusal:
        return str(refusal.code)


def _run_flood(address: str, room: str, cookies: int) -> list[Counter[str]]:
    return asyncio.run(_flood(address, room, cookies))


async def _class(
    address: str, room: str, flood: Callable[[], Future[T]], seconds: float
) -> tuple[list[float], list[float], list[str], T]:
    """Pupils who change their guess again and again: times alone, times beside a flood, errors."""
    alone: list[float] = []
    beside: list[float] = []
    errors: list[str] = []
    times, is_over = alone, False

    async def pupil(k: int) -> None:
        choose = random.Random(k)
        async with Guest(address, room, visitor=f"pupil{k:020}", origin=CLASS) as guest:
            errors.extend((await guest.enter()).exceptions)
            while not is_over:
                await asyncio.sleep(choose.expovariate(1 / _PAUSE))
                into, answer = times, await guest.press("It never does")
                into.append(answer.seconds)
                errors.extend(answer.exceptions)
                if not guest.told.startswith("Your guess"):
                    errors.append(guest.told)

    pupils = asyncio.gather(*(pupil(k) for k in range(_PUPILS)))
    await asyncio.sleep(seconds)
    times = beside
    told = await asyncio.wrap_future(flood())
    is_over = True
    await pupils
    return alone, beside, errors, told


def one_address(app: App, cookies: int = 1000, seconds: float = 10.0) -> Iterator[Outcome]:
    """New cookies from one address, while a class that was there before guesses in another room."""
    flooded, other = (rooms.open(Experiment(), TEACHER).code for _ in range(2))
    with Elsewhere() as process:
        work = partial(process.submit, _run_flood, app.address, flooded, cookies)
        alone, beside, errors, told = run_apart(_class(app.address, other, work, seconds))
    for done, counts in zip(("guess in one room", "open rooms", "try codes"), told, strict=True):
        seen = "".join(f"\n    {count} × {words}" for words, count in counts.most_common())
        yield Outcome(f"new cookies of one address {done}", seen, is_fine=_is_bounded(done, counts))
    flood = floods.networks_of(flooded).flood
    seen = f"{flood.guesses} of {flood.total} guesses" if flood else "nothing"
    many = min(cookies, floods.MOST_FROM_ONE) if cookies > floods.MANY else 0
    fine = (flood.guesses if flood else 0) == many
    yield Outcome("  the room's teacher is told of", seen, is_fine=fine)
    p50, p95, before = percentile(beside, 50), percentile(beside, 95), percentile(alone, 95)
    seen = (
        f"{len(beside)} guesses, p50 {p50:.2f} s, p95 {p95:.2f} s (before: p95 {before:.2f} s), "
        f"{len(errors)} errors{''.join(f' {error}' for error in errors[:3])}"
    )
    yield Outcome("  another class in another room", seen, is_fine=not errors and p95 < _MOST)


def _is_bounded(done: str, counts: Counter[str]) -> bool:
    """Whether no more came through than one address may do."""
    bounds = {
        "guess in one room": ("Your guess", floods.MOST_FROM_ONE),
        "open rooms": ("a room", rooms.openings.most),
        "try codes": ("404", rooms.failed_from_address.most),
    }
    words, most = bounds[done]
    through = sum(count for told, count in counts.items() if told.startswith(words))
    return 0 < through < most + _AT_ONCE  # a code is counted once it is known to be no room


def outcomes() -> Iterator[Outcome]:
    """Every flood at full size."""
    yield many_connections()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GOOD_INIT_ROOMS"] = f"sqlite:///{folder}/rooms.sqlite"
        with processes(1) as [app]:
            yield half_sent(app)
            yield from one_address(app)
            ends = run_apart(malformed(app.address))
            fine = set(ends.values()) == {1002, 1003, 1007, 1009}
            yield Outcome("malformed websocket messages", f"ended with {ends}", is_fine=fine)
        disconnect()
