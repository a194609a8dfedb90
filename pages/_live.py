"""What the page draws while a slider moves: from here come the sources of the live preview."""

from __future__ import annotations

import os
import threading
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.devices import cost, host_is_busy, is_quick
from core.diagnosis import breaks_as
from core.experiment import PARAMETERS, SCALE_STOPS, Experiment
from core.preview import exact, measured
from core.propagate import Run
from core.scale_free import is_scale_free

PATH = "/preview.json"
_SWITCH = "GOOD_INIT_LIVE_PREVIEW"
_MOST_MULTIPLY_ADDS = 6e8  # about 0.15 s: six a second of them is still less than one core
_KEPT_SECONDS = 600

_one_at_a_time = threading.Lock()


def is_on() -> bool:
    """Whether the host previews from real runs; GOOD_INIT_LIVE_PREVIEW, on unless it says off."""
    text = os.environ.get(_SWITCH, "on")
    if text not in ("on", "off"):
        raise ValueError(f"{_SWITCH} must be on or off, got {text!r}")
    return text == "on"


def _longest(experiment: Experiment) -> int:
    return max(int(PARAMETERS["depth"].stops[-1]), experiment.depth)


def description(run: Run) -> dict[str, Any]:
    """What the browser must know about the run on screen to follow the sliders from there."""
    e = run.experiment
    longest = e.replace(depth=_longest(e), scale=1.0, number_format="float64")
    return {
        "path": PATH,
        "query": e.to_query(),
        "device": run.device,
        "sliders": [name for name, parameter in PARAMETERS.items() if parameter.stops],
        "named_scales": {name: value(e.width) for name, value in SCALE_STOPS.items()},
        "longest": longest.depth,
        "broken": breaks_as(run) or "NaN",
        "exact": is_scale_free(e) and is_quick(longest),
        "served": is_on(),
    }


def _document(kind: str, experiment: Experiment, device: str) -> dict[str, Any]:
    from pages import _cached  # Streamlit's cache wants the runtime, which starts after the routes

    if kind == "exact":
        return exact(experiment, _cached.scale_free(experiment))
    return measured(_cached.run(experiment, device, _cached.Progress(lambda done: None)))


def _exclusively(kind: str, experiment: Experiment, device: str) -> dict[str, Any] | None:
    """The document, or None while the host has something better to do."""
    if not _one_at_a_time.acquire(blocking=False):
        return None
    try:
        return None if host_is_busy() else _document(kind, experiment, device)
    finally:
        _one_at_a_time.release()


async def _preview(request: Request) -> Response:
    """/preview.json?kind=…&width=…: 503 while the host is busy, for the viewer can do without."""
    asked = dict(request.query_params)
    kind, device = asked.pop("kind", "measured"), asked.pop("device", "cpu")
    if kind not in ("exact", "measured"):
        return PlainTextResponse(f"kind must be exact or measured, got {kind!r}\n", 422)
    if kind == "measured" and not is_on():
        return PlainTextResponse("this host gives no previews\n", 404)
    experiment, problems = Experiment.from_query(asked)
    if problems:
        return PlainTextResponse("\n".join(problems) + "\n", 422)
    if kind == "exact":
        allowed = is_scale_free(experiment) and is_quick(experiment)
    else:
        allowed = cost(experiment).multiply_adds <= _MOST_MULTIPLY_ADDS
    if not allowed:
        return PlainTextResponse("this experiment has no preview\n", 422)
    try:
        document = await run_in_threadpool(_exclusively, kind, experiment, device)
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", 422)
    if document is None:
        return PlainTextResponse("busy\n", 503)
    return JSONResponse(document, headers={"cache-control": f"private, max-age={_KEPT_SECONDS}"})


ROUTES = [Route(PATH, _preview)]
