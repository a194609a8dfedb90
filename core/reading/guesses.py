"""Guesses of the iteration at which x breaks: the question in words, and how good they were."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..question.experiment import Experiment
from ..question.naming import stop_name
from ..simulation.propagate import Run
from ..text import format_number, significant

QUESTION = "At which iteration does x become NaN, if ever?"
_DRAWN = {"normal": "randn", "uniform": "rand, from −√3 to √3"}


@dataclass(frozen=True)
class Guesses:
    """How often each iteration was guessed.

    Attributes:
        counts: loop index -> number of guesses, at least one each.
        never: how many guessed that x never breaks.
    """

    counts: Mapping[int, int]
    never: int = 0

    @property
    def total(self) -> int:
        """All guesses."""
        return sum(self.counts.values()) + self.never

    def of(self, iteration: int | None) -> int:
        """How many guessed this; None is never."""
        return self.never if iteration is None else self.counts.get(iteration, 0)


def loop(experiment: Experiment) -> str:
    """The loop that the question is about, as a line of Python: it says what x is."""
    e = experiment
    which = "[i]" if e.weights == "fresh" else ""
    step = f"a{which} @ x" + (f" + b{which}" if e.bias_std else "")
    step = step if e.activation == "linear" else f"{e.activation}({step})"
    return f"for i in range({e.depth}): x = {step}"


def setting(experiment: Experiment) -> str:
    """What the letters of the loop stand for, in words, without the outcome."""
    e = experiment
    rule = _DRAWN.get(e.init, e.init)
    scale = stop_name(e, "scale") or significant(e.scale)
    drawn = rule if scale == "1" else f"{rule} × {scale}"
    again = "the same at every step" if e.weights == "tied" else "new ones at every step"
    phi = {"linear": "no ReLU", "relu": "ReLU after every product"}
    inputs = "" if e.batch_size == 1 else f"{e.batch_size} inputs of "
    size = f"{e.width} × {e.width}".replace(" ", "\N{NO-BREAK SPACE}")
    parts = [
        f"x: {inputs}{e.width} numbers from randn; a: {size} weights from {drawn}",
        again,
        phi.get(e.activation, f"{e.activation} after every product"),
    ]
    if e.bias_std:
        parts.append(f"a bias b of std {significant(e.bias_std)}")
    return f"{', '.join([*parts, e.number_format])}."


def counted(experiment: Experiment) -> str:
    """How the iterations are numbered."""
    last = experiment.depth - 1
    which = f"The first product is i = 0, the last is i = {last}" if last else "There is only i = 0"
    return f"{which}. Inf counts as well."


def measured_iteration(run: Run) -> int | None:
    """The right answer: the loop index of the first element that is Inf or NaN; None is never."""
    return run.events.first_nonfinite


def named(iteration: int | None) -> str:
    """A guess as the page repeats it to its author."""
    return "never" if iteration is None else str(iteration)


def not_whole(typed: float) -> str:
    """Why a number that is not whole is no guess, in a sentence."""
    below = math.floor(typed)
    return f"{format_number(typed)} is not an iteration: do you mean {below} or {below + 1}?"


def how_far(guess: int | None, measured: int | None) -> str:
    """How far off a guess was, in a sentence; None is never."""
    if guess == measured:
        return "You said never, and that is right." if guess is None else f"{guess} is right."
    if guess is None:
        return f"You said never, but it happens at i = {measured}."
    if measured is None:
        return f"You said {guess}, but it never happens here."
    off = f"{abs(guess - measured)} too {'late' if guess > measured else 'early'}"
    return f"You said {guess}, it is {measured}: {off}."


def in_class(guesses: Guesses, measured: int | None = None, *, is_shown: bool = False) -> str:
    """All guesses in a sentence; once the answer is shown, also how many were right."""
    if not guesses.total:
        return "No guesses yet."
    parts = [f"{guesses.total} guess{'' if guesses.total == 1 else 'es'}"]
    if guesses.counts:
        low, high = min(guesses.counts), max(guesses.counts)
        parts.append(f"from {low} to {high}" if low < high else f"at {low}")
    if guesses.never:
        parts.append(f"{guesses.never} say{'s' * (guesses.never == 1)} never")
    if is_shown:
        right = guesses.of(measured)
        parts.append(f"{right or 'none'} exactly right")
    return ", ".join(parts) + "."
