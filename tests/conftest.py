"""One served app and one browser for the whole run; a fresh visitor for each test."""

from urllib.parse import urlsplit

import hypothesis
import pytest
import torch
from playwright.sync_api import expect
from threadpoolctl import threadpool_limits

from tests.browser.on_screen import listen
from tests.serving import CHROMIUM, WHAT_TO_INSTALL, chromium, returning, serve, shell

PATIENCE = 60_000  # ms; a busy machine takes its time
expect.set_options(timeout=PATIENCE)
LAPTOP = {"width": 1440, "height": 900}
# The same examples in every run; --hypothesis-profile=default draws new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


def pytest_terminal_summary(terminalreporter):
    """Why a test had to run again, which pytest tells only of those that failed in the end."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"first run of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext[-3000:])


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """A worker of pytest has one core, as a viewer of the app has: threads on it only wait."""
    torch.set_num_threads(1)
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="session")
def served_rooms(tmp_path_factory):
    """Where the served app keeps its rooms: the value of GOOD_INIT_ROOMS."""
    return f"sqlite:///{tmp_path_factory.mktemp('served') / 'rooms.sqlite'}"


@pytest.fixture(scope="session")
def address(served_rooms):
    with serve(GOOD_INIT_ROOMS=served_rooms) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip(WHAT_TO_INSTALL)
    with chromium() as running:
        yield running


def _note(problems, message):
    # Chromium does not say in the text which file was missing.
    if message.type == "error":
        problems.append(f"{message.text} ({message.location.get('url', '')})")


def _tab(context):
    """An empty page whose ``problems`` lists what its console and scripts complain of."""
    page = context.new_page()
    page.problems = []
    listen(page)
    page.on("console", lambda message: _note(page.problems, message))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    return page


@pytest.fixture(scope="session")
def shell_browser(browser):
    """The browser of those who have no touch screen."""
    with shell(browser) as running:
        yield running


@pytest.fixture
def visitor(browser, shell_browser):
    """Opens a page as another viewer would, who was never here: nothing is shared or cached."""
    contexts = []

    def arrive(**options):
        opened = browser if options.get("has_touch") else shell_browser
        contexts.append(opened.new_context(**{"viewport": LAPTOP, **options}))
        contexts[-1].set_default_timeout(PATIENCE)
        return _tab(contexts[-1])

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def profile(browser, tmp_path_factory):
    """The browser of someone who was here before: scripts lie in its cache, compiled."""
    with returning(browser, tmp_path_factory.mktemp("profile"), LAPTOP) as context:
        context.set_default_timeout(PATIENCE)
        yield context


@pytest.fixture
def page(profile):
    """A new tab of the returning viewer: no cookie and nothing stored, half of a visit's cost."""
    profile.clear_cookies()
    page = _tab(profile)
    yield page
    if (site := urlsplit(page.url)).netloc:
        profile.new_cdp_session(page).send(
            "Storage.clearDataForOrigin",
            {"origin": f"{site.scheme}://{site.netloc}", "storageTypes": "local_storage"},
        )
    page.close()
