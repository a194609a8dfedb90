"""A piece of the host's work: who waits for it, how far it is, and what it came to."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple, Protocol

_SMALL = 64  # bytes; what a number or a text is taken for


class OnProgress(Protocol):
    """What ``compute`` calls now and then; it ends the work that nobody waits for."""

    def __call__(self, fraction: float, so_far: Any = None) -> None:
        """Tell the fraction done, and what is known by now if that is worth seeing."""


class Superseded(Exception):
    """Nobody waits for this answer any more."""


class Standing(NamedTuple):
    """How far an answer is: its place in the queue, 0 once it left, and the fraction done."""

    place: int
    fraction: float


class Unfinished(Exception):
    """The patience of who asked ran out first.

    Attributes:
        so_far: what the work has told by now; None if nothing.
        standing: how far it is.
    """

    def __init__(self, so_far: Any, standing: Standing) -> None:
        super().__init__(f"{standing.fraction:.0%} done")
        self.so_far, self.standing = so_far, standing


class Kept(NamedTuple):
    """An answer, and whether it is found again before anyone would notice."""

    answer: Any
    quick: bool


class Ended(NamedTuple):
    """What became of a piece of work, for who keeps the log.

    Attributes:
        what: its kind; about: what was asked, for a person.
        outcome: done, refused, failed or superseded.
        queued, seconds: how long it waited, and how long it took.
    """

    what: str
    about: Mapping[str, Any]
    outcome: str
    queued: float
    seconds: float


@dataclass(eq=False)
class Job:
    """One answer on its way.

    ``waiting`` counts those who want it; ``expected`` has who may come back for it, and until when.
    """

    key: Hashable
    compute: Callable[[OnProgress], Any]
    viewer: str
    about: Mapping[str, Any]
    number: int
    quick: bool
    answer: Future[Any] = field(default_factory=Future)
    waiting: int = 1
    fraction: float = 0.0
    so_far: Any = None
    expected: dict[str, float] = field(default_factory=dict)
    asked: float = field(default_factory=time.monotonic)

    @property
    def is_wanted(self) -> bool:
        """Whether anyone waits for it, or is about to come back."""
        return self.waiting > 0 or time.monotonic() < max(self.expected.values(), default=0.0)


def weighed(value: Any) -> int:
    """About how many bytes an answer takes; its arrays cannot be written to from here on."""
    if hasattr(value, "setflags"):
        value.setflags(write=False)
        return int(value.nbytes)
    if isinstance(value, Mapping):
        return _SMALL + sum(weighed(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return _SMALL + sum(weighed(part) for part in value)
    if is_dataclass(value):
        return _SMALL + sum(weighed(getattr(value, part.name)) for part in fields(value))
    return _SMALL
