"""The run beside the bare loop that it wraps: ratios taken in one process, turn by turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from core import Experiment, propagate

LESSON = Experiment()
FRESH = Experiment(weights="fresh", init="xavier_normal")
Work = Callable[[], object]


def bare_loop(a: torch.Tensor, x: torch.Tensor) -> None:
    """100 products and nothing else."""
    for _ in range(100):
        x = a @ x


def lesson_loop(a: torch.Tensor, x: torch.Tensor) -> None:
    """The lesson's own: two checks after every product, which is all that it measures."""
    for _ in range(100):
        x = a @ x
        if x.std() != x.std():
            pass
        if x.mean() != x.mean():
            pass


def fresh_loop(n: int) -> None:
    """100 products, each with a matrix drawn for it."""
    x = torch.randn(n)
    for _ in range(100):
        a = torch.randn(n, n) / n**0.5
        x = a @ x


def in_turn(works: dict[str, Work], *, rounds: int) -> dict[str, float]:
    """Median seconds of each, one after the other in every round, so that drift hits all."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def with_threads(threads: int, work: Work) -> Work:
    """The work with so many torch threads."""

    def limited() -> None:
        torch.set_num_threads(threads)
        work()

    return limited


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, aim)."""
    x, a = torch.randn(512), torch.randn(512, 512)
    tied = in_turn(
        {
            "bare": lambda: bare_loop(a, x),
            "drawn": lambda: bare_loop(torch.randn(512, 512), torch.randn(512)),
            "lesson": lambda: lesson_loop(a, x),
            "ours": lambda: propagate(LESSON),
        },
        rounds=60,
    )
    cores = torch.get_num_threads()
    fresh = in_turn(
        {
            "bare": with_threads(cores, lambda: fresh_loop(512)),
            "ours": with_threads(cores, lambda: propagate(FRESH)),
            "one": with_threads(1, lambda: propagate(FRESH)),
            "two": with_threads(2, lambda: propagate(FRESH)),
        },
        rounds=9,
    )
    torch.set_num_threads(cores)
    ours = tied["ours"]
    return [
        ("lesson, everything measured", f"{ours * 1e3:.1f} ms", ""),
        ("  / bare loop, a given", f"{ours / tied['bare']:.2f}", "<= 2"),
        ("  / bare loop, a drawn", f"{ours / tied['drawn']:.2f}", ""),
        ("  / the lesson's loop with its checks", f"{ours / tied['lesson']:.2f}", "< 1"),
        ("fresh, everything measured", f"{fresh['ours'] * 1e3:.0f} ms", ""),
        ("  / bare loop that draws a", f"{fresh['ours'] / fresh['bare']:.2f}", "<= 1.3"),
        ("  two threads / one", f"{fresh['two'] / fresh['one']:.2f}", "<= 1"),
    ]


def cuda_rows() -> list[tuple[str, str, str]]:
    """The same on CUDA, where there is one."""
    if not torch.cuda.is_available():
        return [("CUDA", "no device on this host", "")]
    wide = Experiment(width=8192, weights="fresh", init="xavier_normal")
    a, x = torch.randn(8192, 8192, device="cuda"), torch.randn(8192, device="cuda")

    def bare() -> None:
        bare_loop(a, x)
        torch.cuda.synchronize()

    times = in_turn(
        {
            "bare": bare,
            "tied": lambda: propagate(wide.replace(weights="tied"), "cuda"),
            "fresh": lambda: propagate(wide, "cuda"),
        },
        rounds=9,
    )
    return [
        ("CUDA, n = 8192, tied", f"{times['tied'] * 1e3:.1f} ms", ""),
        ("  / bare loop, a given", f"{times['tied'] / times['bare']:.2f}", "<= 2"),
        ("CUDA, n = 8192, fresh", f"{times['fresh'] * 1e3:.1f} ms", ""),
    ]
