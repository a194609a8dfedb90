"""The sources of the live preview, which the browser draws while a slider moves."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.host import settings, threads
from core.host.limits import WorkLimit, backward_cost, cost, memory_there_and_back
from core.question.experiment import NAMED_STOPS, PARAMETERS, Experiment
from core.question.parameter import refusals
from core.reading.diagnosis import breaks_as
from core.reading.gradient_run import as_run
from core.reading.preview import exact, exact_gradient, measured
from core.simulation.propagate import Run
from core.simulation.scale_free import free_of_scale, is_scale_free, scale_free_work
from pages.work import answers

PATH = "/preview.json"
# About 0.2 s at most, several times a second; about a second, once for all scales and depths.
_MOST_MULTIPLY_ADDS = {"measured": 6e8, "exact": 4e9}
_MOST_BYTES = 2**28
_WAYS = ("there", "back")

_one_at_a_time = {back: threading.Lock() for back in (False, True)}


def is_on() -> bool:
    """Whether the host previews from real runs."""
    return bool(settings.value("GOOD_INIT_LIVE_PREVIEW"))


def _asked(kind: str, experiment: Experiment) -> Experiment:
    """The experiment to run: one exact run answers for all scale factors and number formats."""
    return free_of_scale(experiment) if kind == "exact" else experiment


def gives(kind: str, experiment: Experiment, *, back: bool = False) -> bool:
    """Whether this host previews the experiment in that kind, unless it is busy.

    Args:
        kind: measured or exact.
        experiment: what the sliders stand for.
        back: whether its gradient is meant.
    """
    if kind == "exact" and not (is_scale_free(experiment) and experiment.layer.is_plain):
        return False  # inside other layers there are sizes that grow with other powers
    if kind == "measured" and not is_on():
        return False
    asked, limit = _asked(kind, experiment), WorkLimit.from_environment()
    need = (backward_cost if back else cost)(asked)
    memory = memory_there_and_back(asked) if back else need.bytes
    most = min(_MOST_MULTIPLY_ADDS[kind], limit.multiply_adds)
    is_exact = kind == "exact"
    work = scale_free_work(experiment, backward=back) if is_exact else need.multiply_adds
    return work <= most and memory <= min(_MOST_BYTES, limit.bytes)


def deepest(kind: str, experiment: Experiment, *, back: bool = False) -> int:
    """The depth of the longest run that the host previews: the slider's end, this depth, or 0.

    A gradient begins at the last layer, so that only this depth answers for it.
    """
    longest = max(int(PARAMETERS["depth"].stops[-1]), experiment.depth)
    for depth in (experiment.depth,) if back else (longest, experiment.depth):
        if gives(kind, experiment.replace(depth=depth), back=back):
            return depth
    return 0


def description(run: Run, named: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the browser has to know of the run on screen, so that its figure follows the sliders.

    A gradient has a figure of its own, as a run that goes back.

    Args:
        run: on screen.
        named: field -> the name of the stop that its control stands at, where it has one: a control
            that is folded away follows the width or the depth too.
    """
    e = run.experiment
    return {
        "path": PATH.lstrip("/"),
        "back": run.goes_back,
        "query": e.to_query(),
        "device": run.device,
        "sliders": [name for name, parameter in PARAMETERS.items() if parameter.stops],
        "named_stops": {
            name: {stop: value(e.width, e.depth) for stop, value in stops.items()}
            for name, stops in NAMED_STOPS.items()
        },
        "named": dict(named or {}),
        "follows": {
            name: "depth" if any("L" in stop for stop in stops) else "width"
            for name, stops in NAMED_STOPS.items()
        },
        "broken": breaks_as(run),
        "deepest": {kind: deepest(kind, e, back=run.goes_back) for kind in _MOST_MULTIPLY_ADDS},
        "served": is_on(),
    }


def document(
    kind: str, experiment: Experiment, device: str, *, back: bool = False
) -> dict[str, Any]:
    """The document that the browser draws previews from."""
    free = _asked(kind, experiment)
    if kind == "exact" and back:
        return exact_gradient(experiment, *answers.scale_free_there_and_back(free))
    if kind == "exact":
        return exact(experiment, answers.scale_free(free))
    if back:
        return measured(as_run(answers.there_and_back(experiment, device)))
    return measured(answers.run(experiment, device))


def document_unless_busy(
    kind: str, experiment: Experiment, device: str, *, back: bool = False
) -> dict[str, Any] | None:
    """The document; None while another one is computed, or all cores have runs to do."""
    place = _one_at_a_time[back]
    if not place.acquire(blocking=False):
        return None
    try:
        return None if threads.host_is_busy() else document(kind, experiment, device, back=back)
    finally:
        place.release()


async def _preview(request: Request) -> Response:
    """/preview.json?kind=…&width=…: what the browser draws.

    A busy host answers 204 with nothing, and the browser asks less often. That is a part of every
    quick drag and no fault; of a status of 400 or more the browser would tell as of an error.
    """
    asked = dict(request.query_params)
    kind, device = asked.pop("kind", "measured"), asked.pop("device", "cpu")
    way = asked.pop("way", "there")
    if kind not in _MOST_MULTIPLY_ADDS:
        return PlainTextResponse(f"kind must be exact or measured, got {kind!r}\n", 422)
    if way not in _WAYS:
        return PlainTextResponse(f"way must be there or back, got {way!r}\n", 422)
    if kind == "measured" and not is_on():
        return PlainTextResponse("this host gives no previews of this kind\n", 404)
    experiment, problems = await run_in_threadpool(Experiment.from_query, asked)
    if refusals(problems):
        return PlainTextResponse("\n".join(refusals(problems)) + "\n", 422)
    back = way == "back"
    if not gives(kind, experiment, back=back):
        return PlainTextResponse("this experiment has no preview here\n", 422)
    try:
        given = partial(document_unless_busy, kind, experiment, device, back=back)
        found = await run_in_threadpool(given)
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", 422)
    if found is None:
        return Response(status_code=204)
    return JSONResponse(found, headers={"cache-control": "no-store"})


ROUTES = [Route(PATH, _preview)]
