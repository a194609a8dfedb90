"""Three processes behind nginx: a viewer keeps to one, and outlives it."""

import gzip
import re
import urllib.error
import urllib.request

import pytest

from core import Experiment
from core.question.pins import to_query
from tests.browser.on_screen import drawn, eventually, has_query, query_of, seen, step, visit
from tests.hosting.proxy import NGINX, WHAT_TO_INSTALL, behind_nginx, under_a_path
from tests.load.crowd import Plan, elsewhere
from tests.load.truth import wrong
from tests.pages.work.test_log import measured
from tests.serving import processes

pytestmark = pytest.mark.skipif(NGINX is None, reason=WHAT_TO_INSTALL)

LINK = {"width": "256", "scale": "0.1", "seed": "7"} | to_query({"a": Experiment(width=100)})


@pytest.fixture(scope="module")
def apps():
    with processes(3) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(apps):
    with behind_nginx(apps) as running:
        yield running


@pytest.fixture(autouse=True)
def _all_are_up(apps, proxy):
    for app in apps:
        if app.process.poll() is not None:
            app.start()
    for app in apps:
        app.wait_until_ready()


def fetch(address, **headers):
    return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20)


def fullest(apps):
    """The process that most viewers are connected to; the only one is on it."""
    viewers = {app: measured(app.address)["good_init_sessions",] for app in apps}
    app = max(viewers, key=viewers.get)
    assert viewers[app] > 0
    return app


def lose(page, app):
    """Kill a process, and wait until the page has a websocket to another."""
    with page.expect_websocket():
        app.kill()
    page.wait_for_selector('[data-test-connection-state="CONNECTED"]', state="attached")


def test_a_viewer_keeps_to_one_process_over_reloads(visitor, proxy):
    page = visitor()
    before = len(proxy.served_by("/_stcore/host-config"))
    visit(page, proxy.address)
    for _ in range(2):
        page.reload()
        drawn(page)

    def one_process():
        places = proxy.served_by("/_stcore/host-config")[before:]
        assert len(places) >= 3 and len(set(places)) == 1

    eventually(one_process)


def test_a_viewer_outlives_its_process_and_keeps_the_view(visitor, proxy, apps):
    page = visitor()
    visit(page, proxy.address, **LINK)
    step(page, "Scale factor", "ArrowLeft")
    url, before = page.url, seen(page)
    lose(page, fullest(apps))
    drawn(page)
    assert page.url == url and seen(page) == before
    step(page, "Depth", "ArrowLeft")
    has_query(page, LINK | {"scale": "0.0944", "depth": "99"})
    other = visitor()
    other.goto(page.url)
    drawn(other)
    assert seen(other) == seen(page)


def test_sliders_answer_where_the_browser_asked_for_nothing_when_it_came_back(visitor, proxy, apps):
    page = visitor()
    visit(page, proxy.address, **LINK)
    before = seen(page)
    # Nothing was touched, so Streamlit's front end connects again and asks for no run.
    lose(page, fullest(apps))
    assert seen(page) == before
    step(page, "Depth", "ArrowLeft")
    other = visitor()
    other.goto(page.url)
    drawn(other)
    assert seen(other) == seen(page) != before


def test_cookies_spread_viewers_over_all_processes(proxy, apps):
    before = len(proxy.served_by("/_stcore/health"))
    for name in range(40):
        fetch(f"{proxy.address}/_stcore/health", Cookie=f"good_init_viewer=pupil{name}").close()

    def all_of_them():
        places = proxy.served_by("/_stcore/health")[before:]
        assert set(places) == {f"127.0.0.1:{app.port}" for app in apps}

    eventually(all_of_them)


def test_scripts_come_compressed_and_are_kept(proxy):
    page = fetch(proxy.address).read().decode()
    script = re.search(r"static/js/index\.[^\"]+\.js", page)[0]
    address = f"{proxy.address}/{script}"
    plain = fetch(address).read()
    for _ in range(3):
        answer = fetch(address, **{"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert gzip.decompress(answer.read()) == plain
    assert proxy.served_by(f"/{script}")[-1] == "-"  # the app was not asked again


@pytest.mark.parametrize("path", ["metrics", "_stcore/metrics", "x/metrics/", "%6Detrics"])
def test_metrics_are_refused(proxy, path):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(f"{proxy.address}/{path}")


def test_everything_works_under_a_path(page, proxy):
    with under_a_path(proxy) as address:
        visit(page, address, **LINK)
        step(page, "Depth", "ArrowLeft")
        assert page.url.startswith(f"{address}/?") and query_of(page)["depth"] == "99"
        with page.expect_download() as download:
            page.get_by_role("link", name="Download CSV").evaluate(
                "link => { link.target = ''; link.click(); }"
            )
        assert download.value.url.startswith(f"{address}/export.csv?width=256&depth=99")
        assert page.problems == []


def test_a_crowd_outlives_one_of_three_processes(proxy, apps):
    killed = []

    def meanwhile():  # most are there: the process that has the most of them goes
        if killed:
            return
        viewers = {app: measured(app.address)["good_init_sessions",] for app in apps}
        if sum(viewers.values()) >= 6:
            killed.append(max(apps, key=viewers.get))
            killed[0].kill()

    plan = Plan(proxy.address, viewers=9, seconds=9.0, ramp=3.0, pause=1.0, comes_back=True)
    report = elsewhere(plan, meanwhile)
    assert killed
    assert report.errors == [] and len(report.screens) == 9
    assert report.returns
    assert wrong(report.screens) == []
