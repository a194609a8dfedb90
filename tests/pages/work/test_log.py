"""What a host tells of itself: health, metrics, headers, the log, and a failure without details."""

import json
import logging
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families
from streamlit.testing.v1 import AppTest

from core.host import settings
from pages.serving import routes
from pages.serving.headers import policy
from pages.work.jobs import Ended
from pages.work.log import ended
from tests.load.loop import run_apart
from tests.pages.serving.test_routes import get
from tests.serving import serve


def measured(address):
    """Every sample of /metrics: (name, labels) -> value."""
    status, _, body = get(f"{address}/metrics")
    assert status == 200
    families = text_string_to_metric_families(body.decode())
    samples = (sample for family in families for sample in family.samples)
    return {(name, *sorted(labels.values())): value for name, labels, value, *_ in samples}


def test_metrics_count_what_is_computed_and_what_is_found():
    with serve() as address:  # an app of its own: nobody else's runs are counted
        assert get(f"{address}/health")[0] == 200  # which runs an experiment
        before = measured(address)
        for _ in range(3):
            assert get(f"{address}/export.csv?width=77&depth=13")[0] == 200
        after = measured(address)

    def grown(*key):
        return after[key] - before.get(key, 0)

    assert grown("good_init_runs_total", "done", "run") == 1
    assert grown("good_init_cache_total", "missed") == 1
    assert grown("good_init_cache_total", "found") == 2
    assert grown("good_init_run_seconds_count", "run") == 1
    assert after["good_init_cache_bytes",] > before["good_init_cache_bytes",]
    for gauge in ("sessions", "running", "waiting"):
        assert after[f"good_init_{gauge}",] >= 0
    assert after["process_resident_memory_bytes",] > 1e8


def test_a_host_may_keep_its_metrics_to_itself(monkeypatch, address):
    monkeypatch.setenv("GOOD_INIT_METRICS", "off")
    from pages.serving.metrics import metrics

    assert metrics(None).status_code == 404
    assert get(f"{address}/_stcore/metrics")[0] == 404


def test_health_says_when_a_run_goes_wrong(monkeypatch):
    from core import Experiment

    monkeypatch.setattr(routes, "PULSE", Experiment(width=16, depth=400))
    answer = run_apart(routes.health(None))
    assert (answer.status_code, json.loads(answer.body)) == (500, {"status": "wrong"})


@pytest.mark.parametrize("path", ["/", "/lesson", "/health", "/export.csv?width=8&depth=2", "/no"])
def test_every_answer_says_what_a_page_may_load(address, path):
    _, headers, _ = get(address + path)
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors *" in policy
    scripts = re.search(r"script-src ([^;]*);", policy)[1]
    assert "unsafe" not in scripts and "http" not in scripts
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_a_script_from_elsewhere_does_not_run(page, address):
    page.goto(address)
    page.wait_for_selector(".gi-answer")
    assert page.problems == []
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), "
        "{textContent: 'window.taken = true'}))"
    )
    assert page.evaluate("window.taken") is None
    assert any("Content Security Policy" in problem for problem in page.problems)


def test_a_host_says_who_may_frame_it(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_FRAME_ANCESTORS", "https://course.example")
    assert "frame-ancestors https://course.example" in policy()


@pytest.fixture
def log(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("good_init"), "propagate", True)
    caplog.set_level(logging.INFO, "good_init")
    return lambda: [
        json.loads(each.getMessage()) for each in caplog.records if each.name == "good_init"
    ]


def test_the_log_has_a_line_for_each_run(log):
    ended(Ended("run", {"experiment": {"width": "8"}, "device": "cpu"}, "done", 0.5, 0.25))
    [line] = log()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "event": "run",
        "what": "run",
        "outcome": "done",
        "seconds": 0.25,
        "queued": 0.5,
        "experiment": {"width": "8"},
        "device": "cpu",
    }


def test_a_failure_is_in_the_log_and_the_viewer_gets_its_name_only(log):
    def page():
        from pages.work.log import page_failed

        page_failed(RuntimeError("a secret of the host"))

    at = AppTest.from_function(page).run()
    [shown] = at.error
    [line] = log()
    assert line["event"] == "failure" and line["id"] in shown.value
    assert "a secret of the host" in line["error"] and "secret" not in shown.value


@pytest.mark.parametrize("variable", settings.SETTINGS)
def test_every_setting_is_checked_and_named(monkeypatch, variable):
    settings.check()
    for text in {"", "a; b", "a\nb"} - {settings.SETTINGS[variable].default}:
        monkeypatch.setenv(variable, text)
        with pytest.raises(ValueError, match=f"{variable} must be .*, got"):
            settings.value(variable)
        with pytest.raises(ValueError, match=variable):
            settings.check()
