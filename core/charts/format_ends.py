"""The end of each number format's curve: a mark on it, and the loop index beside the mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..reading.comparison import loss
from ..simulation.propagate import Run
from ..text import significant
from .figure import Parts, Side, beside, note, positive

_PLOTS = (
    (270.0, 150.0),
    (800.0, 320.0),
)  # pixels on a phone and on a laptop: words lie over no others
_LETTER, _LINE = 7.0, 16.0  # pixels of a letter and of a line
_STEPS = 16  # half lines by which words may be moved
_GAP = 10  # pixels between a mark and its words
_MARGIN = 20.0  # pixels beside the plot into which words may reach

_SYMBOLS = {"NaN": "x", "Inf": "x", "all zero": "circle"}
_STUCK, _DOWN, _UP, _THROUGH = "square", "triangle-down", "triangle-up", "circle-open"

_Box = tuple[float, float, float]  # left, right and middle height, in pixels
_Boxes = tuple[_Box, ...]  # of the same words, on each of _PLOTS


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

    told = f"i = {found.iteration}" if found else ""
    if found is not None and found.what.startswith("stuck"):
        layer = int(drawn[drawn <= found.iteration + 1][-1])
        # The curve goes on as a level line, with room at its end.
        return end(layer, _STUCK, f"stuck from i = {found.iteration}", at=int(drawn[-1]))
    outside = np.flatnonzero((sizes < low) | (sizes > high))
    if outside.size and outside[0] > 0:
        first = int(outside[0])
        then = told or f"→ {significant(float(run.size[drawn[-1]]))}"
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
    """The words beside the ends: those of curves that end alike once, none over another."""
    alike: dict[tuple[int, str], End] = {}
    for end in ends.values():
        if end.words:
            alike.setdefault((end.layer, end.words), end)
    placed: list[_Boxes] = []
    notes: Parts = []
    for end in alike.values():
        layer, decade = end.beside
        long, width = _LETTER * len(end.words) + _GAP, _PLOTS[0][0]
        has_room = layer / depth * width + long <= width + _MARGIN
        side: Side = "right" if has_room else "left"
        boxes = []
        for across, up in _PLOTS:
            left = layer / depth * across - (long if side == "left" else 0)
            boxes.append((left, left + long, (decade - low) / (high - low) * up))
        # Away from the curve, which comes to its end from the left, and from longer ones beyond.
        shift = _free_shift(tuple(boxes), placed, up=end.rises == (side == "left"))
        placed.append(tuple((left, right, height + shift) for left, right, height in boxes))
        place: dict[str, Any] = {"yanchor": "middle", "yshift": shift} | beside(side, _GAP)
        notes.append(note(end.words, layer, decade, size=12, **place))
    return notes


def _free_shift(boxes: _Boxes, placed: list[_Boxes], *, up: bool) -> float:
    """By how many pixels words are moved up, so that they lie over no others.

    Args:
        boxes: the words at the height of their point.
        placed: words that have their places.
        up: whether up is tried before down.
    """
    ways = (1, -1) if up else (-1, 1)
    shifts = [way * _LINE / 2 * step for way in ways for step in range(1, _STEPS)]
    others = tuple(zip(*placed, strict=True)) or ((),) * len(_PLOTS)
    for shift in shifts:
        if all(_is_free(shift, *each) for each in zip(_PLOTS, boxes, others, strict=True)):
            return shift
    return shifts[0]


def _is_free(shift: float, plot: tuple[float, float], box: _Box, others: tuple[_Box, ...]) -> bool:
    """Whether words, moved up by so many pixels, are inside the plot and over no others."""
    left, right, height = box[0], box[1], box[2] + shift
    return _LINE / 2 <= height <= plot[1] and all(
        right < other_left or left > other_right or abs(height - at) >= _LINE
        for other_left, other_right, at in others
    )
