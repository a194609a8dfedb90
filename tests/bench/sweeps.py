"""Sweeps: the lesson's map, and what processes and a Dask cluster make of real matrices.

``python -m tests.bench.sweeps`` also measures how the time grows with cells, width and workers:
the numbers of docs/scaling.md.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

from core import Experiment
from core.sweep import SweepResult, parse, sweep
from core.sweep.chunks import overhead
from core.sweep.executors import cluster as connected
from tests.dask_cluster import cluster

Row = tuple[str, str, str]
MAP = {axis.name: axis.values for axis in map(parse, ("scale=1e-2..1e1:48", "width=16..2048:48"))}
# Nothing here is free of its scale or known without a matrix: 384 cells of some 15 ms.
MATRICES = Experiment(width=256, depth=50, weights="fresh", activation="tanh")
MATRIX_AXES = {"scale": [0.05 * k for k in range(1, 25)], "seed": list(range(1, 17))}


def _timed(
    base: Experiment, axes: dict[str, tuple], executor: Executor | None = None, **more: object
) -> tuple[float, float, SweepResult]:
    """Seconds for all, seconds until every coarse cell is there, and the result."""
    first = 0.0
    start = time.perf_counter()

    def look(result: SweepResult) -> None:
        nonlocal first
        coarse = result.done[tuple(slice(None, None, 8) for _ in result.shape)]
        if not first and coarse.all():
            first = time.perf_counter() - start

    result = sweep(base, axes, executor=executor, on_result=look, **more)  # type: ignore[arg-type]
    return time.perf_counter() - start, first, result


def _lessons_map() -> Iterator[Row]:
    for weights in ("fresh", "tied"):
        base = Experiment(weights=weights)
        times = sorted(_timed(base, MAP, ensemble_size=16)[:2] for _ in range(3))
        total, first = times[1]
        what = f"the lesson's map, {weights}, 48 x 48 cells, 16 each"
        yield what, f"{total:.2f} s, 1 thread", "<= 3 s"
        yield "  the first coarse picture", f"{first:.2f} s", "<= 0.5 s"


def _matrices(executor: Executor | None) -> float:
    return _timed(MATRICES, MATRIX_AXES, executor, measure="rms", real=True)[0]


def _efficiency() -> Iterator[Row]:
    _matrices(None)
    alone = _matrices(None)
    yield "384 cells of real matrices, one thread", f"{alone:.2f} s", ""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        cost = overhead(pool)
        _matrices(pool)
        both = _ratio(pool)
    yield "  one thread / 2 processes", f"{both:.2f} x, {cost * 1e3:.1f} ms a chunk", ">= 1.7 x"
    with cluster(workers=2) as dask:
        executor = connected(dask.address)
        cost = overhead(executor)
        _matrices(executor)
        both = _ratio(executor)
    yield "  one thread / 2 Dask workers", f"{both:.2f} x, {cost * 1e3:.1f} ms a chunk", ">= 1.6 x"


def _ratio(executor: Executor, rounds: int = 3) -> float:
    """The median of how many times faster it is than one thread, the two taken in turn."""
    ratios = [_matrices(None) / _matrices(executor) for _ in range(rounds)]
    return sorted(ratios)[rounds // 2]


def rows() -> Iterator[Row]:
    """(what, measured, aim)."""
    yield from _lessons_map()
    yield from _efficiency()


def _growth_with_cells() -> Iterator[Row]:
    for side in (12, 24, 48, 96, 192, 384, 1000):
        axes = {
            axis.name: axis.values
            for axis in map(parse, (f"scale=1e-2..1e1:{side}", f"width=16..2048:{side}"))
        }
        total, first, result = _timed(Experiment(weights="fresh"), axes)
        cells = result.done.size
        yield (
            f"sampler, {cells} cells",
            f"{total:.2f} s, {total / cells * 1e6:.0f} µs a cell, first {first:.2f} s",
            "",
        )


def _growth_with_width() -> Iterator[Row]:
    for width in (64, 128, 256, 512, 1024, 2048):
        axes = {"scale": [0.5, 1.0], "seed": [1, 2]}
        base = MATRICES.replace(width=width, depth=20)
        total = _timed(base, axes, measure="rms", real=True)[0]
        yield f"matrices, n = {width}, 20 fresh layers", f"{total / 4 * 1e3:.1f} ms a cell", ""


def _growth_with_workers() -> Iterator[Row]:
    alone = _matrices(None)
    yield "384 cells of matrices, one thread", f"{alone:.2f} s", ""
    with ThreadPoolExecutor(2) as threads:
        yield "  2 threads", f"{_matrices(threads):.2f} s", ""
    for workers in (1, 2, 4, 8):
        with cluster(workers) as dask:
            executor = connected(dask.address)
            _matrices(executor)
            times = sorted(_matrices(executor) for _ in range(3))
            cost = overhead(executor)
        yield f"  {workers} Dask workers", f"{times[1]:.2f} s, {cost * 1e3:.1f} ms a chunk", ""


def main() -> None:
    """Everything, for docs/scaling.md."""
    for part in (rows, _growth_with_cells, _growth_with_width, _growth_with_workers):
        for row in part():
            print(f"{row[0]:50}{row[1]:>45}{row[2]:>12}", flush=True)


if __name__ == "__main__":
    main()
