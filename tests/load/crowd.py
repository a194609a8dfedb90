"""Many viewers at once, in a process of their own so that they do not share the server's."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException

from tests.load.viewer import Answer, Viewer

_SLIDERS = ("scale", "depth", "width")
_FARTHEST = 3  # stops that one step moves a slider by
_WIDEST = 1024  # no step goes beyond: a viewer explores, and asks for no long run
BACK_WITHIN = 10.0  # seconds in which one who was cut off is to be back, on a machine of its own
_GIVES_UP_AFTER = 60.0


CUT_OFF = (OSError, EOFError, WebSocketException)


@dataclass(frozen=True)
class Plan:
    """What a crowd does: arrive within ``ramp`` seconds, and step for ``seconds`` each."""

    address: str
    viewers: int
    seconds: float
    ramp: float
    pause: float = 3.0
    comes_back: bool = False


@dataclass
class Report:
    """What a crowd saw; times in seconds."""

    arrivals: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    screens: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def note(self, times: list[float], answer: Answer) -> None:
        """Count an answer: its time and the exceptions in it."""
        times.append(answer.seconds)
        self.errors += answer.exceptions


def percentile(times: list[float], percent: int) -> float:
    """The time that so many per cent do not exceed; NaN of none."""
    if len(times) < 2:
        return times[0] if times else float("nan")
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def link(number: int) -> dict[str, str]:
    """Viewers with an even number share the class's link; the others have one of their own."""
    if number % 2 == 0:
        return {}
    own = random.Random(number)
    width, scale = own.choice((64, 128, 192, 256, 384, 512)), own.choice(("1", "0.1", "1/√n"))
    return {"width": str(width), "seed": str(number), "scale": scale}


def next_step(viewer: Viewer, choose: random.Random) -> tuple[str, str]:
    """A slider, and a stop of it that is not far."""
    name = choose.choice(_SLIDERS)
    options = viewer.options[name]
    if name == "width":
        options = [option for option in options if int(option) <= _WIDEST]
    here = options.index(viewer.chosen(name))
    near = {min(max(here + by, 0), len(options) - 1) for by in range(-_FARTHEST, _FARTHEST + 1)}
    return name, options[choose.choice(sorted(near - {here}))]


async def _come_back(viewer: Viewer, report: Report) -> None:
    """Connect again until it works, as a browser does, and find the view that was left."""
    start = time.perf_counter()
    while True:
        try:
            answer = await viewer.arrive()
            break
        except CUT_OFF:
            if time.perf_counter() - start > _GIVES_UP_AFTER:
                raise
            await asyncio.sleep(0.5)
    answer.seconds = time.perf_counter() - start
    report.note(report.returns, answer)


async def _visit(viewer: Viewer, plan: Plan, choose: random.Random, to: Report) -> None:
    try:
        to.note(to.arrivals, await viewer.arrive())
    except CUT_OFF:
        if not plan.comes_back:
            raise
        await _come_back(viewer, to)
    end = time.perf_counter() + plan.seconds
    while True:
        await asyncio.sleep(choose.expovariate(1 / plan.pause))
        if time.perf_counter() >= end:
            return
        try:
            to.note(to.steps, await viewer.step(*next_step(viewer, choose)))
        except CUT_OFF:
            if not plan.comes_back:
                raise
            await _come_back(viewer, to)


async def _one(plan: Plan, number: int, report: Report) -> None:
    """A viewer from arrival to departure; whatever goes wrong is written down."""
    choose = random.Random(number)
    await asyncio.sleep(plan.ramp * number / plan.viewers)
    try:
        async with Viewer(plan.address, link(number), visitor=f"viewer{number}") as viewer:
            await _visit(viewer, plan, choose, report)
            report.screens.append((viewer.query, viewer.verdict))
    except (TimeoutError, *CUT_OFF) as error:
        report.errors.append(f"viewer {number}: {error!r}")


async def _all(plan: Plan) -> Report:
    report = Report()
    await asyncio.gather(*(_one(plan, number, report) for number in range(plan.viewers)))
    return report


def run(plan: Plan) -> Report:
    """Let the crowd come, step and go."""
    return asyncio.run(_all(plan))


class Elsewhere(ProcessPoolExecutor):
    """A process of its own for the viewers."""

    def __init__(self) -> None:
        super().__init__(1, mp_context=multiprocessing.get_context("spawn"))
        self.submit(_nothing).result()  # started, and everything imported


def _nothing() -> None:
    pass


def elsewhere(plan: Plan, meanwhile: Callable[[], object] = lambda: None) -> Report:
    """``run`` in a process of its own; ``meanwhile`` is called some ten times a second."""
    with Elsewhere() as process:
        crowd = process.submit(run, plan)
        while not crowd.done():
            meanwhile()
            time.sleep(0.1)
        return crowd.result()
