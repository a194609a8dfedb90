"""The places in which long work runs: work that has had its share lets work that waits go on.

However long some of it takes, none holds a place for ever. So two maps that take an hour do not
keep a small one waiting: it has a place as soon as one of them reports its progress.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pages.work.jobs import Job
from pages.work.queue import FairQueue

_BEGUN = 4  # pieces of work that have begun and hold memory, for each place
_LOOK = 0.1  # seconds between two looks at who waits, or whether anybody still wants the work


class Places:
    """A few places, and the threads of the long work in them.

    A piece of work that gives its place up keeps its thread, which waits in its progress hook. Its
    methods but ``give_way`` and ``enter`` are called under the lock.

    Args:
        at_once: how many places there are.
        longest: how many pieces of work may wait.
        share: seconds after which work gives its place to work that waits.
        lock: of the owner.
        do: does a piece of work, in a thread of its own.
        forget: called with work that leaves the queue, because nobody waits for it.
    """

    def __init__(
        self,
        at_once: int,
        longest: int,
        share: float,
        lock: threading.Condition,
        do: Callable[[Job], None],
        forget: Callable[[Job], None],
    ) -> None:
        self.at_once, self.share, self.do, self.forget = at_once, share, do, forget
        self.queue = FairQueue(longest, _BEGUN * at_once)
        self._lock = lock

    def add(self, job: Job) -> None:
        """Let a new piece of work wait for a place.

        Raises:
            QueueFull: too many are waiting.
        """
        self.drop_unwanted()
        self.queue.check_room(job.viewer)
        self.queue.add(job)
        self._fill()

    def drop_unwanted(self) -> None:
        """Forget work that has not begun, and that nobody waits for any more."""
        for job in self.queue.remove_unwanted():
            self.forget(job)

    def end(self, job: Job) -> None:
        """Free the place of a piece of work."""
        self.queue.end(job)
        self._fill()

    def enter(self, job: Job, meanwhile: Callable[[], object]) -> None:
        """Wait for a place for work that has begun elsewhere, in the thread that does it."""
        with self._lock:
            job.has_begun = True
            self.queue.add(job)
            self._fill()
        self._wait(job, meanwhile)

    def give_way(self, job: Job, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Give the place up, if its share is over and other work waits; return with a new one.

        It also returns, without a place, once nobody waits for the work.

        Args:
            job: the work of this thread.
            meanwhile: called about ten times a second during the wait.
        """
        if time.monotonic() < job.turn_ends:
            return
        with self._lock:
            self.drop_unwanted()
            if job in self.queue.running:
                if not self.queue.may_start():
                    job.turn_ends = time.monotonic() + _LOOK
                    return
                self.queue.step_aside(job)
            self._fill()
        self._wait(job, meanwhile)

    def _wait(self, job: Job, meanwhile: Callable[[], object]) -> None:
        begun = time.monotonic()
        while True:
            with self._lock:
                if self._lock.wait_for(lambda: job in self.queue.running, _LOOK):
                    break
            if not job.is_wanted:
                break
            meanwhile()
        job.aside += time.monotonic() - begun

    def _fill(self) -> None:
        """Give the free places to the next in line."""
        self.drop_unwanted()
        while len(self.queue.running) < self.at_once and self.queue.may_start():
            job = self.queue.start_next()
            job.turn_ends = time.monotonic() + self.share
            if not job.has_begun:
                job.has_begun = True
                threading.Thread(
                    target=self.do, args=(job,), name="good-init-work", daemon=True
                ).start()
        self._lock.notify_all()
