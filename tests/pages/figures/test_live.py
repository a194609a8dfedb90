"""The route behind the live preview, and what the page tells the browser about it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

import pytest
from starlette.requests import Request

from core import Experiment, backpropagate, propagate
from core.host import threads
from core.reading.gradient_run import as_run
from core.reading.preview import exact, exact_gradient, measured
from core.simulation.scale_free import scale_free, scale_free_gradient
from pages.figures import live
from tests.load.loop import run_apart
from tests.pages.serving.test_routes import get
from tests.serving import serve


def ask(address, **query):
    return get(f"{address}{live.PATH}?{urlencode(query)}")


def test_a_measured_preview_is_the_run(address):
    e = Experiment(width=64, depth=30, activation="tanh", scale=0.25)
    status, headers, body = ask(address, kind="measured", device="cpu", **e.to_query())
    assert (status, headers.get_content_type()) == (200, "application/json")
    assert json.loads(body) == measured(propagate(e))


def test_an_exact_preview_answers_for_every_scale(address):
    e = Experiment(width=64, depth=30, activation="relu", number_format="float16")
    first = ask(address, kind="exact", **e.to_query())[2]
    assert json.loads(first) == exact(e, scale_free(e))
    assert ask(address, kind="exact", **e.replace(scale=0.1).to_query())[2] == first


def test_a_preview_of_the_gradient_is_the_gradient(address):
    e = Experiment(width=64, depth=30, activation="relu", number_format="float16", loss_scale=4.0)
    status, _, body = ask(address, kind="measured", way="back", device="cpu", **e.to_query())
    assert status == 200 and json.loads(body) == measured(as_run(backpropagate(e)))
    status, _, body = ask(address, kind="exact", way="back", **e.to_query())
    assert status == 200 and json.loads(body) == exact_gradient(e, *scale_free_gradient(e))


def test_a_gradient_of_another_depth_is_another_gradient():
    run = as_run(backpropagate(Experiment(width=16, depth=5, activation="relu")))
    told = live.description(run)
    assert told["back"] and told["deepest"] == {"measured": 5, "exact": 5}
    assert not live.description(propagate(run.experiment))["back"]


def test_a_scale_may_be_named(address):
    _, _, body = get(f"{address}{live.PATH}?width=64&depth=9&scale={quote('1/√n')}")
    assert json.loads(body) == measured(propagate(Experiment(width=64, depth=9, scale=0.125)))


@pytest.mark.parametrize(
    "query, said",
    [
        ({"kind": "guessed"}, "kind must be exact or measured, got 'guessed'"),
        ({"way": "up"}, "way must be there or back, got 'up'"),
        ({"depth": "many"}, "depth must be a whole number from 1 to 2000, got 'many'"),
        ({"n": "512"}, "there is no parameter 'n'"),
        ({"device": "tpu"}, "device must be one of auto, cpu"),
        ({"kind": "exact", "activation": "tanh"}, "no preview"),
        ({"kind": "exact", "bias_std": "1"}, "no preview"),
        ({"kind": "exact", "skip": "identity"}, "no preview"),
        ({"kind": "exact", "norm": "rms"}, "no preview"),
        ({"kind": "exact", "branch": "mlp"}, "no preview"),
        ({"norm": "batch"}, "batch_size must be at least 2 where norm is batch, got 1"),
        ({"kind": "exact", "number_format": "float8_e5m2"}, "no preview"),
        ({"width": "4096", "weights": "fresh"}, "no preview"),
    ],
)
def test_what_cannot_be_previewed_is_refused_in_words(address, query, said):
    status, _, body = ask(address, **query)
    assert status == 422 and said in body.decode()


def test_a_preview_is_dropped_while_another_is_computed(monkeypatch):
    at_work, go_on = threading.Event(), threading.Event()

    def slow(kind, experiment, device, *, back):
        at_work.set()
        assert go_on.wait(60)
        return {"slow": True}

    monkeypatch.setattr(live, "document", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(live.document_unless_busy, "measured", Experiment(), "cpu")
        assert at_work.wait(60)
        second = pool.submit(live.document_unless_busy, "measured", Experiment(), "cpu")
        assert second.result(timeout=60) is None  # at once, while the first is not done
        go_on.set()
        assert first.result(timeout=60) == {"slow": True}
        third = pool.submit(live.document_unless_busy, "measured", Experiment(), "cpu")
        assert third.result(timeout=60) == {"slow": True}


def answered():
    """The route's answer for the lesson's experiment."""
    request = Request({"type": "http", "query_string": b"kind=measured"})
    return run_apart(live.ROUTES[0].endpoint(request))


def test_a_preview_is_dropped_while_every_core_has_a_run(monkeypatch):
    monkeypatch.setattr(live, "document", lambda *asked, back: {})
    monkeypatch.setattr(threads, "host_is_busy", lambda: True)
    assert live.document_unless_busy("measured", Experiment(), "cpu") is None
    assert (answered().status_code, answered().body) == (
        204,
        b"",
    )  # which no browser calls an error
    monkeypatch.setattr(threads, "host_is_busy", lambda: False)
    assert live.document_unless_busy("measured", Experiment(), "cpu") == {}
    assert (answered().status_code, answered().body) == (200, b"{}")


def test_a_host_may_say_no(monkeypatch):
    with serve(GOOD_INIT_LIVE_PREVIEW="off") as quiet:
        assert ask(quiet, width="8")[0] == 404
        assert ask(quiet, kind="exact", width="8")[0] == 200
    monkeypatch.setenv("GOOD_INIT_LIVE_PREVIEW", "off")
    assert live.description(propagate(Experiment(width=8)))["served"] is False
    monkeypatch.setenv("GOOD_INIT_LIVE_PREVIEW", "maybe")
    with pytest.raises(ValueError, match="must be on or off, got 'maybe'"):
        live.is_on()


def test_a_mistaken_setting_ends_the_start():
    with pytest.raises(RuntimeError, match="did not start"), serve(GOOD_INIT_LIVE_PREVIEW="maybe"):
        pass


def test_the_page_knows_what_may_be_followed():
    lesson = live.description(propagate(Experiment()))
    assert lesson["served"] and lesson["deepest"] == {"measured": 200, "exact": 200}
    assert lesson["named_stops"]["scale"]["1/√n"] == (1 / 512) ** 0.5
    assert lesson["named_stops"]["bias_std"]["1/√(3n)"] == (1 / 1536) ** 0.5
    assert lesson["broken"] == "NaN"
    assert live.description(propagate(Experiment(scale=0.01)))["broken"] is None
    assert set(lesson["sliders"]) == {
        "width",
        "depth",
        "scale",
        "bias_std",
        "batch_size",
        "loss_scale",
        "expansion",
        "branch_scale",
        "input_scale",
    }
    assert lesson["follows"] == {"scale": "width", "bias_std": "width", "branch_scale": "depth"}
    assert lesson["named"] == {}


@pytest.mark.parametrize(
    "changes, deepest",
    [
        ({"width": 8, "activation": "gelu"}, {"measured": 200, "exact": 0}),
        ({"width": 8, "depth": 300}, {"measured": 300, "exact": 300}),
        ({"weights": "fresh"}, {"measured": 100, "exact": 200}),
        ({"width": 2500}, {"measured": 0, "exact": 200}),  # one exact run serves all scales
    ],
)
def test_how_deep_a_preview_goes_is_what_the_route_gives(address, changes, deepest):
    e = Experiment(**changes)
    assert {kind: live.deepest(kind, e) for kind in deepest} == deepest
    for kind, depth in deepest.items():
        asked = e.to_query() | {"depth": str(depth or e.depth)}
        assert ask(address, kind=kind, **asked)[0] == (200 if depth else 422)


def test_a_smaller_limit_of_the_host_holds_for_previews_too(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "2e7")
    assert live.deepest("measured", Experiment()) == 0
    assert live.deepest("exact", Experiment()) == 0


@pytest.mark.parametrize(
    "query",
    [
        {"width": "8", "batch_size": "4096", "depth": "2000"},
        {"width": "5800", "init": "sparse", "depth": "1"},
        {"kind": "exact", "width": "15", "batch_size": "4096", "depth": "2000"},
        {"kind": "exact", "width": "10000", "depth": "1"},
    ],
)
def test_what_takes_seconds_or_much_memory_is_no_preview(address, query):
    assert ask(address, **query)[0] == 422
