"""What goes wrong on a host, done on purpose: each fault is one line of a table."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from tests.hosting.proxy import NGINX, WHAT_TO_INSTALL, behind_nginx
from tests.load import hostile
from tests.load.crowd import BACK_WITHIN, CUT_OFF, Plan, elsewhere, next_step, percentile
from tests.load.loop import run_apart
from tests.load.memory import cpu_seconds, resident
from tests.load.truth import wrong
from tests.load.viewer import Viewer
from tests.serving import ROOT, App, processes

_LONG = {"width": "2048", "depth": "2000", "weights": "fresh"}  # a minute, if nobody stops it
_ENDS_WITHIN = 20  # seconds; a machine that others use takes several, and the run takes more
_AT_ONCE = 8
_MOST_GROWTH = 50.0  # MB


@dataclass(frozen=True)
class Outcome:
    """One line of the table: what was done, what viewers saw, whether it was as it should be."""

    done: str
    seen: str
    is_fine: bool


def lost_process(viewers: int = 30, seconds: float = 20.0, ramp: float = 10.0) -> Outcome:
    """One of three processes behind nginx is killed while a crowd steps."""
    done = f"kill -9 of one of three processes, {viewers} viewers stepping"
    if NGINX is None:
        return Outcome(done, WHAT_TO_INSTALL, is_fine=False)
    with processes(3) as apps, behind_nginx(apps) as proxy:
        kill_at = time.monotonic() + ramp + seconds / 2

        def meanwhile() -> None:
            if time.monotonic() > kill_at and apps[0].process.poll() is None:
                apps[0].kill()

        report = elsewhere(Plan(proxy.address, viewers, seconds, ramp, comes_back=True), meanwhile)
    strayed = wrong(report.screens)
    slowest = max(report.returns, default=float("nan"))
    seen = (
        f"{len(report.returns)} cut off, all back within {slowest:.1f} s; "
        f"{len(report.errors)} errors, {len(strayed)} of {len(report.screens)} views wrong"
    )
    everyone = len(report.screens) == viewers and not report.errors and not strayed
    return Outcome(done, seen, is_fine=everyone and slowest < BACK_WITHIN)


async def _leave_in_mid_run(app: App) -> tuple[float, float | None, list[str]]:
    """Processor share during a long run, seconds from its viewer's leaving to its end, errors."""

    async def share(seconds: float) -> float:
        before = cpu_seconds(app.process.pid)
        await asyncio.sleep(seconds)
        return (cpu_seconds(app.process.pid) - before) / seconds

    async with Viewer(app.address, {}) as other, Viewer(app.address, _LONG) as leaving:
        await other.arrive()
        await leaving.connect()
        await leaving.send(leaving.run())
        busy = 0.0
        for _ in range(_ENDS_WITHIN):
            if (busy := await share(1.0)) > 0.1:
                break
        leaving.vanish()
        ended = None
        for seconds in range(1, _ENDS_WITHIN + 1):
            if await share(1.0) < min(0.2, busy / 3):
                ended = float(seconds)
                break
        answer = await other.step("depth", "90")
        return busy, ended, answer.exceptions + wrong([(other.query, other.verdict)])


def leaving_in_mid_run(app: App) -> Outcome:
    """A viewer closes the tab while a run of a minute is under way."""
    busy, ended, errors = run_apart(_leave_in_mid_run(app))
    idle = "never idle" if ended is None else f"idle within {ended:.0f} s"
    seen = f"processor {busy:.0%} before, {idle} of leaving; others: {len(errors)} errors"
    # On a machine that others use the run gets a part of a core only; once gone it takes none.
    fine = busy > 0.1 and ended is not None and not errors
    return Outcome("a viewer leaves in mid-run", seen, is_fine=fine)


async def _hostile_visit(
    app: App, query: list[tuple[str, str]], choose: random.Random
) -> list[str]:
    """Open a link, send forged values, then some of no kind; the errors before these."""
    try:
        async with Viewer(app.address, {}) as viewer:
            await viewer.connect()
            link = viewer.run()
            link.rerun_script.query_string = urlencode(query)
            link.rerun_script.page_name = choose.choice(hostile.PAGES)
            opened = await viewer.ask(link)
            shown = list(viewer.states.values())
            forgery = viewer.run([hostile.forged(state, choose) for state in shown])
            forgery.rerun_script.fragment_id = choose.choice([viewer.fragment, ""])
            forged = await viewer.ask(forgery)
            await viewer.ask(viewer.run([hostile.of_no_kind(state) for state in shown]))
            nothing = [] if opened.elements else ["nothing on the page"]
            return opened.exceptions + forged.exceptions + nothing
    except (TimeoutError, *CUT_OFF) as error:
        return [repr(error)]


