"""The memory that large runs share: a run that does not fit waits, first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ..question.experiment import Experiment
from .limits import SMALL_BYTES, WorkLimit, cost, memory_there_and_back

_LOOK = 0.1  # seconds between two calls of on_wait


class SharedMemory:
    """An amount of memory from which threads hold parts, first come, first served.

    Attributes:
        held: bytes that are held now.
    """

    def __init__(self) -> None:
        self.held = 0
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def room_for(self, need: int, most: int, on_wait: Callable[[], object]) -> Iterator[None]:
        """Wait until ``need`` more bytes fit within ``most``, and hold them during the block.

        Args:
            need: bytes. A need beyond ``most`` is granted while nothing else is held.
            most: bytes that may be held in all.
            on_wait: called about ten times a second during the wait. An exception that it raises
                ends the wait.
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
    experiment: Experiment,
    device_type: str,
    on_wait: Callable[[], object],
    *,
    backward: bool = False,
) -> AbstractContextManager[None]:
    """A block in which a run may take its memory; large runs together stay within the host's limit.

    Args:
        experiment: the question.
        device_type: "cpu" or "cuda"; only runs on the CPU share memory.
        on_wait: called about ten times a second while a large run waits.
        backward: whether the gradient is computed too.
    """
    need = memory_there_and_back(experiment) if backward else cost(experiment).bytes
    if device_type != "cpu" or need <= SMALL_BYTES:
        return nullcontext()
    return _shared.room_for(need, WorkLimit.from_environment().bytes, on_wait)
