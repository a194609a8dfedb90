"""The lesson: every exercise at its default size, and all of them as the command prints them."""

from __future__ import annotations

import subprocess
import sys
import time

from core.lesson import STEPS
from tests.serving import ROOT

_SLOWEST = 3


def _seconds(slug: str) -> float:
    """The best of three, after one that is not counted."""
    step, best = STEPS[slug], float("inf")
    for seed in range(4):
        start = time.perf_counter()
        step.measure(step.setting(seed=seed))
        best = min(best, time.perf_counter() - start) if seed else best
    return best


def _command() -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "core.lesson"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, aim)."""
    found = sorted(((_seconds(slug), slug) for slug in STEPS), reverse=True)
    slowest = [
        (f"lesson, step {STEPS[slug].number}, {slug}", f"{seconds:.2f} s", "<= 1 s")
        for seconds, slug in found[:_SLOWEST]
    ]
    return [*slowest, ("python -m core.lesson", f"{_command():.1f} s", "<= 20 s")]


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ", flush=True)
