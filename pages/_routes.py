"""What the App serves besides its pages: health, exports, scripts, previews."""

from __future__ import annotations

from importlib import import_module

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from core import settings
from core.devices import set_threads
from core.experiment import Experiment
from core.finite_width import predict
from core.propagate import propagate
from pages import _assets, _database, _export, _live, _metrics, _observed, _poll, _turns

_PULSE = Experiment(width=16, depth=4, scale=0.25)


def warm_up() -> None:
    """Do once what the first viewer should not wait for."""
    settings.check()  # a mistaken setting ends the start, not a viewer's visit
    _database.address()
    _observed.start()
    _turns.start()
    set_threads(settings.value("GOOD_INIT_THREADS"))
    _assets.plotly_script()
    # Until the first script ran, Streamlit takes this folder for pages of the old kind, and tells
    # the first viewer who follows a link to a page other than the first that there is none.
    PagesManager.uses_pages_directory = False
    import_module("pandas")  # Streamlit itself waits for the first figure
    import_module("pyarrow")
    propagate(Experiment())
    predict(Experiment())


async def _health(request: Request) -> Response:
    """/health: a tiny run, really computed, which must hold."""
    run = await run_in_threadpool(propagate, _PULSE)
    sound = run.events.first_nonfinite is None and bool(run.stats.std[-1] > 0)
    return JSONResponse({"status": "ok" if sound else "wrong"}, 200 if sound else 500)


ROUTES = [
    *_assets.ROUTES,
    *_export.ROUTES,
    *_live.ROUTES,
    *_metrics.ROUTES,
    *_poll.ROUTES,
    Route("/health", _health),
]
