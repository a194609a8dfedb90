"""Chunks: groups in the order in which a picture wants them, cut to what an executor costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from itertools import product
from statistics import median

from ..question.experiment import Experiment
from .axes import Axis, placed
from .groups import Answer, Cell, Group, Question, grouped, solve, work

COARSEST = 8
"""Every so many cells along an axis are solved first."""

_PER_SECOND = 1.5e9  # multiply-adds of one core, roughly
_OVERHEADS = 20  # a chunk takes so many times what sending it costs
_SHORTEST, _LONGEST = 0.02, 0.5  # seconds
_PROBES = 5

Chunk = tuple[Group, ...]


def level_of(place: int) -> int:
    """0 for every 8th place along an axis, 1 for the ones halfway between, then 2 and 3."""
    step, level = COARSEST, 0
    while place % step:
        step, level = step // 2, level + 1
    return level


def groups_of(
    base: Experiment, axes: Sequence[Axis], question: Question
) -> tuple[list[Group], list[Answer]]:
    """All groups of a grid, the coarse picture's first; and the cells that cannot be."""
    cells: list[tuple[Cell, int]] = []
    impossible: list[Answer] = []
    places = product(*(range(len(axis.values)) for axis in axes))
    for index, place in enumerate(places):
        values = {axis.name: axis.values[at] for axis, at in zip(axes, place, strict=True)}
        level = max(map(level_of, place))
        try:
            cells.append((Cell(index, placed(base, values)), level))
        except ValueError as error:
            impossible.append(Answer(index, "runs", error=str(error)))
    deepest = max((cell.experiment.depth for cell, _ in cells), default=base.depth)
    groups = sorted(grouped(cells, question, deepest), key=lambda group: group.level)
    return groups, impossible


def solve_chunk(chunk: Chunk, question: Question) -> list[Answer]:
    """The answers of all groups of a chunk: what an executor is given to do."""
    return [answer for group in chunk for answer in solve(group, question)]


def nothing() -> None:
    """What an executor is given to see what its work costs besides the work."""


def overhead(executor: Executor) -> float:
    """Seconds from giving an executor nothing to do until it is done; it is started before."""
    executor.submit(nothing).result()
    times = []
    for _ in range(_PROBES):
        start = time.perf_counter()
        executor.submit(nothing).result()
        times.append(time.perf_counter() - start)
    return median(times)


def chunked(groups: Sequence[Group], question: Question, per_chunk: float) -> list[Chunk]:
    """Groups in their order, joined until each chunk takes about as long as it should.

    Args:
        groups: the coarse picture's first; no chunk spans two levels.
        question: what is asked.
        per_chunk: seconds that giving a chunk away costs; sets how long one should take.
    """
    wanted = min(max(_OVERHEADS * per_chunk, _SHORTEST), _LONGEST) * _PER_SECOND
    chunks: list[Chunk] = []
    waiting: list[Group] = []
    weight = 0.0
    for group in groups:
        own = work(group, question)
        full = weight and weight + own > wanted
        if waiting and (full or group.level != waiting[0].level):
            chunks.append(tuple(waiting))
            waiting, weight = [], 0.0
        waiting.append(group)
        weight += own
    if waiting:
        chunks.append(tuple(waiting))
    return chunks
