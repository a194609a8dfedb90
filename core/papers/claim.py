"""Claim: a number that the literature printed, and how it is measured again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..maps.landscape import Landscape
from ..maths.arrays import Array
from ..question.experiment import Experiment

TOPICS = (
    "Explode and vanish",
    "Gains",
    "Edge of chaos",
    "Finite width",
    "Gradients",
    "Residual and normalised nets",
    "Number formats",
    "Self-normalising",
)
"""The topics, in the order of the page."""

Verdict = Literal["agrees", "agrees but for their sampling error", "differs"]

Measure = Callable[[Experiment, int], Array]
"""(experiment, networks) -> float64 of shape (networks, numbers): every number in each network."""

Exact = Callable[[Experiment], Array]
"""Experiment -> every number by theory, float64 of shape (numbers,)."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NAME = re.compile(r"[a-z0-9-]+")
_PRINTED = re.compile(r"(?P<over>1/)?(?P<digits>\d+(\.(?P<after>\d+))?)(e(?P<power>-?\d+))?")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a number was printed.

    Attributes:
        authors: as a citation names them.
        year: of publication.
        title: of the paper, the lecture or the page.
        where: arXiv identifier, venue or site.
        place: figure, table, equation, section or cell.
        read: "in the source", or "as commonly quoted" where the source itself was not read.
        computed: how the numbers follow from what stands there; empty where they stand there.
    """

    authors: str
    year: int
    title: str
    where: str
    place: str
    read: Literal["in the source", "as commonly quoted"] = "in the source"
    computed: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A row of the table.

    Attributes:
        name: registry key; travels in links, never renamed.
        topic: one of TOPICS.
        title: in a few words.
        source: where it was printed.
        asked: what they asked, in a sentence.
        found: what they found, in a sentence.
        seen: what the experiment shows here, in a sentence.
        at: what each number belongs to, such as "layer 1".
        printed: every number as it was published, digit for digit; "" where none was.
        experiment: what a link opens; ``measure`` and ``exact`` start from it.
        landscape: a map that shows the same, for a link; None where there is none.
        measure: the numbers in real networks.
        exact: the numbers by theory; None where none is known.
        drawn: how many networks a printed number is a mean of; None where it is not random.
        within: relative deviation of a printed number that is no disagreement, beside its rounding.
        because: the reason of ``within``.
        is_factor: whether numbers are compared by their ratio, and averaged as logarithms.
        why: the reason, where the row differs; empty where it agrees.
        networks: how many are measured.
        few: how many are measured in the small table.
    """

    name: str
    topic: str
    title: str
    source: Source
    asked: str
    found: str
    seen: str
    at: tuple[str, ...]
    printed: tuple[str, ...]
    experiment: Experiment
    measure: Measure
    exact: Exact | None = None
    drawn: int | None = None
    within: float = 0.0
    because: str = ""
    is_factor: bool = False
    why: str = ""
    landscape: Landscape | None = None
    networks: int = 64
    few: int = 8

    def __post_init__(self) -> None:
        """Refuse an entry that contradicts itself.

        Raises:
            ValueError: says what.
        """
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name must be small letters, digits and hyphens, got {self.name!r}")
        if min(self.networks, self.few) < 2:
            raise ValueError(f"{self.name}: a spread needs at least 2 networks, got {self.few}")
        if len(self.at) != len(self.printed):
            raise ValueError(f"{self.name}: every number needs a place, {self.at}, {self.printed}")
        if not any(self.printed):
            raise ValueError(f"{self.name}: at least one number must be printed")
        if self.topic not in TOPICS:
            raise ValueError(f"{self.name}: topic must be one of {TOPICS}, got {self.topic!r}")
        if bool(self.within) != bool(self.because):
            raise ValueError(f"{self.name}: a tolerance needs a reason")
        for text in self.printed:
            value_of(text)  # refuses what is no number

    @property
    def expected(self) -> Verdict:
        """The verdict that the row has; the worst, where a printed number is random."""
        if self.why:
            return "differs"
        return "agrees" if self.drawn is None else "agrees but for their sampling error"

    @property
    def along(self) -> tuple[float, ...] | None:
        """Where on a curve the numbers are, such as their layers.

        They are one curve if their places differ in the last number alone; None if they are not.
        """
        last = [_NUMBER.findall(place)[-1:] for place in self.at]
        around = {_NUMBER.sub("", place) for place in self.at}
        if len(around) > 1 or not all(last):
            return None
        return tuple(float(number) for [number] in last)

    @property
    def published(self) -> tuple[tuple[float, float], ...]:
        """Every printed number as (value, half a unit of its last digit); NaN where none was."""
        return tuple(value_of(text) for text in self.printed)


def value_of(printed: str) -> tuple[float, float]:
    """A printed number, and half a unit of its last digit; a whole number is a count, and exact.

    Args:
        printed: such as "0.627", "6.7e-16" or "1/1.7e4"; "" is (NaN, NaN).

    Raises:
        ValueError: it is no such number.
    """
    if not printed:
        return float("nan"), float("nan")
    found = _PRINTED.fullmatch(printed)
    if found is None:
        raise ValueError(
            f"a printed number must be like 0.627, 6.7e-16 or 1/1.7e4, got {printed!r}"
        )
    power = int(found["power"] or 0)
    value = float(found["digits"]) * 10.0**power
    is_count = found["after"] is None and found["power"] is None and not found["over"]
    rounding = 0.0 if is_count else 0.5 * 10.0 ** (power - len(found["after"] or ""))
    if found["over"]:
        return 1 / value, rounding / value**2
    return value, rounding
