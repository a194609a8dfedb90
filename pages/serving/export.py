"""Files: /export.csv and /export.json of a run, /sweep.csv and /sweep.parquet of a map.

The query is that of the page that shows it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.host.limits import is_quick
from core.maps.landscape import PARTS, Landscape
from core.question.experiment import PARAMETERS, Experiment
from core.question.parameter import refusals
from core.reading.records import FILE_FORMATS
from core.sweep.table import WRITERS
from core.text import shown
from pages.maps.presets import DEFAULT
from pages.work import answers
from pages.work.jobs import Standing
from pages.work.queue import QueueFull

_RUN_TYPES = {"csv": "text/csv", "json": "application/json"}
_SWEEP_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_MOST_ROWS = 300_000  # of a sweep's table: some 20 MB
_AT_ONCE = {True: 2, False: 8}  # whether files are quick -> how many are computed at once
_MOST_WAITING = 100  # files, quick or long


_Hear = Callable[[Standing], None]
_Found = TypeVar("_Found")


class _Left(Exception):
    """The connection is closed: nobody waits for the file."""


@cache
def _threads(quick: bool) -> CapacityLimiter:
    """Threads for files only, so that those that pages and scripts share stay free."""
    return CapacityLimiter(_AT_ONCE[quick])


async def _leaves(request: Request) -> None:
    """Return once the connection is closed."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _found(
    request: Request, compute: Callable[[_Hear], _Found], *, quick: bool
) -> _Found | None:
    """What ``compute`` returns; once the connection is closed, stop it and return None."""
    gone = threading.Event()

    def hear(standing: Standing) -> None:
        if gone.is_set():
            raise _Left

    threads = _threads(quick)
    if threads.statistics().tasks_waiting >= _MOST_WAITING:
        raise QueueFull("too many files are asked for at the moment: try again in a minute")
    work = asyncio.ensure_future(
        to_thread.run_sync(compute, hear, limiter=threads, abandon_on_cancel=True)
    )
    leaving = asyncio.ensure_future(_leaves(request))
    try:
        await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        gone.set()
        work.cancel()
        leaving.cancel()


async def _file(
    request: Request, name: str, media_type: str, compute: Callable[[_Hear], bytes], *, quick: bool
) -> Response:
    """The file as an answer, or the reason in words why there is none."""
    try:
        content = await _found(request, compute, quick=quick)
    except QueueFull as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", status_code=422)
    if content is None:
        return Response(status_code=499)  # nobody reads it
    safe = "".join(
        mark if (mark.isalnum() and mark.isascii()) or mark in "-." else "_" for mark in name
    )
    headers = {"content-disposition": f'attachment; filename="good-init-{safe}"'}
    return Response(content, media_type=media_type, headers=headers)


async def _read(read: Callable[..., _Found], *given: object) -> _Found:
    """What a query asks for. A formula in it is checked in a thread: that may take a while."""
    return await to_thread.run_sync(read, *given, limiter=_threads(True))


def _no_such(route: str, types: Mapping[str, str]) -> Response:
    return PlainTextResponse(f"there is {' and '.join(f'{route}.{kind}' for kind in types)}\n", 404)


def _refused(problems: list[str]) -> Response:
    return PlainTextResponse("\n".join(problems) + "\n", status_code=422)


async def _export(request: Request) -> Response:
    """/export.*: a run, with its gradient if ``backward`` is true."""
    kind = request.path_params["kind"]
    if kind not in _RUN_TYPES:
        return _no_such("export", _RUN_TYPES)
    query = {name: text for name, text in request.query_params.items() if name in PARAMETERS}
    experiment, problems = await _read(Experiment.from_query, query)
    device = request.query_params.get("device", "cpu")
    backward = request.query_params.get("backward", "false")
    if backward not in ("true", "false"):
        problems.append(f"backward must be true or false, got {shown(backward)}")
    if refusals(problems):
        return _refused(refusals(problems))
    back = backward == "true"
    answer = answers.there_and_back if back else answers.run

    def compute(hear: _Hear) -> bytes:
        return FILE_FORMATS[kind](answer(experiment, device, hear)).encode()

    name = f"{'-'.join(experiment.to_query().values())}.{kind}"
    quick = is_quick(experiment, backward=back)
    return await _file(request, name, _RUN_TYPES[kind], compute, quick=quick)


async def _sweep(request: Request) -> Response:
    """/sweep.*: a map."""
    kind = request.path_params["kind"]
    if kind not in _SWEEP_TYPES:
        return _no_such("sweep", _SWEEP_TYPES)
    known = (*PARTS, *PARAMETERS)
    query = {name: text for name, text in request.query_params.items() if name in known}
    landscape, problems = await _read(Landscape.from_query, query, DEFAULT)
    rows = len(landscape.x.values) * len(landscape.y.values) * landscape.question.networks
    if rows > _MOST_ROWS:
        asked = shown(request.query_params.get("networks", str(landscape.networks)))
        problems.append(
            f"networks must be so few that the table has at most {_MOST_ROWS} rows, got {asked}"
        )
    if refusals(problems):
        return _refused(refusals(problems))

    def compute(hear: _Hear) -> bytes:
        return WRITERS[f".{kind}"](answers.sweep(landscape, hear))

    name = f"{landscape.measure}-{landscape.x.name}-{landscape.y.name}.{kind}"
    return await _file(request, name, _SWEEP_TYPES[kind], compute, quick=False)


ROUTES = [Route("/export.{kind:path}", _export), Route("/sweep.{kind:path}", _sweep)]
