"""Laws and ensembles beside the loops that they stand for: ratios taken in one process.

Bare loops run on as many threads as torch likes, over a few networks or layers, and are multiplied
up; the ensembles run on one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from core import Experiment
from core.simulation.ensemble import sample_ensemble
from core.theory import fixed_points
from core.theory import mean_field as mf
from core.theory.finite_width import predict
from core.theory.hessenberg import log2_lengths

FRESH = Experiment(weights="fresh", init="lecun_normal")
Row = tuple[str, str, str]


def seconds(work: Callable[[], object], *, rounds: int = 3) -> float:
    """The median of a few rounds, after one that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def fresh_network(n: int, layers: int) -> None:
    """Products, each with a matrix drawn for it."""
    x = torch.randn(n)
    for _ in range(layers):
        a = torch.randn(n, n) * n**-0.5
        x = a @ x


def tied_network(n: int, layers: int) -> None:
    """One matrix drawn, and used at every step."""
    a, x = torch.randn(n, n) * n**-0.5, torch.randn(n)
    for _ in range(layers):
        x = a @ x


def _ensemble(n: int, networks: int, layers_timed: int, aim: str) -> list[Row]:
    e = FRESH.replace(width=n)
    bare = seconds(lambda: fresh_network(n, layers_timed)) * networks * e.depth / layers_timed
    ours = seconds(lambda: sample_ensemble(e, networks), rounds=1)
    what = f"{networks} fresh networks, n = {n}, {e.depth} layers"
    return [
        (what, f"{ours:.2f} s", ""),
        ("  bare loops / ensemble", f"{bare:.0f} s, {bare / ours:.0f} x", aim),
    ]


def _tied() -> list[Row]:
    n, products, count = 512, 100, 64
    ours = seconds(lambda: log2_lengths([n], products, count, stream=0)) / count
    bare = seconds(lambda: tied_network(n, products), rounds=15)
    what = f"one tied network's lengths, n = {n}, {products} products"
    return [
        (what, f"{ours * 1e3:.2f} ms", ""),
        ("  real matrix / Hessenberg", f"{bare * 1e3:.1f} ms, {bare / ours:.0f} x", ">= 15 x"),
    ]


def _prediction() -> list[Row]:
    widths, scales = iter(range(400, 500)), iter(np.geomspace(0.03, 2.0, 12).tolist())
    law = seconds(lambda: predict(Experiment(width=next(widths), depth=90)), rounds=11)
    warm = seconds(lambda: predict(Experiment(scale=next(scales), seed=1)), rounds=11)
    return [
        ("predict(Experiment()) at a width and depth never asked", f"{law * 1e3:.1f} ms", ""),
        ("  another scale and seed", f"{warm * 1e3:.1f} ms", "<= 50 ms"),
    ]


def _map() -> list[Row]:
    sigma_w, sigma_b = np.meshgrid(np.linspace(0.1, 4, 64), np.linspace(0, 2, 64))

    def phase_diagram() -> None:
        fixed_points._kept.cache_clear()
        mf.fixed_point("tanh", sigma_w, sigma_b)
        mf.chi_1("tanh", sigma_w, sigma_b)

    return [("q* and chi_1 of tanh, 64 x 64", f"{seconds(phase_diagram) * 1e3:.0f} ms", "<= 1 s")]


def rows() -> list[Row]:
    """(what, measured, aim)."""
    return [
        *_ensemble(512, 1000, 100, ">= 200 x"),
        *_ensemble(4096, 100, 3, ">= 1500 x"),
        *_tied(),
        *_prediction(),
        *_map(),
    ]


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ", flush=True)
