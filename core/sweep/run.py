"""sweep(): an Experiment varied along one or two of its fields, on any executor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import numpy as np

from ..question.experiment import Experiment
from .axes import Value, as_axes
from .chunks import Chunk, chunked, groups_of, overhead, solve_chunk
from .groups import Answer, Group, Question, ShouldStop
from .measures import measure_of
from .result import NAMES, SweepResult

Solver = Callable[[Chunk, Question], list[Answer]]
_Place = tuple[Executor, Solver, AbstractContextManager[object]]
"""Where cells are solved, by which function, and a lock that lets them rest while it is held."""

_POLL = 0.1  # seconds between two calls of should_stop, and between two calls of on_result


def sweep(
    base: Experiment,
    axes: Mapping[str, Sequence[Value]],
    measure: str = "first_nonfinite",
    *,
    ensemble_size: int = 1,
    real: bool = False,
    executor: Executor | None = None,
    on_progress: Callable[[float], object] | None = None,
    on_result: Callable[[SweepResult], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    known: SweepResult | None = None,
) -> SweepResult:
    """One number per network in every cell of a grid.

    Infinite-width theory or the sampler, which draws no matrix, answer where they can; elsewhere
    matrices are multiplied. The numbers depend neither on the executor, nor on how the work was
    cut, nor on the order in which it came back.

    Args:
        base: the Experiment; its seed is that of every cell.
        axes: field -> its values, one or two fields; also ``sigma_w``, which sets the scale.
        measure: a key of MEASURES; a statistic is of the last layer, ``rms@10`` is of layer 10.
        ensemble_size: networks per cell. The first network of a cell of real runs is the one that
            Explore shows for its experiment.
        real: multiply real matrices in the real number format even where a faster way is known.
        executor: any of ``concurrent.futures``, or Dask's; None for a thread of this process.
        on_progress: called with the fraction done, whenever cells are done.
        on_result: called with the result so far, at most ten times a second and at the end; coarse
            cells come first.
        should_stop: asked about ten times a second; cells that are done by then are kept. Without
            an executor, a cell that is being computed ends at its next layer. There it also rests
            while any of these functions has not returned.
        known: an unfinished result of the same sweep. Its numbers are kept, and the missing ones
            are computed, to the last bit as without interruption. If none is missing, on_progress
            and on_result are not called.

    Returns:
        The grid. A cell that failed has its reason in ``errors``.

    Raises:
        ValueError: an axis, a value, the measure or ensemble_size is not allowed, or ``known`` is
            of another sweep.
    """
    made = as_axes(axes)
    question = _question(base, axes, measure, ensemble_size, real)
    found = _Found(SweepResult.blank(base, made, question))
    groups, impossible = groups_of(base, made, question)
    found.take(impossible)
    if known is not None:
        groups = found.go_on(known, groups)
    with _own_thread() if executor is None else _left_open(executor) as (place, solver, rest):

        def stops() -> bool:
            with rest:
                return should_stop is not None and should_stop()

        chunks = chunked(groups, question, overhead(place))
        for answers in _streamed(place, solver, chunks, question, stops):
            found.take(answers)
            with rest:
                if on_result and found.is_news():
                    on_result(found.so_far())
                if on_progress:
                    on_progress(found.answered / found.result.done.size)
    return replace(found.result, stopped=found.answered < found.result.done.size)


def _question(
    base: Experiment,
    axes: Mapping[str, Sequence[Value]],
    measure: str,
    ensemble_size: int,
    real: bool,
) -> Question:
    """The question, if every cell can answer it; else ValueError."""
    name, layer = measure_of(measure)
    if isinstance(ensemble_size, bool) or not isinstance(ensemble_size, int) or ensemble_size < 1:
        raise ValueError(
            f"ensemble_size must be a whole number of at least 1, got {ensemble_size!r}"
        )
    shallowest = min(int(depth) for depth in axes.get("depth", (base.depth,)))
    if layer is not None and layer > shallowest:
        raise ValueError(f"layer must be at most the depth {shallowest}, got {layer}")
    return Question(name, layer, ensemble_size, real)


@contextmanager
def _own_thread() -> Iterator[_Place]:
    """A thread, and a solver that ends with the block: it is in the middle of a cell then."""
    left, rest = threading.Event(), threading.Lock()

    def should_stop() -> bool:
        with rest:
            return left.is_set()

    with ThreadPoolExecutor(1) as executor:
        try:
            yield executor, partial(solve_chunk, should_stop=should_stop), rest
        finally:
            left.set()


@contextmanager
def _left_open(executor: Executor) -> Iterator[_Place]:
    """An executor of the caller's. Neither event nor lock would reach its processes or machines."""
    yield executor, solve_chunk, nullcontext()


