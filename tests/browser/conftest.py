"""A hand on a slider, for every test in the browser."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.on_screen import thumb


def pytest_collection_modifyitems(items):
    """Let a browser test that fails run once more; pytest's summary names each such test."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture
def dragging(page):
    """Drags a thumb by a part of its track and holds it; on leaving lets it go."""

    @contextmanager
    def drag(slider, across, *, moves=12):
        x, y, length = thumb(page, slider)
        page.mouse.move(x, y)
        page.wait_for_timeout(500)  # as a hand does; what the slider will need arrives
        page.mouse.down()
        for move in range(1, moves + 1):
            page.mouse.move(x + across * length * move / moves, y)
            page.wait_for_timeout(40)
        yield
        page.mouse.up()

    return drag
