"""/export.csv?width=…: the run that the same query shows on the page, as a file."""

from __future__ import annotations

import asyncio
import threading
from functools import cache, partial

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.devices import is_quick
from core.experiment import PARAMETERS, Experiment
from core.propagate import Run
from core.records import FILE_FORMATS
from pages import _cached
from pages._work import QueueFull, Standing

_MEDIA_TYPES = {"csv": "text/csv", "json": "application/json"}
_AT_ONCE = {True: 2, False: 8}  # quick ones, and long ones
_MOST_WAITING = 100  # of either kind


class _Left(Exception):
    """Who asked has closed the connection."""


@cache
def _threads(quick: bool) -> CapacityLimiter:
    """Threads of their own: the host's others, which pages and scripts need, stay free."""
    return CapacityLimiter(_AT_ONCE[quick])


async def _leaves(request: Request) -> None:
    """Returns once the connection is closed."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _run(request: Request, experiment: Experiment, device: str) -> Run | None:
    """The run, or None, and the end of it, when nobody waits for it any more."""
    gone = threading.Event()

    def hear(standing: Standing) -> None:
        if gone.is_set():
            raise _Left

    threads = _threads(is_quick(experiment))
    if threads.statistics().tasks_waiting >= _MOST_WAITING:
        raise QueueFull("too many files are asked for at the moment: try again in a minute")
    compute = partial(_cached.run, experiment, device, hear)
    run = asyncio.ensure_future(
        to_thread.run_sync(compute, limiter=threads, abandon_on_cancel=True)
    )
    leaving = asyncio.ensure_future(_leaves(request))
    try:
        await asyncio.wait({run, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return run.result() if run.done() else None
    finally:
        gone.set()
        run.cancel()
        leaving.cancel()


async def _export(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind not in _MEDIA_TYPES:
        return PlainTextResponse(f"there is export.{' and export.'.join(_MEDIA_TYPES)}\n", 404)
    query = {name: text for name, text in request.query_params.items() if name in PARAMETERS}
    experiment, problems = Experiment.from_query(query)
    device = request.query_params.get("device", "cpu")
    if problems:
        return PlainTextResponse("\n".join(problems) + "\n", status_code=422)
    try:
        run = await _run(request, experiment, device)
    except QueueFull as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", status_code=422)
    if run is None:
        return Response(status_code=499)  # nobody reads it
    name = "-".join(f"{value}" for value in experiment.to_query().values()).replace("/", "_")
    headers = {"content-disposition": f'attachment; filename="good-init-{name}.{kind}"'}
    return Response(FILE_FORMATS[kind](run), media_type=_MEDIA_TYPES[kind], headers=headers)


ROUTES = [Route("/export.{kind:path}", _export)]
