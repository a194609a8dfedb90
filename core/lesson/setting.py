"""Setting: the size of an exercise."""

from __future__ import annotations

from dataclasses import dataclass

from ..question.experiment import Experiment

LESSON_N, LESSON_DEPTH = 512, 100

_BOUNDS = {"n": (2, 1024), "depth": (1, 1000), "seed": (0, 2**63 - 1), "repetitions": (2, 10**7)}


@dataclass(frozen=True)
class Setting:
    """The size of an exercise.

    Attributes:
        n: the width, 2 … 1024.
        depth: the number of products, 1 … 1000.
        seed: of the random numbers, 0 … 2⁶³ − 1.
        repetitions: the number of networks, draws or samples, 2 … 10⁷; each step says which.

    Raises:
        ValueError: a field is not allowed; names the field, its value and the bounds.
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

    def printed(self, value: float) -> float | None:
        """A number that the lesson printed; None unless this is the lesson's own size."""
        return value if (self.n, self.depth) == (LESSON_N, LESSON_DEPTH) else None
