"""Failed attempts of each viewer, counted so that room codes cannot be guessed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

_MOST_VIEWERS = 4096


class FailedAttempts:
    """Counts failed attempts, in this process only.

    Args:
        most: failed attempts after which a viewer has to wait.
        seconds: for how long an attempt counts.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self.times: OrderedDict[str, deque[float]] = OrderedDict()
        self.lock = threading.Lock()

    def too_many(self, viewer: str) -> bool:
        """Whether the viewer has to wait."""
        with self.lock:
            times = self.times.get(viewer, ())
            recent = sum(time.monotonic() - when < self.seconds for when in times)
        return recent >= self.most

    def add(self, viewer: str) -> None:
        """Count one more."""
        with self.lock:
            self.times.setdefault(viewer, deque(maxlen=self.most)).append(time.monotonic())
            self.times.move_to_end(viewer)
            if len(self.times) > _MOST_VIEWERS:
                self.times.popitem(last=False)
