"""A piece of the host's work: how many wait for it, how far it is, and its outcome."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple, Protocol

_SMALL = 64  # bytes that a number or a short text counts for


class OnProgress(Protocol):
    """The hook that ``compute`` calls now and then; it raises once nobody waits for the answer."""

    def __call__(self, fraction: float, so_far: Any = None) -> None:
        """Report the fraction done, and the part of the answer known so far, if it is of use."""


class Superseded(Exception):
    """Nobody waits for this answer any more, so it is not computed to its end."""


class TookTooLong(ValueError):
    """The work took longer than the host allows, whatever was estimated.

    Attributes:
        so_far: the part of the answer known so far; None if there is none.
    """

    def __init__(self, message: str, so_far: Any = None) -> None:
        super().__init__(message)
        self.so_far = so_far


class Standing(NamedTuple):
    """How far an answer is: its place in the queue, 0 once it has begun, and the fraction done."""

    place: int
    fraction: float


class Unfinished(Exception):
    """The caller's patience ran out before the answer was computed.

    Attributes:
        so_far: the part of the answer known so far; None if there is none.
        standing: how far the answer is.
    """

    def __init__(self, so_far: Any, standing: Standing) -> None:
        super().__init__(f"{standing.fraction:.0%} done")
        self.so_far, self.standing = so_far, standing


class Kept(NamedTuple):
    """A cached answer, and whether it is quick to compute again."""

    answer: Any
    quick: bool


class Ended(NamedTuple):
    """The outcome of a piece of work, for the log.

    Attributes:
        what: its kind.
        about: what was asked, in words.
        outcome: done, refused, failed or superseded.
        queued: seconds that it waited.
        seconds: how long it took.
    """

    what: str
    about: Mapping[str, Any]
    outcome: str
    queued: float
    seconds: float


@dataclass(eq=False)
class Job:
    """An answer on its way.

    Attributes:
        key: a kind, and all that the answer depends on.
        compute: called with a progress hook.
        viewer: whose place in the queue it takes.
        about: what is asked, for the log.
        quick: whether it takes less than about a quarter of a second.
        answer: done when the answer is.
        waiting: how many callers wait for it.
        fraction: of it that is done.
        so_far: the part of the answer known so far.
        expected: viewer whose patience ran out -> until when they may come back.
        asked: when it was first asked for.
        has_begun: whether it has had a place among long work.
        turn_ends: when it is to give that place to other work.
        aside: seconds for which it has stood aside since.
    """

    key: Hashable
    compute: Callable[[OnProgress], Any]
    viewer: str
    about: Mapping[str, Any]
    quick: bool
    answer: Future[Any] = field(default_factory=Future)
    waiting: int = 1
    fraction: float = 0.0
    so_far: Any = None
    expected: dict[str, float] = field(default_factory=dict)
    asked: float = field(default_factory=time.monotonic)
    has_begun: bool = False
    turn_ends: float = 0.0
    aside: float = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether any caller waits for it, or may still come back."""
        return self.waiting > 0 or time.monotonic() < max(self.expected.values(), default=0.0)

    def attempt(
        self,
        stop_unwanted: Callable[[], None],
        most_seconds: float = math.inf,
        watch: Callable[[], None] = lambda: None,
    ) -> tuple[Any, BaseException | None, str]:
        """Compute the answer; returns it or the error, and the outcome for the log.

        Args:
            stop_unwanted: called while nobody wants the answer; may raise Superseded.
            most_seconds: how long it may take, beside the time for which it stands aside.
            watch: called whenever the computation reports its progress.
        """
        deadline = time.monotonic() + most_seconds

        def on_progress(fraction: float, so_far: Any = None) -> None:
            self.fraction = fraction
            if so_far is not None:
                self.so_far = so_far
            watch()
            if not self.is_wanted:
                stop_unwanted()
            if time.monotonic() > deadline + self.aside:
                raise TookTooLong(
                    f"this took longer than {most_seconds:g} s, the most that this host allows; "
                    f"{fraction:.0%} of it was done: lower width, depth, batch_size or networks",
                    self.so_far,
                )

        try:
            return self.compute(on_progress), None, "done"
        except Superseded as superseded:
            return None, superseded, "superseded"
        except ValueError as refusal:
            return None, refusal, "refused"
        except BaseException as failure:
            return None, failure, "failed"


def weighed(value: Any) -> int:
    """About how many bytes an answer takes; its arrays are made read-only, for it is shared."""
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
