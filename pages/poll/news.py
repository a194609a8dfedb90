"""The route that a waiting page asks for news of its room: a few bytes, new once a second."""

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
from pages.work.viewer import address_of, token_of

FRESH = 1.0
"""Seconds for which an answer serves all who ask."""
_MOST_ANSWERS = 2000  # rooms whose last answer is stored
_STATUS = {"unknown": 404, "full": 429}
_HEADERS = {"cache-control": "no-store"}

_answers: dict[str, tuple[float, asyncio.Task[dict[str, object]]]] = {}


def answer(code: str) -> asyncio.Task[dict[str, object]]:
    """The status of a room: one query for all pages that ask within a second, or until it ends."""
    now = time.monotonic()
    when, task = _answers.get(code, (0.0, None))
    if task is None or (task.done() and now - when > FRESH):
        task = asyncio.create_task(run_in_threadpool(rooms.status, code))
        _answers[code] = now, task
        for old in list(_answers)[: max(0, len(_answers) - _MOST_ANSWERS)]:
            del _answers[old]
    return task


async def answer_to(request: Request) -> Response:
    """/rooms/K7M4QD.json: the version of what the room shows, and how many have guessed."""
    code = well_formed(request.path_params["code"])
    if code is None:
        return JSONResponse({"error": "there is no such room"}, 404, _HEADERS)
    address = address_of(request)
    viewer = token_of(request.headers) or f"at {address}"
    try:
        with rooms.limit_attempts(viewer, address):
            return JSONResponse(await asyncio.shield(answer(code)), 200, _HEADERS)
    except RoomError as error:
        return JSONResponse({"error": str(error)}, _STATUS.get(error.kind, 503), _HEADERS)


ROUTES = [Route("/rooms/{code}.json", answer_to)]
