"""What the App serves besides its pages: health, exports, scripts, previews."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from core.experiment import PARAMETERS, Experiment
from core.propagate import propagate
from core.records import FILE_FORMATS
from pages import _assets, _database, _live, _poll

_LOG = logging.getLogger("good_init")
_MEDIA_TYPES = {"csv": "text/csv", "json": "application/json"}


def warm_up() -> None:
    """Do once what the first viewer should not wait for."""
    _live.is_on()  # a mistaken setting ends the start, not a viewer's visit
    _database.address()
    _assets.plotly_script()
    # Until the first script ran, Streamlit takes this folder for pages of the old kind, and tells
    # the first viewer who follows a link to a page other than the first that there is none.
    PagesManager.uses_pages_directory = False
    propagate(Experiment())


def log_error(error: Exception) -> bool:
    """Keep a page's error in the log, and its details from the viewer."""
    _LOG.error("a page failed", exc_info=error)
    return False


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _export(request: Request) -> Response:
    """/export.csv?width=…: the run that the same query shows on the page, as a file."""
    kind = request.path_params["kind"]
    if kind not in _MEDIA_TYPES:
        return PlainTextResponse(f"there is export.{' and export.'.join(_MEDIA_TYPES)}\n", 404)
    query = {name: text for name, text in request.query_params.items() if name in PARAMETERS}
    experiment, problems = Experiment.from_query(query)
    device = request.query_params.get("device", "cpu")
    if problems:
        return PlainTextResponse("\n".join(problems) + "\n", status_code=422)
    try:
        run = await run_in_threadpool(propagate, experiment, device)
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", status_code=422)
    name = "-".join(f"{value}" for value in experiment.to_query().values()).replace("/", "_")
    headers = {"content-disposition": f'attachment; filename="good-init-{name}.{kind}"'}
    return Response(FILE_FORMATS[kind](run), media_type=_MEDIA_TYPES[kind], headers=headers)


class HideServerMetrics:
    """Answers 404 on Streamlit's metrics route, which is public and lists function names."""

    def __init__(self, app) -> None:  # noqa: ANN001
        self.app = app

    async def __call__(self, scope, receive, send) -> None:  # noqa: ANN001
        if scope["type"] == "http" and scope["path"].rstrip("/").endswith("/_stcore/metrics"):
            await PlainTextResponse("not found\n", status_code=404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


ROUTES = [
    *_assets.ROUTES,
    *_live.ROUTES,
    *_poll.ROUTES,
    Route("/health", _health),
    Route("/export.{kind:path}", _export),
]
