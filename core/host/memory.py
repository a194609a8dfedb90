"""The memory that runs in progress share: large ones wait for each other, in turn."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ..question.experiment import Experiment
from .limits import SMALL_BYTES, WorkLimit, cost

_LOOK = 0.1  # seconds between two words to who waits


class SharedMemory:
    """Hands out bytes, first come, first served."""

    def __init__(self) -> None:
        self.held = 0
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def room_for(self, need: int, most: int, on_wait: Callable[[], object]) -> Iterator[None]:
        """Hold ``need`` bytes within the block, as soon as all that is held stays within ``most``.

        Args:
            need: bytes; one who needs more than ``most`` is let in alone.
            most: bytes.
            on_wait: called some ten times a second meanwhile; what it raises ends the waiting.
        """
        ticket = object()
        with self._changed:
            self._line.append(ticket)
        try:
            while not self._taken(ticket, need, most):
                on_wait()
        except BaseException:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()
            raise
        try:
            yield
        finally:
            with self._changed:
                self.held -= need
                self._changed.notify_all()

    def _taken(self, ticket: object, need: int, most: int) -> bool:
        def fits() -> bool:
            return self._line[0] is ticket and (not self.held or self.held + need <= most)

        with self._changed:
            if not self._changed.wait_for(fits, _LOOK):
                return False
            self._line.popleft()
            self.held += need
            self._changed.notify_all()
            return True


_shared = SharedMemory()


def room_for(
    experiment: Experiment, device_type: str, on_wait: Callable[[], object]
) -> AbstractContextManager[None]:
    """Keeps all large runs of this process together within what one of them may take."""
    need = cost(experiment, device_type).bytes
    if device_type != "cpu" or need <= SMALL_BYTES:
        return nullcontext()
    return _shared.room_for(need, WorkLimit.from_environment().bytes, on_wait)
