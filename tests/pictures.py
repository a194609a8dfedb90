"""``python -m tests.pictures``: the README's picture of each page, from the running app."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core import Experiment
from pages.poll import rooms
from tests.browser.on_screen import drawn, idle, listen
from tests.browser.test_phase_diagram import whole
from tests.serving import ROOT, chromium, serve

FOLDER = ROOT / "docs" / "pictures"
WIDTH = 1200
MOST_BYTES = 120_000
_LAPTOP = {"width": 1440, "height": 910}
_MENU = 46  # pixels at the top of the window, above the page itself
_TEACHER = "teacher-0123456789-0123456789"
_GUESSES = (27, 28, 28, 28, 26, 30, 31, 25, 29, 33, 22, 40, 28, 27, 50, 64, 35, 30, None, None)


def _explore(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    drawn(page)


def _lesson(page: Page, address: str) -> None:
    query = {"step": "magic-number", "done": "1-6"}
    page.goto(f"{address}/lesson?{urlencode(query)}")
    drawn(page)


def _number_formats(page: Page, address: str) -> None:
    page.goto(f"{address}/number-formats?scale=0.1")
    drawn(page)


def _phase_diagram(page: Page, address: str) -> None:
    page.goto(f"{address}/phase-diagram")
    expect(page.locator(".gi-summary")).to_be_visible()
    whole(page)


def _width_sweep(page: Page, address: str) -> None:
    page.goto(f"{address}/width-sweep")
    expect(page.locator(".gi-summary")).to_be_visible()
    whole(page)


def _papers(page: Page, address: str) -> None:
    page.goto(f"{address}/papers?topic=Gains")
    expect(page.locator("details.gi-claim").first).to_be_visible()
    told = page.get_by_role("status").filter(has_text="measured so far")
    expect(told).to_have_count(0, timeout=120_000)


def _your_model(page: Page, address: str) -> None:
    page.goto(
        f"{address}/your-model?model=resnet_50&beside=another&with_model=resnet_50"
        "&with_resnet_50_norm=no"
    )
    ladder = page.locator(".gi-ladder")
    expect(ladder).to_be_visible(timeout=60_000)
    ladder.evaluate("element => element.scrollIntoView()")


def _guess(page: Page, address: str) -> None:
    room = rooms.open(Experiment(), _TEACHER)
    for student, iteration in enumerate(_GUESSES):
        rooms.guess(room.code, f"student {student}", iteration)
    rooms.reveal(room.code, _TEACHER)
    cookie = {"name": "good_init_viewer", "value": _TEACHER, "url": address}
    page.context.add_cookies([cookie])
    page.goto(f"{address}/guess?room={room.code}")
    expect(page.locator(".gi-answer")).to_be_visible()
    page.wait_for_selector(".gi-plot .main-svg")


# Name of the file -> how to come to what it shows.
PICTURES: dict[str, Callable[[Page, str], None]] = {
    "explore": _explore,
    "lesson": _lesson,
    "number-formats": _number_formats,
    "phase-diagram": _phase_diagram,
    "width-sweep": _width_sweep,
    "papers": _papers,
    "your-model": _your_model,
    "guess": _guess,
}


def _taken(browser: Browser, address: str, name: str) -> bytes:
    """The first screen of a page as a PNG, ``WIDTH`` pixels wide."""
    page = browser.new_page(viewport=_LAPTOP, device_scale_factor=WIDTH / _LAPTOP["width"])
    page.set_default_timeout(60_000)
    listen(page)
    PICTURES[name](page, address)
    idle(page)
    page.wait_for_timeout(1_000)  # what Streamlit fades in
    height = _LAPTOP["height"] - _MENU
    clip = {"x": 0, "y": _MENU, "width": _LAPTOP["width"], "height": height}
    picture = page.screenshot(clip=clip)
    page.close()
    return picture


def _small(picture: bytes) -> bytes:
    """The same picture in 256 colours."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main(names: list[str]) -> None:
    """Take the pictures of these names, or all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{Path(folder) / 'rooms.sqlite'}"
        os.environ["GOOD_INIT_ROOMS"] = store
        with serve(GOOD_INIT_ROOMS=store) as address, chromium() as browser:
            for name in names or PICTURES:
                picture = _small(_taken(browser, address, name))
                (FOLDER / f"{name}.png").write_bytes(picture)
                print(f"{name}: {len(picture):,} bytes")
                assert len(picture) < MOST_BYTES, name


if __name__ == "__main__":
    main(sys.argv[1:])
