"""From nothing: importing core, as a ratio to importing torch; a server's first page."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.serving import CHROMIUM, ROOT, chromium, serve

_ROUNDS = 7


def _seconds(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return time.perf_counter() - start


def _first_page() -> tuple[float, float]:
    """Seconds from a cold server's start to the answer on screen; MB that the visit transfers."""
    with chromium() as browser:
        start = time.monotonic()
        with serve() as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            network, sizes = page.context.new_cdp_session(page), list[float]()
            network.on("Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]))
            network.send("Network.enable")
            page.goto(address)
            page.wait_for_selector(".gi-answer", timeout=60_000)
            seconds = time.monotonic() - start
            page.wait_for_load_state("networkidle")
            return seconds, sum(sizes) / 1e6


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, aim)."""
    for statement in ("import torch", "import core"):
        _seconds(statement)
    pairs = [(_seconds("import torch"), _seconds("import core")) for _ in range(_ROUNDS)]
    ratio = statistics.median(core / torch for torch, core in pairs)
    table = [("import core / import torch", f"{ratio:.2f}", "<= 1.5")]
    if CHROMIUM is not None:
        seconds, megabytes = _first_page()
        table.append(("server start to first page", f"{seconds:.1f} s", "<= 8 s"))
        table.append(("first visit transfers", f"{megabytes:.2f} MB", "<= 2.8 MB"))
    return table
