"""Step: an exercise of the lesson, and the guess that it asks for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from ..question.experiment import Experiment
from ..text import format_number
from .result import Result
from .setting import LESSON_DEPTH, LESSON_N, Setting

OnProgress = Callable[[float], None]
"""Called with the fraction that is done."""
_DEPTH = re.compile(rf"\b{LESSON_DEPTH} (product|layer)s\b")


def _at_depth(text: str, depth: int) -> str:
    """The text with this depth in place of the lesson's own, "100 products" or "100 layers"."""
    return _DEPTH.sub(rf"{depth} \1{'' if depth == 1 else 's'}", text)


@dataclass(frozen=True)
class Guess:
    """The guess that is asked for before the answer is shown.

    Attributes:
        prompt: the question, in one or two sentences.
        kind: a number, or a choice among ``options``.
        options: of a choice.
        judged: whether a number is compared with the right one by their ratio or difference.
        tolerance: the largest ratio (the larger divided by the smaller), or difference, with
            which a number counts as right.
        whole: what a number that is to be whole counts, such as "A loop index"; empty for a real
            number.
    """

    prompt: str
    kind: Literal["number", "choice"]
    options: tuple[str, ...] = ()
    judged: Literal["ratio", "difference"] = "ratio"
    tolerance: float = 1.0
    whole: str = ""

    def problem(self, guess: float | str) -> str:
        """Why a guess cannot be judged, in a sentence; empty if it can."""
        if not self.whole or float(guess).is_integer():
            return ""
        return f"{self.whole} is a whole number: {format_number(float(guess))} is not one."

    def accepts(self, guess: float | str, right: float | str) -> bool:
        """Whether a guess is right.

        Raises:
            ValueError: the choice is not among the options, or the number is NaN.
        """
        if self.kind == "choice":
            if guess not in self.options:
                raise ValueError(f"guess must be one of {', '.join(self.options)}, got {guess!r}")
            return guess == right
        value, target = float(guess), float(right)
        if math.isnan(value):
            raise ValueError(f"guess must be a number, got {guess!r}")
        if value == target:
            return True
        if self.judged == "difference":
            return abs(value - target) <= self.tolerance
        same_sign = value * target > 0
        return same_sign and max(value / target, target / value) <= self.tolerance


@dataclass(frozen=True)
class Step:
    """An exercise of the lesson.

    Attributes:
        number: its place in the lesson, from 1.
        slug: registry key; it stands in links and is never renamed.
        title: a few words; here and in what is asked, the depth is the lesson's own.
        question: the exercise, in one to three sentences.
        guess: the guess that is asked for before the answer.
        compute: does the exercise; a pure function of its size, which reports its progress.
        work: of the exercise at a size, in multiply-adds.
        snippet: PyTorch code that does the same, and runs as it is.
        explore: the Experiment that opens in Explore.
        repeats: what ``repetitions`` counts, in the plural; empty where nothing is repeated.
        repetitions: their number by default.
        most_repetitions: their largest number.
        more: whether it is for those who want more: the lesson is complete without it.
    """

    number: int
    slug: str
    title: str
    question: str
    guess: Guess
    compute: Callable[[Setting, OnProgress], Result] = field(repr=False)
    work: Callable[[Setting], float] = field(repr=False)
    snippet: Callable[[Setting], str] = field(repr=False)
    explore: Callable[[Setting], Experiment] = field(repr=False)
    repeats: str = ""
    repetitions: int = 2
    most_repetitions: int = 2
    more: bool = False

    def at(self, depth: int) -> Step:
        """The step whose title, question and guess name this depth, in products."""
        title, question, prompt = (
            _at_depth(text, depth) for text in (self.title, self.question, self.guess.prompt)
        )
        return replace(
            self, title=title, question=question, guess=replace(self.guess, prompt=prompt)
        )

    def setting(
        self,
        n: int = LESSON_N,
        depth: int = LESSON_DEPTH,
        seed: int = 0,
        repetitions: int | None = None,
    ) -> Setting:
        """A size of this exercise; ``repetitions`` None means its default.

        Raises:
            ValueError: a value is not allowed; names the field, the value and the bounds.
        """
        count = self.repetitions if repetitions is None else repetitions
        if isinstance(count, int) and count > self.most_repetitions:
            raise ValueError(
                f"repetitions must be a whole number from 2 to {self.most_repetitions} in step "
                f"{self.number}, got {count!r}"
            )
        return Setting(n, depth, seed, count)

    def measure(
        self, setting: Setting | None = None, on_progress: OnProgress | None = None
    ) -> Result:
        """Do the exercise.

        Args:
            setting: its size; None means ``setting()``, the lesson's own.
            on_progress: called with the fraction that is done.
        """
        return self.compute(setting or self.setting(), on_progress or (lambda done: None))
