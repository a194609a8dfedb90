"""A hand on a slider, for every test in the browser."""

from contextlib import contextmanager

import pytest

from tests.browser.on_screen import thumb


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
