"""The routes that the App serves besides its pages, and what is loaded at the start."""

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
from pages.serving import export, half_sent, machine, metrics
from pages.work import log, turns

PULSE = Experiment(width=16, depth=4, scale=0.25)
"""The experiment of /health: a network whose signal holds."""


def warm_up() -> None:
    """Load and compute once what the first viewer would have to wait for."""
    settings.check()  # a setting that is not allowed ends the start, not a viewer's visit
    database.address()
    log.start()
    before, now = machine.raise_open_files()
    log.write(
        "start", open_files=now, open_files_before=before, viewers=machine.viewers_at_most(now)
    )
    half_sent.set_deadline()
    turns.set_switch_interval()
    set_threads(settings.value("GOOD_INIT_THREADS"))
    assets.plotly_script()
    # Before the first script has run, Streamlit takes the folder named pages for its older kind of
    # pages. A viewer who then follows a link to any page but the first is told that it is missing.
    PagesManager.uses_pages_directory = False
    import_module("pandas")  # else Streamlit loads it with the first figure
    import_module("pyarrow")
    propagate(Experiment())
    predict(Experiment())


async def health(request: Request) -> Response:
    """/health: computes a tiny run; 500 if its signal does not hold."""
    run = await run_in_threadpool(propagate, PULSE)
    sound = run.events.first_nonfinite is None and bool(run.stats.std[-1] > 0)
    return JSONResponse({"status": "ok" if sound else "wrong"}, 200 if sound else 500)


ROUTES = [
    *assets.ROUTES,
    *export.ROUTES,
    *live.ROUTES,
    *metrics.ROUTES,
    *news.ROUTES,
    Route("/health", health),
]
