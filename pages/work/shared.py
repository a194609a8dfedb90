"""Shared work: an answer is computed once for all viewers who ask for it, and then cached.

Quick work, which takes less than about a quarter of a second, is done in the viewer's own thread.
If it takes longer than was estimated, it goes on as long work, and lets other scripts go on. Long
work waits in a fair queue for one of a few places, and takes turns in them. Meanwhile the caller is
told its place in the queue and its progress. The caller may leave by raising an exception, or after
some patience take the part of the answer that is known so far. Work that no caller waits for is
stopped, but not before a caller whose patience ran out has had some seconds to come back.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import ExitStack, suppress
from typing import Any

from cachetools import Cache, LRUCache

from pages.work.jobs import (
    Ended,
    Job,
    Kept,
    OnProgress,
    Standing,
    Superseded,
    TookTooLong,
    Unfinished,
    weighed,
)
from pages.work.lateness import Lateness
from pages.work.places import Places
from pages.work.turns import SCRIPT_LOCK

_INTERVAL = 0.1  # seconds between two calls of ``hear``


class Work:
    """All the work of one process.

    Args:
        at_once: how many long pieces of work run at the same time, and as many quick ones.
        longest_queue: how many long ones may wait.
        cache_bytes: the size of the cache.
        on_end: called with the outcome of each piece of work, in the thread that did it.
        linger: seconds in which a caller whose patience ran out may come back.
        most_seconds: how long any piece of work may take.
        share: seconds after which long work gives its place to long work that waits.
    """

    def __init__(
        self,
        at_once: int,
        longest_queue: int,
        cache_bytes: int,
        on_end: Callable[[Ended], None] = lambda ended: None,
        linger: float = 10.0,
        most_seconds: float = math.inf,
        share: float = 1.0,
    ) -> None:
        self.on_end, self.linger = on_end, linger
        self.most_seconds = most_seconds
        self.kept: LRUCache[Hashable, Kept] = LRUCache(cache_bytes, getsizeof=weighed)
        self.found, self.missed = 0, 0
        self.jobs: dict[Hashable, Job] = {}
        self._lock = threading.Condition()
        self._quick = threading.Semaphore(at_once)
        forget = lambda job: self.jobs.pop(job.key)  # noqa: E731
        self.places = Places(at_once, longest_queue, share, self._lock, self._do_there, forget)

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
        """What ``compute`` returns: from the cache, or from a computation that all callers share.

        Args:
            key: a kind, and all that the answer depends on.
            compute: called with a progress hook; the hook raises once nobody waits.
            quick: whether it takes less than about a quarter of a second.
            viewer: for whom it is; the queue is fair between viewers.
            hear: called now and then during the wait; what it raises goes to the caller.
            about: what was asked, for the log.
            patience: seconds after which the part of long work that is known so far is enough;
                quick work is waited for, also where it is late.

        Raises:
            Unfinished: the patience ran out.
            QueueFull: too many are waiting.
            Exception: whatever ``compute`` raises, to all callers.
        """
        with self._lock:
            kept = self._cached(key)
            if kept is not None:
                return kept.answer
            own = Job(key, compute, viewer, about or {}, quick)
            job = self._joined(own)
        if quick and job is own:
            self._do_here(job, hear)
        if job.answer.done():
            return self._wait(job, hear, viewer, patience)
        with SCRIPT_LOCK.released():
            return self._wait(job, hear, viewer, patience)

    def kept_answer(self, key: Hashable) -> Kept | None:
        """A cached answer, if there is one."""
        with self._lock:
            kept = self.kept.get(key)
            self.found += kept is not None
            return kept

    def leave(self, key: Hashable, viewer: str) -> None:
        """Note that a viewer will not come back for an answer."""
        with self._lock:
            if key in self.jobs:
                self.jobs[key].expected.pop(viewer, None)
                self._drop_unwanted()

    def forget_quick(self) -> None:
        """Forget the cached answers that are quick to compute again."""
        with self._lock:
            look = Cache.__getitem__  # self.kept[key] would mark the entry as just used
            for key in [key for key in self.kept if look(self.kept, key).quick]:
                del self.kept[key]

    def standing(self) -> tuple[int, int]:
        """How many long pieces of work are running, and how many wait."""
        with self._lock:
            self._drop_unwanted()
            return len(self.places.queue.running), len(self.places.queue.waiting)

    def _cached(self, key: Hashable) -> Kept | None:
        try:
            kept = self.kept[key]
        except KeyError:
            self.missed += 1
            return None
        self.found += 1
        return kept

    def _joined(self, job: Job) -> Job:
        """The job that answers a new question: one on its way to the same answer, or this one."""
        known = self.jobs.get(job.key)
        if known is not None and (not known.answer.done() or job.viewer in known.expected):
            known.waiting += 1
            known.expected.pop(job.viewer, None)
            return known
        self._drop_unwanted()
        if not job.quick:
            self.places.add(job)
        self.jobs[job.key] = job
        return job

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
                    if job.answer.done():  # only just, or its own error is one of time
                        return job.answer.result()
                if time.monotonic() >= deadline:
                    with self._lock:
                        job.expected[viewer] = time.monotonic() + self.linger
                    raise Unfinished(job.so_far, self.standing_of(job))
                hear(self.standing_of(job))
        finally:
            self.has_left(job)

    def standing_of(self, job: Job) -> Standing:
        """How far a job is."""
        with self._lock:
            return Standing(self.places.queue.place(job), job.fraction)

    def _drop_unwanted(self) -> None:
        """Forget what nobody waits for: work that has not begun, and failures still to be told."""
        self.places.drop_unwanted()
        for job in list(self.jobs.values()):
            if job.answer.done() and not job.is_wanted:
                del self.jobs[job.key]

    def _do_here(self, job: Job, hear: Callable[[Standing], object]) -> None:
        """Do quick work in this thread; if it has to wait for a place, other scripts may run.

        Raises:
            BaseException: what ``hear`` raised once the work was late: its caller has left.
        """
        if not self._quick.acquire(blocking=False):
            with SCRIPT_LOCK.released():
                self._quick.acquire()
        with ExitStack() as place:
            place.callback(self._quick.release)
            lateness = Lateness(self, job, hear, place)
            self._do(job, lateness.watch)
        if lateness.left is not None:
            raise lateness.left

    def free(self, job: Job) -> None:
        """Free a job's place among long work."""
        with self._lock:
            self.places.end(job)

    def has_left(self, job: Job) -> None:
        """Note that a caller no longer waits for a job."""
        with self._lock:
            job.waiting -= 1
            self._drop_unwanted()

    def _do_there(self, job: Job) -> None:
        """Do long work in this thread, which has been given a place."""
        try:
            self._do(job, lambda: self.places.give_way(job))
        finally:
            self.free(job)

    def _do(self, job: Job, watch: Callable[[], None] = lambda: None) -> None:
        """Compute an answer, and give it or the error to all who wait."""
        started = time.monotonic()
        answer, error, outcome = job.attempt(
            lambda: self._stop_unwanted(job), self.most_seconds, watch
        )
        with self._lock:
            if error is None:
                with suppress(ValueError):  # it is larger than the whole cache
                    self.kept[job.key] = Kept(answer, job.quick)
            # A caller whose patience ran out asks again soon, and is then told that time is up.
            is_told_later = isinstance(error, TookTooLong) and job.expected
            if self.jobs.get(job.key) is job and not is_told_later:
                del self.jobs[job.key]
        if error is None:
            job.answer.set_result(answer)
        else:
            job.answer.set_exception(error)
        ended = time.monotonic()
        what = job.key[0] if isinstance(job.key, tuple) else str(job.key)
        queued = started - job.asked + job.aside
        self.on_end(Ended(what, job.about, outcome, queued, ended - started - job.aside))

    def _stop_unwanted(self, job: Job) -> None:
        """Raise Superseded, unless somebody waits for the job or asks for it just now."""
        with self._lock:
            if not job.is_wanted:
                self.jobs.pop(job.key, None)  # from here on a new caller begins anew
                raise Superseded
