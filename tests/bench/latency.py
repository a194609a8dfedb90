"""Key press on a slider → the new data drawn, in Chromium; and server start → first page."""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import Page

from tests.serving import chromium, serve

_STEPS = 30
_WARM = 4

# The chart's node tells when it has drawn; the next frame is when that is on screen.
_WATCH = """() => {
  const plot = document.querySelector('.gi-plot');
  window.drawn = [];
  plot.on('plotly_afterplot', () => window.drawn.push(performance.now()));
  addEventListener('keydown', () => { window.pressed = performance.now(); window.drawn = []; },
    true);
}"""


def _step(page: Page, key: str) -> float:
    page.keyboard.press(key)
    page.wait_for_function("window.drawn.length > 0", timeout=10_000)
    page.wait_for_timeout(250)
    return float(page.evaluate("window.drawn[0] - window.pressed"))


def measure(slider: str = "Scale factor") -> dict[str, float]:
    """Milliseconds: p50 and p95 of a slider step; seconds: first page after server start."""
    started = time.monotonic()
    with serve() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector(".gi-plot .main-svg", timeout=60_000)
        first_page = time.monotonic() - started
        page.wait_for_timeout(1500)
        page.evaluate(_WATCH)
        page.get_by_role("slider", name=slider).focus()
        times = [_step(page, "ArrowLeft") for _ in range(_STEPS + _WARM)][_WARM:]
    return {
        "p50": statistics.median(times),
        "p95": statistics.quantiles(times, n=20)[-1],
        "first_page": first_page,
    }


if __name__ == "__main__":
    for name in ("Scale factor", "Width n", "Depth"):
        print(name, measure(name))
