"""What a finger on a slider feels, in Chromium: redraws in a drag, and the verified picture."""

from __future__ import annotations

import statistics

from playwright.sync_api import Page

from tests.browser.on_screen import drawn, listen, thumb, until, visit
from tests.serving import CHROMIUM, WHAT_TO_INSTALL, chromium, serve

_MOVES = 80
_FRAME = 16  # ms between moves of the finger
_THROTTLE = 4
_STEPS, _WARM = 40, 5
_HEAP_STEPS = 500
_SLIDERS = ("scale", "width", "depth")

# A redraw: from the slider's new value to the frame that shows the chart for it. A step: from the
# key to the frame that shows what the server measured. ``data-shows`` says what is on screen.
_WATCH = """() => {
  const bench = window.bench = { redraws: [], frames: [], verified: [], final: [], shifts: 0 };
  const painted = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(0);
  });
  let moved = null;
  for (const input of document.querySelectorAll('input[type="range"]'))
    new MutationObserver(() => { moved ??= performance.now(); })
      .observe(input, { attributeFilter: ['aria-valuetext'] });
  let pressed = null, final = null;
  addEventListener('keydown', () => { pressed = final = performance.now(); }, true);
  new MutationObserver(([{ target }]) => {
    const shows = target.dataset.shows;
    if (moved !== null) {
      const from = moved;
      moved = null;
      painted((now) => bench.redraws.push(now - from));
    }
    if (pressed !== null && shows !== 'exact') {
      const from = pressed;
      pressed = null;
      painted((now) => bench.verified.push(now - from));
    }
    if (final !== null && shows === 'server') {
      const from = final;
      final = null;
      painted((now) => bench.final.push(now - from));
    }
  }).observe(document.querySelector('.gi-figure'), { attributeFilter: ['data-shows'] });
  let last = performance.now();
  const tick = (now) => { bench.frames.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) bench.shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: false });
}"""


def _clear(page: Page) -> None:
    page.evaluate(
        "for (const [name, value] of Object.entries(bench))"
        " bench[name] = Array.isArray(value) ? [] : 0"
    )


def _drag(page: Page, slider: str, across: float) -> dict[str, list[float]]:
    """Drag a thumb by a part of its track, hold, and let go; what was recorded until then."""
    x, y, length = thumb(page, slider)
    page.mouse.move(x, y)
    page.wait_for_timeout(400)  # the source for the slider under the finger arrives
    page.mouse.down()
    _clear(page)
    for move in range(1, _MOVES + 1):
        page.mouse.move(x + across * length * move / _MOVES, y)
        page.wait_for_timeout(_FRAME)
    page.wait_for_timeout(200)
    recorded: dict[str, list[float]] = page.evaluate("structuredClone(bench)")
    page.mouse.up()
    page.wait_for_timeout(300)
    drawn(page)
    return recorded


def _drags(page: Page, aim: str, where: str = "") -> list[tuple[str, str, str]]:
    table = []
    for slider, across in (("scale", -0.45), ("depth", 0.4)):
        seen = _drag(page, slider, across)
        _drag(page, slider, -across)
        redraws, frames = seen["redraws"], seen["frames"]
        shown = (
            f"p50 {statistics.median(redraws):.0f} ms of {len(redraws)}, frame <= {max(frames):.0f}"
        )
        table.append((f"redraw while dragging {slider}{where}", shown, aim))
        table.append(("  layout shift", f"{seen['shifts']:.4f}", "0"))
    return table


def _step(page: Page, key: str) -> None:
    page.keyboard.press(key)
    until(page, "bench.final.length > 0")
    page.wait_for_timeout(250)


def _steps(page: Page) -> list[tuple[str, str, str]]:
    table = []
    for slider in _SLIDERS:
        page.locator(f'.st-key-{slider} input[type="range"]').focus()
        page.wait_for_timeout(400)
        verified, final = [], []
        for step in range(_STEPS + _WARM):
            _clear(page)
            _step(page, "ArrowLeft")
            if step >= _WARM:
                verified += page.evaluate("bench.verified")
                final += page.evaluate("bench.final")
        for what, times, aim in (
            (f"key press to measured curve, {slider}", verified, "120, 250 ms"),
            ("  to the server's whole figure", final, ""),
        ):
            p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            table.append((what, f"p50 {p50:.0f} ms, p95 {p95:.0f} ms", aim))
    return table


def _heap(page: Page) -> tuple[str, str, str]:
    session = page.context.new_cdp_session(page)

    def used() -> float:
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    page.locator('.st-key-scale input[type="range"]').focus()
    sizes = []
    for step in range(_HEAP_STEPS + 50):
        if step in (50, 50 + _HEAP_STEPS // 2):  # the caches of both directions are filled
            sizes.append(used())
        _clear(page)
        page.keyboard.press("ArrowLeft" if step // 25 % 2 else "ArrowRight")
        until(page, "bench.final.length > 0")
    drawn(page)
    sizes.append(used())
    grown = sizes[-1] - sizes[0]
    return f"heap after {_HEAP_STEPS} steps", f"{sizes[0]:.1f} MB, {grown:+.1f} MB", "+10 MB"


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, aim)."""
    if CHROMIUM is None:
        return [("live preview", WHAT_TO_INSTALL, "")]
    table = []
    with chromium() as browser, serve() as address:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        listen(page)
        visit(page, address)
        page.wait_for_timeout(1500)
        page.evaluate(_WATCH)
        _drag(page, "scale", -0.2)
        _drag(page, "scale", 0.2)
        table += _drags(page, "35, 120 ms")
        throttle = page.context.new_cdp_session(page)
        throttle.send("Emulation.setCPUThrottlingRate", {"rate": _THROTTLE})
        table += _drags(page, "120 ms", f", CPU / {_THROTTLE}")
        throttle.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        visit(page, address)
        page.wait_for_timeout(1500)
        page.evaluate(_WATCH)
        table += _steps(page)
        table.append(_heap(page))
    return table


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ", flush=True)
