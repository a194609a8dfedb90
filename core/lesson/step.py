"""Step: an exercise of the lesson, and the small result that it computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..reading.number import Number

LESSON_N, LESSON_DEPTH = 512, 100

OnProgress = Callable[[float], None]

_BOUNDS = {"n": (2, 1024), "depth": (1, 1000), "seed": (0, 2**63 - 1), "repetitions": (2, 10**7)}


@dataclass(frozen=True)
class Setting:
    """The size of an exercise.

    Raises ValueError, naming the field, the value and what is allowed.

    Attributes:
        n: the width, 2 … 1024.
        depth: how many products, 1 … 1000.
        seed: the start of the random numbers.
        repetitions: how many networks, or samples; each step says what it repeats.
    """

    n: int = LESSON_N
    depth: int = LESSON_DEPTH
    seed: int = 0
    repetitions: int = 100

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(
                    f"{name} must be a whole number from {low} to {high}, got {value!r}"
                )

    def experiment(self, **changes: float | str) -> Experiment:
        """The lesson's Experiment at this size, with some fields changed."""
        return Experiment(width=self.n, depth=self.depth, seed=self.seed).replace(**changes)

    def printed(self, value: float, *, at_any_size: bool = False) -> float | None:
        """What the lesson printed, if this is the lesson's own size."""
        same = (self.n, self.depth) == (LESSON_N, LESSON_DEPTH)
        return value if same or at_any_size else None


@dataclass(frozen=True)
class Sentence:
    """A sentence of the answer.

    Attributes:
        text: plain English; what stands between backticks is code.
        formula: LaTeX to be set below it, with the numbers in it; may be empty.
    """

    text: str
    formula: str = ""


@dataclass(frozen=True, eq=False)
class Counts:
    """A histogram.

    Attributes:
        label: what is counted.
        axis: what ``values`` are.
        values: the middles of the bins, ascending and evenly spaced; log2 of them if ``log2``.
        counts: how many, of the same shape.
        log2: whether ``values`` are logarithms.
        marks: what to point at, and its place among ``values``.
    """

    label: str
    axis: str
    values: Array
    counts: Array
    log2: bool = False
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Curve:
    """A size per layer.

    Attributes:
        label: whose.
        log2_size: log2 of the std or rms at layers 0 … depth, −inf for an exact zero.
        low, high: a band around it, of the same shape: nine networks in ten; None if there is none.
    """

    label: str
    log2_size: Array
    low: Array | None = None
    high: Array | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What an exercise came to.

    Attributes:
        setting: the size.
        numbers: the rows of its table.
        answer: what there is to say about them.
        right: the right answer to the step's guess: a number, infinite where what was asked for
            never happens, or one of the options.
        outputs: what the step's snippet assigns -> the same value computed here.
        counts: histograms, if there are any.
        curves: sizes per layer, if there are any; ``curve_axis`` says of what.
        curve_axis: such as "std of x".
    """

    setting: Setting
    numbers: tuple[Number, ...]
    answer: tuple[Sentence, ...]
    right: float | str
    outputs: Mapping[str, float | str]
    counts: tuple[Counts, ...] = ()
    curves: tuple[Curve, ...] = ()
    curve_axis: str = "std of x"


@dataclass(frozen=True)
class Guess:
    """What to ask before the answer is shown.

    Attributes:
        prompt: the question, in one sentence.
        kind: a number, or a choice among ``options``.
        options: of a choice.
        judged: how a number is compared with the right one: by their ratio, or their difference.
        tolerance: it is right if the larger divided by the smaller is at most this, or the
            difference is.
    """

    prompt: str
    kind: Literal["number", "choice"]
    options: tuple[str, ...] = ()
    judged: Literal["ratio", "difference"] = "ratio"
    tolerance: float = 1.0

    def accepts(self, guess: float | str, right: float | str) -> bool:
        """Whether a guess is right.

        Raises:
            ValueError: a choice that is not among the options, or a number that is none.
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
        same_side = value * target > 0
        return same_side and max(value / target, target / value) <= self.tolerance


@dataclass(frozen=True)
class Step:
    """An exercise of the lesson.

    Attributes:
        number: its place, from 1.
        slug: registry key; travels in links, never renamed.
        title: a few words.
        question: what is asked, in one or two sentences.
        guess: what to ask before the answer.
        compute: the exercise, a pure function of its size; reports the fraction done.
        snippet: the lines of PyTorch that show it, runnable as they are.
        explore: the Experiment to open in Explore.
        repeats: what ``repetitions`` counts, in the plural; empty where nothing is repeated.
        repetitions: how many by default.
        most_repetitions: how many at most.
    """

    number: int
    slug: str
    title: str
    question: str
    guess: Guess
    compute: Callable[[Setting, OnProgress], Result] = field(repr=False)
    snippet: Callable[[Setting], str] = field(repr=False)
    explore: Callable[[Setting], Experiment] = field(repr=False)
    repeats: str = ""
    repetitions: int = 2
    most_repetitions: int = 2

    def setting(
        self,
        n: int = LESSON_N,
        depth: int = LESSON_DEPTH,
        seed: int = 0,
        repetitions: int | None = None,
    ) -> Setting:
        """A size of this exercise; ``repetitions`` None means its default.

        Raises:
            ValueError: a value is not allowed; it names the field and what is allowed.
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
        """Do the exercise; on_progress hears the fraction done."""
        return self.compute(setting or self.setting(), on_progress or (lambda done: None))
