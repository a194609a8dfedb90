"""The host's limit for maps: a map that is too much work, and the smaller one that fits."""

from __future__ import annotations

from collections.abc import Iterator

from ..host.limits import WorkLimit, WorkLimitError
from ..sweep.chunks import groups_of
from ..sweep.groups import work_of_all
from ..text import significant
from .landscape import Landscape

CELLS_A_SIDE = (12, 24, 48, 96)
"""Cells a side that a page offers."""
NETWORKS = (1, 4, 16, 64)
"""Networks per cell that a page offers."""


class MapTooLarge(WorkLimitError):
    """A map needs more work than this host allows.

    Attributes:
        fitting: the same map with fewer cells or networks, which fits; None if none does.
    """

    def __init__(self, asked: Landscape, times: float, fitting: Landscape | None) -> None:
        self.fitting = fitting
        real = ", or do not measure it for real" if asked.real else ""
        advice = f"Try {_changed(asked, fitting)}" if fitting else f"Lower width or depth{real}"
        super().__init__(f"Too much to measure: {_often(times)} the limit. {advice}.")


def check(landscape: Landscape, limit: WorkLimit) -> None:
    """Check that a map is not too much work.

    Raises:
        MapTooLarge: it is; says by how much, and what to try.
    """
    times = work(landscape) / limit.multiply_adds
    if times > 1:
        fits = (each for each in _smaller(landscape) if work(each) <= limit.multiply_adds)
        raise MapTooLarge(landscape, times, next(fits, None))


def work(landscape: Landscape) -> float:
    """About how many multiply-adds its cells take."""
    question = landscape.question
    groups, _ = groups_of(landscape.base, (landscape.x, landscape.y), question)
    return work_of_all(groups, question)


def _smaller(made: Landscape) -> Iterator[Landscape]:
    """The map with fewer cells a side, then with fewer networks too, then with still fewer cells.

    Counts are those that a page offers, the larger ones first.
    """
    while True:
        cells = [count for count in CELLS_A_SIDE if count < made.cells_a_side]
        networks = [count for count in NETWORKS if count < made.question.networks]
        if not cells and not networks:
            return
        if cells:
            made = made.with_cells(cells[-1])
            yield made
        if networks:
            made = made.replace(networks=networks[-1])
            yield made


def _often(times: float) -> str:
    """How many times the limit, in words."""
    if times < 2:
        return f"{times:.2g} times"
    return f"about {times:.0f} times" if times < 1e4 else f"about {significant(times, 2)} times"


def _changed(asked: Landscape, fitting: Landscape) -> str:
    """The parts in which a fitting map differs: "24 cells a side and 4 networks"."""
    parts = []
    if fitting.cells_a_side != asked.cells_a_side:
        parts.append(f"{fitting.cells_a_side} cells a side")
    if fitting.networks != asked.networks:
        parts.append(f"{fitting.networks} network{'s' * (fitting.networks > 1)}")
    return " and ".join(parts)
