"""/metrics, for Prometheus: numbers of viewers, runs and errors, and how long runs take."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.host import settings
from pages.work import answers, viewer
from pages.work.log import REGISTRY


class _Now(Collector):
    """The gauges and counts that are read when Prometheus asks."""

    def describe(self) -> list[Metric]:
        """Nothing, for at registration there is no work yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges, and the counter of the cache."""
        work = answers.work()
        running, waiting = work.standing()
        for name, help, value in (
            ("sessions", "Viewers connected.", viewer.connected()),
            ("running", "Long runs in progress.", running),
            ("waiting", "Long runs in the queue.", waiting),
            ("cache_bytes", "Memory of the answers that are kept.", work.kept.currsize),
        ):
            yield GaugeMetricFamily(f"good_init_{name}", help, value)
        asked = CounterMetricFamily("good_init_cache", "Answers asked for.", labels=["outcome"])
        asked.add_metric(["found"], work.found)
        asked.add_metric(["missed"], work.missed)
        yield asked


REGISTRY.register(_Now())
ProcessCollector(registry=REGISTRY)


def metrics(request: Request) -> Response:
    """/metrics: 404 where the host has switched it off."""
    if not settings.value("GOOD_INIT_METRICS"):
        return PlainTextResponse("not found\n", 404)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


ROUTES = [Route("/metrics", metrics)]
