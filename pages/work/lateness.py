"""What becomes of quick work that takes longer than was estimated."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from pages.work.jobs import Job, Standing

_QUICK = 0.5  # seconds after which quick work is late
_INTERVAL = 0.1  # seconds between two calls of ``hear``


class Host(Protocol):
    """The part of `Work` that late work needs."""

    def move_to_late(self, place: ExitStack) -> None:
        """Exchange a place among quick work for one among late work."""

    def standing_of(self, job: Job) -> Standing:
        """How far a job is."""

    def has_left(self, job: Job) -> None:
        """Note that a caller no longer waits for a job."""


class Lateness:
    """Watches quick work that may take longer than was estimated.

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
        """Let other scripts go on once the work is late, and tell its caller now and then."""
        if self.left is not None or time.monotonic() < self._due:
            return
        if not self._is_late:
            self._is_late = True
            self.work.move_to_late(self.place)
        self._due = time.monotonic() + _INTERVAL
        try:
            self.hear(self.work.standing_of(self.job))
        except BaseException as left:
            self.left = left
            self.work.has_left(self.job)
