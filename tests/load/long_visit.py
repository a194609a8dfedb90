"""One viewer who steps and steps: what the server keeps of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.load.crowd import Elsewhere, next_step
from tests.load.loop import run_apart
from tests.load.memory import resident
from tests.load.viewer import Viewer
from tests.serving import App


@dataclass(frozen=True)
class Seen:
    """Growth of the server's memory in MB, in all and within the first tenth; errors."""

    grown: float
    grown_early: float
    errors: list[str]


async def _steps(address: str, pid: int, count: int) -> Seen:
    choose, errors, sizes = random.Random(0), [], []
    async with Viewer(address, {"width": "64"}) as viewer:
        errors += (await viewer.arrive()).exceptions
        for number in range(count):
            if number in (0, count // 10):
                sizes.append(resident(pid))
            errors += (await viewer.step(*next_step(viewer, choose))).exceptions
        sizes.append(resident(pid))
    return Seen(sizes[-1] - sizes[0], sizes[1] - sizes[0], errors)


def _visit(address: str, pid: int, count: int) -> Seen:
    return run_apart(_steps(address, pid, count))


def visit(app: App, count: int) -> Seen:
    """Let a viewer, in a process of its own, make ``count`` steps."""
    with Elsewhere() as process:
        return process.submit(_visit, app.address, app.process.pid, count).result()
