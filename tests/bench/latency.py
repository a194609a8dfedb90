"""Key press on a slider → the new data in the chart, in Chromium; server start → first page."""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import Page

from tests.serving import CHROMIUM, WHAT_TO_INSTALL, chromium, serve

_STEPS = 30
_WARM = 4
_SLIDERS = ("Scale factor", "Width n", "Depth")

# The first chart's node tells when new data are in it.
_WATCH = """() => {
  window.drawn = [];
  document.querySelector('.gi-plot').on(
    'plotly_afterplot', () => window.drawn.push(performance.now()));
  addEventListener('keydown', () => { window.pressed = performance.now(); window.drawn = []; },
    true);
}"""


def _step(page: Page) -> float:
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("window.drawn.length > 0", timeout=10_000)
    page.wait_for_timeout(300)
    return float(page.evaluate("window.drawn[0] - window.pressed"))


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, aim)."""
    if CHROMIUM is None:
        return [("latency", WHAT_TO_INSTALL, "")]
    table = []
    with chromium() as browser:
        started = time.monotonic()
        with serve() as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(address)
            page.wait_for_selector(".gi-answer", timeout=60_000)
            first_page = time.monotonic() - started
            table.append(("server start to first page", f"{first_page:.1f} s", "<= 8 s"))
            page.wait_for_selector(".gi-plot .main-svg", timeout=60_000)
            page.wait_for_timeout(1500)
            page.evaluate(_WATCH)
            for slider in _SLIDERS:
                page.get_by_role("slider", name=slider).focus()
                times = [_step(page) for _ in range(_STEPS + _WARM)][_WARM:]
                p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
                shown = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"
                table.append((f"slider step, {slider}", shown, "150, 300 ms"))
    return table


if __name__ == "__main__":
    print(*rows(), sep="\n")
