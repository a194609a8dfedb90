"""Explore's scripts run in turn: each is done soon after it began, in the order they came.

Python lets one thread at a time compute, and a run gives way at every product. If all scripts of a
class ran at once, each would wait for all the others at every one of its steps, and all would be
done at the end. One at a time takes the least processor time, and what sends the answers has the
other core.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_AT_ONCE = 1
_GIVES_WAY_AFTER = 0.001  # seconds; who comes back from a product waits that long for others


class Turns:
    """So many threads at a time; the others wait, and none overtakes another.

    Python's semaphore gives what is free to whoever asks first, who may have come after those that
    wait.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._called: deque[threading.Event] = deque()
        self._guard = threading.Lock()
        self._mine = threading.local()

    @property
    def waiting(self) -> int:
        """How many threads wait for a turn."""
        return len(self._called)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """This thread's turn, for as long as the block lasts."""
        self._take()
        self._mine.has = True
        try:
            yield
        finally:
            self._mine.has = False
            self._give()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Others may go on during the block, in which this thread only waits."""
        if not getattr(self._mine, "has", False):
            yield
            return
        self._give()
        try:
            yield
        finally:
            self._take(is_back=True)

    def _take(self, *, is_back: bool = False) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            called = threading.Event()
            if is_back:  # it was here before all who wait
                self._called.appendleft(called)
            else:
                self._called.append(called)
        called.wait()

    def _give(self) -> None:
        with self._guard:
            if self._called:
                self._called.popleft().set()
            else:
                self._free += 1


def start() -> None:
    """Let threads give way to each other often enough; once per process."""
    sys.setswitchinterval(_GIVES_WAY_AFTER)


TURNS = Turns(_AT_ONCE)
"""Those of this process."""
