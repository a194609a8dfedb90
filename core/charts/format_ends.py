"""The end of each number format's curve: a mark on it, and what ends it in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..reading.comparison import loss
from ..simulation.propagate import Run
from ..text import listed as in_words
from ..text import significant
from .figure import Parts, beside, note, positive

_NEAR = 0.3, 0.09  # of the axes: nearer words would lie over each other
_LINE = 17  # pixels from one line of words to the next
_SIDES = 0.6  # of the layers, from which on words stand to the left of their point

_SYMBOLS = {"NaN": "x", "Inf": "x", "all zero": "circle"}
_STUCK, _LEAVES = "square", ("triangle-down", "triangle-up")


class End(NamedTuple):
    """The end of a curve.

    Attributes:
        layer, decade: its place; the height as log10.
        symbol: Plotly's.
        words: what ends the curve; empty if it goes through all layers.
    """

    layer: int
    decade: float
    symbol: str
    words: str


def end_of(run: Run, low: float, high: float) -> End:
    """The end of a run's curve in a plot from 10**low to 10**high."""
    sizes, found = np.log10(positive(run.size)), loss(run)
    drawn = np.flatnonzero(np.isfinite(sizes))
    if found is not None and found.what.startswith("stuck"):
        layer = int(drawn[drawn <= found.iteration + 1][-1])
        return End(
            layer, float(sizes[layer]), _STUCK, f"{found.what} from i = {found.iteration} on"
        )
    outside = np.flatnonzero((sizes < low) | (sizes > high))
    if outside.size and outside[0] > 0:
        layer, size = int(outside[0]) - 1, float(run.size[drawn[-1]])
        symbol, then = _LEAVES[int(sizes[outside[0]] > high)], "goes on to"
        ended = f", {found.what} at i = {found.iteration}" if found else f" at layer {drawn[-1]}"
        return End(layer, float(sizes[layer]), symbol, f"{then} {significant(size)}{ended}")
    layer = int(drawn[-1])
    if found is None:
        return End(layer, float(sizes[layer]), "circle-open", "")
    words = f"{found.what} at i = {found.iteration}"
    return End(layer, float(sizes[layer]), _SYMBOLS.get(found.what, "x"), words)


def end_marks(
    runs: Mapping[str, Run], colors: Mapping[str, str], low: float, high: float
) -> tuple[Parts, Parts]:
    """A trace with a mark at the end of each curve, and the words beside the marks.

    Args:
        runs: number format -> its run.
        colors: number format -> the colour of its curve.
        low, high: log10 of the ends of the plot.
    """
    ends = {name: end_of(run, low, high) for name, run in runs.items()}
    depth = next(iter(runs.values())).experiment.depth
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [end.layer for end in ends.values()],
        "y": [10**end.decade for end in ends.values()],
        "name": "ends",
        "uid": "ends",
        "showlegend": False,
        "marker": {
            "symbol": [end.symbol for end in ends.values()],
            "color": [colors[name] for name in ends],
            "size": 11,
            "line": {"width": 1.5, "color": [colors[name] for name in ends]},
        },
        "hoverinfo": "skip",
    }
    return [marks], _words(ends, depth, high - low)


def _words(ends: Mapping[str, End], depth: int, decades: float) -> Parts:
    """The words beside the ends: those of formats that end alike once, none over another."""
    alike: dict[tuple[int, str], list[str]] = {}
    for name, end in ends.items():
        if end.words:
            alike.setdefault((end.layer, end.words), []).append(name)
    placed: list[tuple[End, int]] = []
    notes: Parts = []
    for names in alike.values():
        end = ends[names[0]]
        line = _free_line(end, placed, depth, decades)
        placed.append((end, line))
        side: Any = beside("left" if end.layer > _SIDES * depth else "right", 10)
        place = {"yanchor": "middle", "yshift": -_LINE * line} | side
        notes.append(
            note(f"{in_words(names)}: {end.words}", end.layer, end.decade, size=12, **place)
        )
    return notes


def _free_line(end: End, placed: list[tuple[End, int]], depth: int, decades: float) -> int:
    """How many lines lower the words of an end stand, so that they lie over no others."""
    across, up = _NEAR
    near = [
        line
        for other, line in placed
        if abs(other.layer - end.layer) < across * depth
        and abs(other.decade - end.decade) < up * decades
    ]
    return max(near, default=-1) + 1
