"""A fair lock for Explore's scripts: one runs at a time, first come, first served.

Python executes one thread at a time in any case. If all scripts of a class took part at once, each
would end when the last one does; one after the other, half of them end in half the time. A script
that waits for a long run releases the lock.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH_INTERVAL = 0.001  # seconds that a thread back from a product waits for the interpreter


class FairLock:
    """A lock that at most ``at_once`` threads hold; the others get it in the order they came.

    Python's semaphore is not fair: it gives a free place to the first thread that asks, which may
    have come after those that wait.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[threading.Event] = deque()
        self._guard = threading.Lock()
        self._thread = threading.local()

    @property
    def waiting(self) -> int:
        """How many threads wait for the lock."""
        return len(self._waiting)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock during the block."""
        self._acquire()
        self._thread.holds = True
        try:
            yield
        finally:
            self._thread.holds = False
            self._release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock during the block, in which this thread only waits, if it holds it."""
        if not getattr(self._thread, "holds", False):
            yield
            return
        self._release()
        try:
            yield
        finally:
            self._acquire(is_back=True)

    def _acquire(self, *, is_back: bool = False) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            called = threading.Event()
            if is_back:  # it came before all that wait
                self._waiting.appendleft(called)
            else:
                self._waiting.append(called)
        called.wait()

    def _release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


def set_switch_interval() -> None:
    """Let Python's threads give way to each other often enough; once per process."""
    sys.setswitchinterval(_SWITCH_INTERVAL)


SCRIPT_LOCK = FairLock(at_once=1)
"""The lock of Explore's scripts in this process."""
