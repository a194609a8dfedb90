"""Setting: the size of an exercise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..question.experiment import DEFAULTS, PARAMETERS, Experiment
from ..question.parameter import Parameter

LESSON_N, LESSON_DEPTH = 512, 100

_BOUNDS = {"n": (2, 1024), "depth": (1, 1000), "seed": (0, 2**63 - 1), "repetitions": (2, 10**7)}


def _within(name: str, bounds: tuple[int, int]) -> Parameter:
    """The description of a field of an Experiment, with the lesson's bounds."""
    parameter, (low, high) = PARAMETERS[name], bounds
    stops = tuple(stop for stop in parameter.stops if low <= stop <= high)
    return replace(parameter, minimum=low, maximum=high, stops=stops)


SIZES = {"width": _within("width", _BOUNDS["n"]), "depth": _within("depth", _BOUNDS["depth"])}
"""Field -> its description in the lesson: every step accepts what it allows."""


def within_sizes(experiment: Experiment) -> tuple[Experiment, list[str]]:
    """The Experiment at a size that every step accepts, and a sentence on each field it changes."""
    changes = {
        name: DEFAULTS[name]
        for name, parameter in SIZES.items()
        if not parameter.accepts(getattr(experiment, name))
    }
    problems = [
        f"{name} must be {SIZES[name].allowed} in the lesson, got {getattr(experiment, name)}: "
        f"{default} is used"
        for name, default in changes.items()
    ]
    return experiment.replace(**changes), problems


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
