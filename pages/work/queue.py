"""A queue that is fair between viewers: which job is next, and how many a viewer may have in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from itertools import count

from pages.work.jobs import Job

_LEAST_SHARE, _SHARE = 4, 10  # one viewer's places in the queue: a tenth of them, at least four
_PART = 4  # of the jobs that may have begun, one viewer's are a quarter


class QueueFull(ValueError):
    """More long work is waiting than the host allows."""


def _of(job: Job) -> Hashable:
    """The viewer of a job; a job of no viewer counts as that of one more."""
    return job.viewer or job


class FairQueue:
    """The jobs that wait and the jobs that run.

    Each viewer's first job comes before any viewer's second. Among these, the viewer whose last job
    was started longest ago comes first. It has no lock of its own: its owner calls it under one.

    Args:
        longest: how many jobs may wait.
        most_begun: how many may have begun, for they hold memory until they end; without the quick
            ones, which did not begin here.
    """

    def __init__(self, longest: int, most_begun: int) -> None:
        self.longest, self.most_begun = longest, most_begun
        self.waiting: list[Job] = []
        self.running: list[Job] = []
        self._starts = count(1)
        self._last_start: dict[Hashable, int] = {}

    def check_room(self, viewer: str) -> None:
        """Raise QueueFull if no job more may wait, or none of this viewer's; "" is no viewer."""
        own = sum(job.viewer == viewer for job in self.waiting) if viewer else 0
        if own >= max(_LEAST_SHARE, self.longest // _SHARE):
            raise QueueFull(
                f"{own} long runs of yours are waiting on this host: close some of your tabs, "
                "or try again in a moment"
            )
        if len(self.waiting) >= self.longest:
            raise QueueFull(
                f"this host's queue for long runs is full ({len(self.waiting)} waiting): "
                "try again in a moment, or lower width, depth or batch_size"
            )

    def add(self, job: Job) -> None:
        """Let a job wait."""
        self.waiting.append(job)

    def step_aside(self, job: Job) -> None:
        """Let a job that runs wait again, behind the jobs of viewers that have waited longer."""
        self.running.remove(job)
        self.waiting.append(job)

    def remove_unwanted(self) -> list[Job]:
        """Remove the jobs that nobody waits for any more, if they have not begun; returns them."""
        unwanted = [job for job in self.waiting if not (job.has_begun or job.is_wanted)]
        for job in unwanted:
            self.waiting.remove(job)
        return unwanted

    def place(self, job: Job) -> int:
        """A job's place among those that have not begun, from 1; 0 if it has."""
        line = [each for each in self._in_order() if not each.has_begun]
        return line.index(job) + 1 if job in line else 0

    def may_start(self) -> bool:
        """Whether any job that waits may run as soon as there is a place."""
        return bool(self._startable())

    def start_next(self) -> Job:
        """Move the next job to those that run."""
        job = self._startable()[0]
        self.waiting.remove(job)
        self.running.append(job)
        viewers = {_of(other) for other in (*self.waiting, *self.running)}
        self._last_start = {name: at for name, at in self._last_start.items() if name in viewers}
        self._last_start[_of(job)] = next(self._starts)
        return job

    def end(self, job: Job) -> None:
        """Note that a job has ended, whether it ran or had stepped aside."""
        (self.running if job in self.running else self.waiting).remove(job)

    def _startable(self) -> list[Job]:
        """The jobs that may be next, in order: no new one where enough have begun."""
        jobs = (*self.running, *self.waiting)
        begun = Counter(_of(job) for job in jobs if job.has_begun and not job.quick)
        room = begun.total() < self.most_begun
        return [
            job
            for job in self._in_order()
            if job.has_begun or (room and begun[_of(job)] * _PART < self.most_begun)
        ]

    def _in_order(self) -> list[Job]:
        """The jobs that wait, the next one first."""
        jobs_before = Counter(map(_of, self.running))
        ranked = []
        for job in self.waiting:
            rank = jobs_before[_of(job)], self._last_start.get(_of(job), 0)
            ranked.append((rank, job))
            jobs_before[_of(job)] += 1
        return [job for _, job in sorted(ranked, key=lambda pair: pair[0])]
