"""Attempts, counted so that room codes cannot be guessed and rooms cannot be opened without end."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

_MOST_NAMES = 4096


class Attempts:
    """Counts what each viewer or each address has tried lately, in this process only.

    Args:
        most: attempts after which there is a wait.
        seconds: for how long an attempt counts.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self.times: OrderedDict[str, deque[float]] = OrderedDict()
        self.lock = threading.Lock()

    def too_many(self, name: str) -> bool:
        """Whether this viewer or address has to wait."""
        with self.lock:
            return self._are_too_many(name)

    def add(self, name: str) -> None:
        """Count one more."""
        with self.lock:
            self._add(name)

    def admit(self, name: str) -> bool:
        """Count one more unless there are too many; returns whether there was room for it."""
        with self.lock:
            if self._are_too_many(name):
                return False
            self._add(name)
            return True

    def _are_too_many(self, name: str) -> bool:
        times = self.times.get(name, ())
        return len(times) >= self.most and self._still_counts(times[0])

    def _still_counts(self, when: float) -> bool:
        return time.monotonic() - when < self.seconds

    def _add(self, name: str) -> None:
        self.times.setdefault(name, deque(maxlen=self.most)).append(time.monotonic())
        self.times.move_to_end(name)
        oldest = next(iter(self.times.values()))
        if len(self.times) > _MOST_NAMES or not self._still_counts(oldest[-1]):
            self.times.popitem(last=False)
