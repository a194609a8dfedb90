"""What a room has to say to pages that wait for news: a few bytes, looked up once a second."""

from __future__ import annotations

import asyncio
import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pages.poll import rooms
from pages.poll.codes import well_formed
from pages.poll.store import RoomError
from pages.work import viewer as _viewer

_FRESH = 1.0  # seconds
_MOST_KEPT = 2000
_STATUS = {"unknown": 404, "full": 429}
_HEADERS = {"cache-control": "no-store"}

_answers: dict[str, tuple[float, asyncio.Task[dict[str, object]]]] = {}


def _answer(code: str) -> asyncio.Task[dict[str, object]]:
    """One look for all who ask within a second, and for all who ask while it takes longer."""
    now = time.monotonic()
    when, task = _answers.get(code, (0.0, None))
    if task is None or (task.done() and now - when > _FRESH):
        task = asyncio.create_task(run_in_threadpool(rooms.status, code))
        _answers[code] = now, task
        for old in list(_answers)[: max(0, len(_answers) - _MOST_KEPT)]:
            del _answers[old]
    return task


async def _room(request: Request) -> Response:
    """/rooms/K7M4QD.json: the version of what the room shows, and how many have guessed."""
    code = well_formed(request.path_params["code"])
    if code is None:
        return JSONResponse({"error": "there is no such room"}, 404, _HEADERS)
    viewer = _viewer.token_of(request.headers) or f"at {request.client and request.client.host}"
    try:
        with rooms.patience(viewer):
            return JSONResponse(await asyncio.shield(_answer(code)), 200, _HEADERS)
    except RoomError as error:
        return JSONResponse({"error": str(error)}, _STATUS.get(error.kind, 503), _HEADERS)


ROUTES = [Route("/rooms/{code}.json", _room)]
