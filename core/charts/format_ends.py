"""The end of each number format's curve: a mark on it, and what ends it in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..reading.comparison import loss
from ..simulation.propagate import Run
from ..text import significant
from .figure import Parts, Side, beside, note, positive

_PLOT = 700.0, 320.0  # pixels of a usual plot, in which words must not lie over each other
_LETTER, _LINES = 7.0, 32.0  # pixels of a letter, and of the two lines of words at an end
_STEPS = 16  # half lines by which words may be moved
_GAP = 10  # pixels between a mark and its words
_SIDES = 0.55  # of the layers, from which on words stand to the left of their mark

_SYMBOLS = {"NaN": "x", "Inf": "x", "all zero": "circle"}
_STUCK, _DOWN, _UP, _THROUGH = "square", "triangle-down", "triangle-up", "circle-open"

_Box = tuple[float, float, float]  # left, right and middle height, in pixels


class End(NamedTuple):
    """The end of a curve.

    Attributes:
        layer, decade: its place; the height as log10.
        symbol: Plotly's.
        words: what ends the curve; empty if it goes through all layers.
        beside: layer and decade beside which the words stand.
        rises: whether the curve rises to its end.
    """

    layer: int
    decade: float
    symbol: str
    words: str
    beside: tuple[int, float]
    rises: bool


def end_of(run: Run, low: float, high: float) -> End:
    """The end of a run's curve in a plot from 10**low to 10**high."""
    sizes, found = np.log10(positive(run.size)), loss(run)
    drawn = np.flatnonzero(np.isfinite(sizes))

    def end(layer: int, symbol: str, words: str, at: int | None = None) -> End:
        at = layer if at is None else at
        place, rises = (at, float(sizes[at])), bool(sizes[layer] > sizes[0])
        return End(layer, float(sizes[layer]), symbol, words, place, rises)

    told = f"{found.what} at i = {found.iteration}" if found else ""
    if found is not None and found.what.startswith("stuck"):
        layer = int(drawn[drawn <= found.iteration + 1][-1])
        # The curve goes on as a level line, with room at its end.
        return end(layer, _STUCK, f"stuck from i = {found.iteration}", at=int(drawn[-1]))
    outside = np.flatnonzero((sizes < low) | (sizes > high))
    if outside.size and outside[0] > 0:
        first = int(outside[0])
        then = told or f"goes on to {significant(float(run.size[drawn[-1]]))}"
        return end(first - 1, _UP if sizes[first] > high else _DOWN, then)
    return end(int(drawn[-1]), _SYMBOLS.get(found.what, "x") if found else _THROUGH, told)


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
    own = [colors[name] for name in ends]
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
            "color": own,
            "size": 11,
            "line": {"width": 1.5, "color": own},
        },
        "hoverinfo": "skip",
    }
    return [marks], _words(ends, depth, low, high)


def _words(ends: Mapping[str, End], depth: int, low: float, high: float) -> Parts:
    """The words beside the ends: those of formats that end alike once, none over another."""
    alike: dict[tuple[int, str], list[str]] = {}
    for name, end in ends.items():
        if end.words:
            alike.setdefault((end.layer, end.words), []).append(name)
    placed: list[_Box] = []
    notes: Parts = []
    for names in alike.values():
        end, first = ends[names[0]], ", ".join(names)
        layer, decade = end.beside
        side: Side = "left" if layer > _SIDES * depth else "right"
        long = _LETTER * max(len(first), len(end.words)) + _GAP
        left = layer / depth * _PLOT[0] - (long if side == "left" else 0)
        at = (left, left + long, (decade - low) / (high - low) * _PLOT[1])
        # Away from the curve, which comes to its end from the left, and from longer ones beyond.
        shift = _free_shift(at, placed, up=end.rises == (side == "left"))
        placed.append((*at[:2], at[2] + shift))
        place: dict[str, Any] = {"yanchor": "middle", "yshift": shift, "align": "left"}
        text = f"{first}<br>{end.words}"
        place |= beside(side, _GAP)
        notes.append(note(text, layer, decade, size=12, **place))
    return notes


def _free_shift(box: _Box, placed: list[_Box], *, up: bool) -> float:
    """By how many pixels words are moved up, so that they lie over no others.

    Args:
        box: the words at the height of their point.
        placed: words that have their places.
        up: whether up is tried before down.
    """
    left, right, height = box
    ways = (1, -1) if up else (-1, 1)
    shifts = [way * _LINES / 2 * step for way in ways for step in range(1, _STEPS)]
    for shift in shifts:
        is_free = all(
            right < other_left or left > other_right or abs(height + shift - at) >= _LINES
            for other_left, other_right, at in placed
        )
        if is_free and _LINES / 2 <= height + shift <= _PLOT[1]:
            return shift
    return shifts[0]
