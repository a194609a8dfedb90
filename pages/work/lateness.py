"""Quick work that takes longer than was estimated goes on as long work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from pages.work.jobs import Job, Standing
from pages.work.places import Places
from pages.work.turns import SCRIPT_LOCK

_QUICK = 0.5  # seconds after which quick work is late
_INTERVAL = 0.1  # seconds between two calls of ``hear``


class Host(Protocol):
    """The part of `Work` that late work needs."""

    places: Places

    def standing_of(self, job: Job) -> Standing:
        """How far a job is."""

    def has_left(self, job: Job) -> None:
        """Note that a caller no longer waits for a job."""

    def free(self, job: Job) -> None:
        """Free a job's place among long work."""


class Lateness:
    """Watches quick work that may take longer than was estimated.

    Args:
        work: the host's.
        job: done in this thread.
        hear: called now and then, once the work is late.
        place: releases the place among quick work; late work exchanges it for one among long work.

    Attributes:
        left: what ``hear`` raised, if the caller has left; others may still wait for the answer.
    """

    def __init__(
        self, work: Host, job: Job, hear: Callable[[Standing], object], place: ExitStack
    ) -> None:
        self.work, self.job, self.hear, self.place = work, job, hear, place
        self.left: BaseException | None = None
        self._due = time.monotonic() + _QUICK
        self._is_late = False

    def watch(self) -> None:
        """Go on as long work once it is late, and tell the caller now and then."""
        if time.monotonic() < self._due:
            return
        if self._is_late:
            self.work.places.give_way(self.job, self._tell)
        else:
            self._is_late = True
            self.place.close()
            self.place.enter_context(SCRIPT_LOCK.released())
            self.place.callback(self.work.free, self.job)
            self.work.places.enter(self.job, self._tell)
        self._due = time.monotonic() + _INTERVAL
        self._tell()

    def _tell(self) -> None:
        if self.left is not None:
            return
        try:
            self.hear(self.work.standing_of(self.job))
        except BaseException as left:
            self.left = left
            self.work.has_left(self.job)
