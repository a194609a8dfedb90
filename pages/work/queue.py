"""The host's work: an answer is computed once for all who ask, a few long ones at a time, in turn.

Quick work is done by the viewer's own thread. Long work waits in a queue, fair between viewers, for
one of a few workers; who waits hears of the place in the queue and of the progress, and may leave
at any time. What nobody waits for any more is stopped. Who does not wait for the end gets what is
known so far and comes back for more: for a few seconds that counts as waiting.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from cachetools import Cache, LRUCache

from pages.work.jobs import Ended, Job, Kept, OnProgress, Standing, Superseded, Unfinished, weighed
from pages.work.turns import TURNS

_INTERVAL = 0.1  # seconds between two words to those who wait
_LEAST_SHARE, _SHARE = 4, 10  # one viewer's places in the queue: a tenth of them, at least four


class QueueFull(ValueError):
    """More long work is waiting than the host allows."""


class Work:
    """All the work of one process.

    Args:
        at_once: how many long pieces of work run at the same time, and as many quick ones.
        longest_queue: how many may wait.
        cache_bytes: how much of what was found is kept.
        linger: seconds for which work goes on for someone whose patience ran out.
        on_end: hears what became of each piece, in the thread that did it.
    """

    def __init__(
        self,
        at_once: int,
        longest_queue: int,
        cache_bytes: int,
        on_end: Callable[[Ended], None] = lambda ended: None,
        linger: float = 10.0,
    ) -> None:
        self.at_once, self.longest_queue, self.on_end = at_once, longest_queue, on_end
        self.linger = linger
        self.kept: LRUCache[Hashable, Kept] = LRUCache(cache_bytes, getsizeof=weighed)
        self.found, self.missed = 0, 0
        self._jobs: dict[Hashable, Job] = {}
        self._queue: list[Job] = []
        self._running: list[Job] = []
        self._workers: list[threading.Thread] = []
        self._served: dict[str, int] = {}
        self._numbers = count(1)
        self._lock = threading.Condition()
        self._quick = threading.Semaphore(at_once)

    def answer(
        self,
        key: Hashable,
        compute: Callable[[OnProgress], Any],
        *,
        quick: bool,
        viewer: str = "",
        hear: Callable[[Standing], object] = lambda standing: None,
        about: Mapping[str, Any] | None = None,
        patience: float = math.inf,
    ) -> Any:
        """What ``compute`` returns, from whoever computes it first.

        Args:
            key: a kind, and all that the answer depends on.
            compute: called with a hook for its progress, which ends it when nobody waits.
            quick: whether it is done before anyone would notice.
            viewer: whose turn it is; one who asks much waits behind those who ask little.
            hear: called now and then while it is on its way; what it raises goes to the caller.
            about: what was asked, for the log.
            patience: seconds after which what is known so far will do. Who comes back within
                ``linger`` seconds finds the work going on.

        Raises:
            Unfinished: the patience ran out.
            QueueFull: too many are waiting.
            Exception: whatever ``compute`` raises, to all who wait for it.
        """
        with self._lock:
            try:
                answer = self.kept[key].answer
            except KeyError:
                self.missed += 1
            else:
                self.found += 1
                return answer
            job = self._jobs.get(key)
            mine = job is None
            if job is None:
                job = self._begin(key, compute, quick, viewer, about or {})
            else:
                job.waiting += 1
        if mine and quick:
            self._do_at_once(job)
        if job.answer.done():
            return self._wait(job, hear, viewer, patience)
        with TURNS.aside():
            return self._wait(job, hear, viewer, patience)

    def _do_at_once(self, job: Job) -> None:
        """In this thread; others go on if it has to wait for its chance."""
        if not self._quick.acquire(blocking=False):
            with TURNS.aside():
                self._quick.acquire()
        try:
            self._do(job)
        finally:
            self._quick.release()

    def leave(self, key: Hashable, viewer: str) -> None:
        """Nobody is to linger for this viewer, who does not come back for the answer."""
        with self._lock:
            if key in self._jobs:
                self._jobs[key].expected.pop(viewer, None)
                self._tidy()

    def forget_quick(self) -> None:
        """Keep only what took long: the rest is found again before anyone would notice."""
        with self._lock:
            look = Cache.__getitem__  # which leaves the order of use as it is
            for key in [key for key in self.kept if look(self.kept, key).quick]:
                del self.kept[key]

    def standing(self) -> tuple[int, int]:
        """How many long pieces of work are running, and how many wait."""
        with self._lock:
            self._tidy()
            return len(self._running), len(self._queue)

    def _begin(
        self,
        key: Hashable,
        compute: Callable[[OnProgress], Any],
        quick: bool,
        viewer: str,
        about: Mapping[str, Any],
    ) -> Job:
        self._tidy()
        if not quick and viewer:
            self._check_share(viewer)
        if not quick and len(self._queue) >= self.longest_queue:
            raise QueueFull(
                f"this host's queue for long runs is full ({len(self._queue)} waiting): "
                "try again in a moment, or lower width, depth or batch_size"
            )
        job = Job(key, compute, viewer, about, next(self._numbers), quick)
        self._jobs[key] = job
        if not quick:
            self._queue.append(job)
            self._staff()
            self._lock.notify()
        return job

    def _check_share(self, viewer: str) -> None:
        """One viewer leaves room in the queue for others."""
        waiting = sum(job.viewer == viewer for job in self._queue)
        if waiting >= max(_LEAST_SHARE, self.longest_queue // _SHARE):
            raise QueueFull(
                f"{waiting} long runs of yours are waiting on this host: close some of your tabs, "
                "or try again in a moment"
            )

    def _wait(
        self, job: Job, hear: Callable[[Standing], object], viewer: str, patience: float
    ) -> Any:
        deadline = time.monotonic() + patience
        try:
            while True:
                left = max(0.0, deadline - time.monotonic())
                try:
                    return job.answer.result(min(_INTERVAL, left))
                except TimeoutError:
                    if job.answer.done():
                        raise
                if time.monotonic() >= deadline:
                    with self._lock:
                        job.expected[viewer] = time.monotonic() + self.linger
                    raise Unfinished(job.so_far, self._standing(job))
                hear(self._standing(job))
        finally:
            with self._lock:
                job.waiting -= 1
                self._tidy()

    def _tidy(self) -> None:
        """Take out of the queue what nobody wants."""
        for job in [job for job in self._queue if not job.is_wanted]:
            self._queue.remove(job)
            del self._jobs[job.key]

    def _standing(self, job: Job) -> Standing:
        with self._lock:
            place = self._in_turn().index(job) + 1 if job in self._queue else 0
            return Standing(place, job.fraction)

    def _in_turn(self) -> list[Job]:
        """The queue: each viewer's first before any viewer's second, who had no turn yet first."""
        asked = Counter(job.viewer for job in self._running)
        turns = []
        for job in self._queue:
            turns.append((asked[job.viewer], self._served.get(job.viewer, 0), job.number, job))
            asked[job.viewer] += 1
        return [turn[-1] for turn in sorted(turns, key=lambda turn: turn[:-1])]

    def _next(self) -> Job | None:
        """Whose turn it is; that viewer is then behind all others. None if nobody wants any."""
        self._tidy()
        if not self._queue:
            return None
        job = self._in_turn()[0]
        self._queue.remove(job)
        self._running.append(job)
        waiting = {other.viewer for other in self._queue}
        self._served = {name: turn for name, turn in self._served.items() if name in waiting}
        self._served[job.viewer] = next(self._numbers)
        return job

    def _staff(self) -> None:
        """Workers are there once there is work for them."""
        if len(self._workers) < self.at_once:
            worker = threading.Thread(target=self._serve, name="good-init-work", daemon=True)
            self._workers.append(worker)
            worker.start()

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._queue)
                job = self._next()
            if job is None:
                continue
            try:
                self._do(job)
            finally:
                with self._lock:
                    self._running.remove(job)

    def _do(self, job: Job) -> None:
        """Compute it and tell everyone, whatever happens."""
        started = time.monotonic()

        def on_progress(fraction: float, so_far: Any = None) -> None:
            job.fraction = fraction
            if so_far is not None:
                job.so_far = so_far
            if not job.is_wanted:
                with self._lock:
                    if not job.is_wanted:  # nobody came in between; who comes now begins anew
                        self._jobs.pop(job.key, None)
                        raise Superseded

        answer, error, outcome = None, None, "done"
        try:
            answer = job.compute(on_progress)
        except Superseded as superseded:
            error, outcome = superseded, "superseded"
        except ValueError as refusal:
            error, outcome = refusal, "refused"
        except BaseException as failure:
            error, outcome = failure, "failed"
        with self._lock:
            if error is None:
                self._keep(job, answer)
            if self._jobs.get(job.key) is job:
                del self._jobs[job.key]
        if error is None:
            job.answer.set_result(answer)
        else:
            job.answer.set_exception(error)
        ended = time.monotonic()
        what = job.key[0] if isinstance(job.key, tuple) else str(job.key)
        self.on_end(Ended(what, job.about, outcome, started - job.asked, ended - started))

    def _keep(self, job: Job, answer: Any) -> None:
        with suppress(ValueError):  # it is larger than all that is kept
            self.kept[job.key] = Kept(answer, job.quick)