def _streamed(
    executor: Executor,
    solver: Solver,
    chunks: Sequence[Chunk],
    question: Question,
    should_stop: ShouldStop,
) -> Iterator[list[Answer]]:
    """The answers of each chunk as it is done; chunks that are left over are cancelled."""
    running: dict[Future[list[Answer]], Chunk] = {}
    try:
        for chunk in chunks:
            running[executor.submit(solver, chunk, question)] = chunk
        while running and not should_stop():
            done, _ = wait(running, timeout=_POLL, return_when=FIRST_COMPLETED)
            for future in done:
                yield _answers(future, running.pop(future))
    finally:
        for future in running:
            future.cancel()


def _answers(future: Future[list[Answer]], chunk: Chunk) -> list[Answer]:
    """The answers of a chunk; if it broke, the reason is the error of all its cells."""
    try:
        return future.result()
    except Exception as failure:  # a worker, or the connection to it, may raise anything
        reason = f"{type(failure).__name__}: {failure}"
        return [
            Answer(cell.index, group.engine, error=reason)
            for group in chunk
            for cell in group.cells
        ]


class _Found:
    """A result that is being filled."""

    def __init__(self, blank: SweepResult) -> None:
        self.errors: dict[tuple[int, ...], str] = {}
        self.result = replace(blank, errors=self.errors)
        self.answered = 0
        self._last_news = 0.0

    def take(self, answers: Sequence[Answer]) -> None:
        """Put answers in their places."""
        networks = len(self.result.values)
        values = self.result.values.reshape(networks, -1)
        stuck = self.result.stuck.reshape(networks, -1)
        self.answered += len(answers)
        for answer in answers:
            if answer.error:
                place = np.unravel_index(answer.index, self.result.shape)
                self.errors[tuple(map(int, place))] = answer.error
                continue
            values[:, answer.index] = answer.values
            if answer.stuck is not None:
                stuck[:, answer.index] = answer.stuck
            self.result.engines.flat[answer.index] = NAMES.index(answer.engine)

    def go_on(self, known: SweepResult, groups: Sequence[Group]) -> list[Group]:
        """Copy the known numbers; return the groups with a cell missing.

        Groups are never cut, so that the bits do not depend on where a sweep was stopped.
        """
        r = self.result
        if (known.base, known.axes, known.question) != (r.base, r.axes, r.question):
            raise ValueError("known must be a result of this sweep, got one of another")
        r.values[:] = known.values
        r.engines[:] = known.engines
        r.stuck[:] = known.stuck
        left = [
            group
            for group in groups
            if not all(known.engines.flat[cell.index] for cell in group.cells)
        ]
        self.answered = r.engines.size - sum(len(group.cells) for group in left)
        return left

    def is_news(self) -> bool:
        """Whether on_result is to be called: at the end, and a few times a second."""
        now = time.monotonic()
        if now - self._last_news < _POLL and self.answered < self.result.engines.size:
            return False
        self._last_news = now
        return True

    def so_far(self) -> SweepResult:
        """A copy that later answers do not change."""
        r = self.result
        values, engines, stuck = r.values.copy(), r.engines.copy(), r.stuck.copy()
        errors = dict(self.errors)
        return replace(r, values=values, engines=engines, errors=errors, stuck=stuck)
