"""The log, a line of JSON for each run and each failure; and the counters of /metrics."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from core.host import settings
from pages.work.jobs import Ended

disable_created_metrics()
REGISTRY = CollectorRegistry()
RUNS = Counter(
    "good_init_runs", "Answers that were computed.", ("what", "outcome"), registry=REGISTRY
)
SECONDS = Histogram(
    "good_init_run_seconds",
    "How long an answer took to compute.",
    ("what",),
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
    registry=REGISTRY,
)
QUEUED = Histogram(
    "good_init_queued_seconds",
    "How long a run waited for its turn.",
    buckets=(0.001, 0.01, 0.1, 1, 10, 100),
    registry=REGISTRY,
)
FAILURES = Counter("good_init_failures", "Pages that failed.", registry=REGISTRY)
_LOG = logging.getLogger("good_init")


def start() -> None:
    """Send the log to stderr; once per process."""
    if not _LOG.handlers:
        _LOG.addHandler(logging.StreamHandler(sys.stderr))
    _LOG.propagate = False
    _LOG.setLevel(logging.INFO if settings.value("GOOD_INIT_LOG") else logging.ERROR)


def write(event: str, *, level: int = logging.INFO, **more: Any) -> None:
    """Write a line to the log."""
    if _LOG.isEnabledFor(level):
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {"time": when, "event": event} | more
        _LOG.log(level, json.dumps(record, ensure_ascii=False, default=str))


def ended(work: Ended) -> None:
    """Count a piece of work, and write it to the log."""
    RUNS.labels(work.what, work.outcome).inc()
    SECONDS.labels(work.what).observe(work.seconds)
    QUEUED.observe(work.queued)
    times = {"seconds": round(work.seconds, 4), "queued": round(work.queued, 4)}
    write("run", what=work.what, outcome=work.outcome, **times, **work.about)


def page_failed(error: Exception) -> bool:
    """Write the details of an error to the log, and tell the viewer under which name."""
    name = secrets.token_hex(4)
    FAILURES.inc()
    details = "".join(traceback.format_exception(error))
    write("failure", level=logging.ERROR, id=name, error=details)
    st.error(
        "Something went wrong here, and it is not your fault. The host's log has it as "
        f"{name}. Change a control or reload the page to go on."
    )
    return True
