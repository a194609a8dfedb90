"""What the App serves besides its pages: health, exports, scripts, previews."""

from __future__ import annotations

from importlib import import_module

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from core.host import settings
from core.host.threads import set_threads
from core.question.experiment import Experiment
from core.simulation.propagate import propagate
from core.theory.finite_width import predict
from pages.figures import assets, live
from pages.poll import database, news
from pages.serving import export, metrics
from pages.work import log, turns

_PULSE = Experiment(width=16, depth=4, scale=0.25)


def warm_up() -> None:
    """Do once what the first viewer should not wait for."""
    settings.check()  # a mistaken setting ends the start, not a viewer's visit
    database.address()
    log.start()
    turns.start()
    set_threads(settings.value("GOOD_INIT_THREADS"))
    assets.plotly_script()
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
    *assets.ROUTES,
    *export.ROUTES,
    *live.ROUTES,
    *metrics.ROUTES,
    *news.ROUTES,
    Route("/health", _health),
]
