"""``make load``: many viewers at once, and what goes wrong on a host. It measures, never judges."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain

from tests.hosting.proxy import behind_nginx
from tests.load import faults, floods, long_visit
from tests.load.crowd import Plan, elsewhere, percentile
from tests.load.memory import resident
from tests.load.truth import wrong
from tests.serving import processes

Row = tuple[str, str, str]
_AIMS = {100: "p95 <= 1.0 s", 200: "p95 <= 1.5 s"}
_ARRIVALS_PER_SECOND = 4
_TIDIES_WITHIN = 25.0  # seconds after the last viewer left
_AS_HOSTED = {"MALLOC_ARENA_MAX": "2"}  # by the image, the unit and make run


@contextmanager
def _served(count: int) -> Iterator[tuple[str, list[int]]]:
    """An address, and the processes behind it; nginx stands before several."""
    with ExitStack() as running:
        apps = running.enter_context(processes(count, **_AS_HOSTED))
        address = apps[0].address
        if count > 1:
            address = running.enter_context(behind_nginx(apps)).address
        yield address, [app.process.pid for app in apps]


def crowd_rows(viewers: int, seconds: float, settle: float, count: int) -> Iterator[Row]:
    """Many viewers on some processes: how long they wait, what went wrong, what memory it took."""
    with _served(count) as (address, pids):
        before = peak = sum(map(resident, pids))

        def meanwhile() -> None:
            nonlocal peak
            peak = max(peak, sum(map(resident, pids)))

        report = elsewhere(
            Plan(address, viewers, seconds, viewers / _ARRIVALS_PER_SECOND), meanwhile
        )
        time.sleep(settle)  # Streamlit keeps a session two minutes for one who comes back
        elsewhere(Plan(address, viewers=1, seconds=0.0, ramp=0.0))
        time.sleep(_TIDIES_WITHIN)
        after = sum(map(resident, pids))
    strayed = wrong(report.screens)
    p50, p95 = (percentile(report.steps, percent) for percent in (50, 95))
    arrival = percentile(report.arrivals, 95)
    aim = _AIMS.get(viewers, "")
    on = f" on {count} processes" if count > 1 else ""
    yield (
        f"{viewers} viewers{on}, {len(report.steps)} steps",
        f"p50 {p50:.2f} s, p95 {p95:.2f} s",
        aim,
    )
    yield "  errors, wrong views", f"{len(report.errors)}, {len(strayed)}", "0, 0"
    for error in (report.errors + strayed)[:3]:
        yield f"    {error}", "", ""
    yield "  first page", f"p95 {arrival:.2f} s", ""
    memory = f"{before:.0f} MB, {peak:.0f} MB, {after:.0f} MB"
    yield "  memory before, with viewers, after", memory, f"<= {1.2 * before:.0f} MB after"
    yield "    per viewer", f"{(peak - before) / viewers:.2f} MB", ""


def long_rows(steps: int) -> Iterator[Row]:
    """One viewer who goes on and on."""
    if steps:
        with processes(1, **_AS_HOSTED) as [app]:
            seen = long_visit.visit(app, steps)
        yield f"{steps} steps on one session", f"{seen.grown:+.0f} MB", "< 50 MB"
        yield "  of it in the first tenth", f"{seen.grown_early:+.0f} MB", ""
        yield "  errors", str(len(seen.errors)), "0"


def main() -> None:
    """Print what was measured beside what is aimed at."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("parts", nargs="*", help="crowds, long, faults, floods; all unless said")
    parser.add_argument("--viewers", type=int, nargs="*", default=[50, 100, 200])
    parser.add_argument("--processes", type=int, default=1, help="of the app, behind nginx")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they step")
    parser.add_argument("--settle", type=float, default=130.0, help="from their leaving to memory")
    parser.add_argument("--steps", type=int, default=10_000, help="on one session; 0: none")
    parser.add_argument("--links", type=int, default=1000, help="hostile ones")
    asked = parser.parse_args()
    parts = set(asked.parts or ("crowds", "long", "faults", "floods"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, shared by server and viewers", flush=True)
    print(f"{'':44}{'measured':>38}{'aim':>20}")
    for viewers in asked.viewers if "crowds" in parts else ():
        crowd = crowd_rows(viewers, asked.seconds, asked.settle, asked.processes)
        for what, measured, aim in crowd:
            print(f"{what:44}{measured:>38}{aim:>20}", flush=True)
    for what, measured, aim in long_rows(asked.steps) if "long" in parts else ():
        print(f"{what:44}{measured:>38}{aim:>20}", flush=True)
    faulty = faults.outcomes(asked.links) if "faults" in parts else ()
    flooded = floods.outcomes() if "floods" in parts else ()
    for outcome in chain(faulty, flooded):
        print(f"{'ok ' if outcome.is_fine else 'NOT'} {outcome.done}: {outcome.seen}", flush=True)


if __name__ == "__main__":
    main()