async def _hostile_visits(app: App, queries: list[list[tuple[str, str]]]) -> list[str]:
    choose, doors = random.Random(0), asyncio.Semaphore(_AT_ONCE)

    async def visit(query: list[tuple[str, str]]) -> list[str]:
        async with doors:
            return [f"{query}: {error}" for error in await _hostile_visit(app, query, choose)]

    found = await asyncio.gather(*(visit(query) for query in queries))
    return [error for errors in found for error in errors]


def hostile_links(app: App, count: int = 1000) -> Outcome:
    """Links and widget values made to break something."""
    queries = list(hostile.links(count))
    errors = run_apart(_hostile_visits(app, queries[: count // 2]))
    before = resident(app.process.pid)
    errors += run_apart(_hostile_visits(app, queries[count // 2 :]))
    alive = app.process.poll() is None
    grown = resident(app.process.pid) - before if alive else float("inf")
    seen = f"{len(errors)} errors, {grown:+.0f} MB in the second half, "
    seen += "process alive" if alive else "process dead"
    for error in errors[:3]:
        seen += f"\n    …{error[-200:]}"
    fine = alive and not errors and grown < _MOST_GROWTH
    return Outcome(f"{count} hostile links, forged widget values", seen, is_fine=fine)


async def _slow_reader(app: App, steps: int) -> tuple[list[float], list[float], list[str]]:
    """Another viewer's times before and while somebody asks and does not read; its errors."""
    choose = random.Random(0)
    async with Viewer(app.address, {}) as slow, Viewer(app.address, {"seed": "1"}) as other:
        await slow.arrive()
        await other.arrive()
        times: list[list[float]] = [[], []]
        errors: list[str] = []
        for is_slow in (False, True):
            for _ in range(steps):
                if is_slow:
                    with suppress(*CUT_OFF):  # which is what it may expect
                        await slow.send(slow.move(*next_step(slow, choose)))
                answer = await other.step(*next_step(other, choose))
                times[is_slow].append(answer.seconds)
                errors += answer.exceptions
        slow.vanish()
        return times[0], times[1], errors + wrong([(other.query, other.verdict)])


def slow_reader(app: App, steps: int = 200) -> Outcome:
    """A viewer goes on asking and reads nothing of what comes."""
    run_apart(_slow_reader(app, 5))
    before = resident(app.process.pid)
    alone, beside, errors = run_apart(_slow_reader(app, steps))
    grown = resident(app.process.pid) - before
    seen = (
        f"another viewer's p50 {1000 * percentile(alone, 50):.0f} ms alone, "
        f"{1000 * percentile(beside, 50):.0f} ms beside it, {len(errors)} errors; {grown:+.0f} MB"
    )
    seen += "".join(f"\n    {error[-300:]}" for error in errors[:3])
    fine = not errors and grown < 2 * _MOST_GROWTH
    return Outcome(f"a viewer asks {steps} times and reads nothing", seen, is_fine=fine)


def rush(app: App, viewers: int = 60, within: float = 3.0) -> Outcome:
    """A class opens the link at the teacher's word."""
    report = elsewhere(Plan(app.address, viewers, seconds=0.0, ramp=within))
    strayed = wrong(report.screens)
    seen = (
        f"answer p50 {percentile(report.arrivals, 50):.1f} s, "
        f"last {max(report.arrivals, default=float('nan')):.1f} s; "
        f"{len(report.errors)} errors, {len(strayed)} views wrong"
    )
    fine = len(report.screens) == viewers and not report.errors and not strayed
    return Outcome(f"{viewers} viewers open within {within:.0f} s", seen, is_fine=fine)


def polls() -> Outcome:
    """What happens to the database of the polls, as the tests of the store do it."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/pages/poll/test_rooms.py", "-k"]
    names = "restarted or away or stands_still or holds_in or locked or full_disk"
    done = subprocess.run([*command, names], cwd=ROOT, capture_output=True, text=True)
    return Outcome(
        "the polls' database restarted under load, away, frozen, locked, its disk full",
        done.stdout.strip().splitlines()[-1],
        is_fine=done.returncode == 0,
    )


def outcomes(links: int) -> Iterator[Outcome]:
    """Every fault at full size, each with processes of its own."""
    yield lost_process()
    yield polls()
    for fault in (leaving_in_mid_run, partial(hostile_links, count=links), slow_reader, rush):
        with processes(1) as [app]:
            yield fault(app)
