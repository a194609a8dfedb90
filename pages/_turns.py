"""Explore's scripts run in turn: each is done soon after it began, in the order they came.

Python lets one thread at a time compute, and a run gives way at every product. If all scripts of a
class ran at once, each would wait for all the others at every one of its steps, and all would be
done at the end. One at a time takes the least processor time, and what sends the answers has the
other core.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_AT_ONCE = 1
_GIVES_WAY_AFTER = 0.001  # seconds; who comes back from a product waits that long for others


class Turns:
    """So many threads at a time; the others wait."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._mine = threading.local()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """This thread's turn, for as long as the block lasts."""
        with self._free:
            self._mine.has = True
            try:
                yield
            finally:
                self._mine.has = False

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Others may go on during the block, in which this thread only waits."""
        if not getattr(self._mine, "has", False):
            yield
            return
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()


def start() -> None:
    """Let threads give way to each other often enough; once per process."""
    sys.setswitchinterval(_GIVES_WAY_AFTER)


TURNS = Turns(_AT_ONCE)
"""Those of this process."""
