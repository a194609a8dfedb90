"""Chunks: groups from coarse cells to fine ones, joined to last long beside their overhead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from itertools import product
from statistics import median

from ..layer.operation import MICROSECOND
from ..question.experiment import Experiment
from .axes import Axis, placed
from .groups import Answer, Cell, Group, Question, ShouldStop, grouped, solve, work

COARSEST = 8
"""Every eighth cell along an axis is solved first."""

_PER_SECOND = 1e6 * MICROSECOND  # multiply-adds of one core
_OVERHEADS = 20  # a chunk takes so many times its overhead
_SHORTEST, _LONGEST = 0.02, 0.5  # seconds of a chunk
_PROBES = 5  # measurements of the overhead

Chunk = tuple[Group, ...]


def level_of(place: int) -> int:
    """0 for every eighth place along an axis, 1 for the places halfway between, then 2 and 3."""
    step, level = COARSEST, 0
    while place % step:
        step, level = step // 2, level + 1
    return level


def groups_of(
    base: Experiment, axes: Sequence[Axis], question: Question
) -> tuple[list[Group], list[Answer]]:
    """All groups of a grid, those of coarse cells first; and the cells without an experiment."""
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


def solve_chunk(
    chunk: Chunk, question: Question, should_stop: ShouldStop | None = None
) -> list[Answer]:
    """The answers of all groups of a chunk: the task of an executor.

    Raises:
        Stopped: ``should_stop`` returned True.
    """
    return [answer for group in chunk for answer in solve(group, question, should_stop)]


def nothing() -> None:
    """A task without work, whose duration is an executor's overhead."""


def overhead(executor: Executor) -> float:
    """Seconds that an executor, once started, takes for a task without work."""
    executor.submit(nothing).result()
    times = []
    for _ in range(_PROBES):
        start = time.perf_counter()
        executor.submit(nothing).result()
        times.append(time.perf_counter() - start)
    return median(times)


def chunked(groups: Sequence[Group], question: Question, per_chunk: float) -> list[Chunk]:
    """Groups in their order, joined to chunks that are long beside their overhead.

    Args:
        groups: from coarse to fine; no chunk spans two levels.
        question: the question that they answer.
        per_chunk: the overhead of a chunk in seconds, which sets how long a chunk should take.
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
