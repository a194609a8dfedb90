"""The figures of an exercise: sizes per layer, single elements, then histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..lesson import Curve, Result
from ..maths.arrays import Array
from ..text import with_minus
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    beside,
    decades,
    figure,
    layer_axis,
    listed,
    note,
    to_decades,
)
from .lesson_elements import growing_sum, shares_per_iteration
from .lesson_histograms import height_of, histogram, layout_of, note_size

_STYLES = (
    (BLUE, "solid"),
    (VERMILION, "dash"),
    (GREEN, "dashdot"),
    (PURPLE, "dot"),
    (GOLD, "longdash"),
)
_BAND = 0.14  # opacity
_LEAST_DECADES = 2.0


def lesson_pictures(result: Result, *, large: bool = False) -> list[Figure]:
    """The figures of a result: curves, single elements, then a histogram for each axis.

    Args:
        result: of an exercise.
        large: for the last row of a classroom; there is room for the first figure only, which
            takes what the rest of the page leaves of the window.
    """
    pictures = [_curves(result, large)] if result.curves else []
    if result.shares:
        pictures.append(shares_per_iteration(result.shares, large))
    if result.growing_sum:
        pictures.append(growing_sum(result.growing_sum, large))
    axes = dict.fromkeys(counts.axis for counts in result.counts)
    for axis in axes:
        pictures.append(histogram([c for c in result.counts if c.axis == axis], axis, large))
    return pictures[:1] if large else pictures


def _shown(log10: float) -> str:
    """A size as text, also where a double has no room for it; empty for NaN."""
    if np.isnan(log10):
        return ""
    exponent = int(np.floor(log10))
    if -4 <= exponent < 4:
        return f"{10**log10:.4g}"
    return with_minus(f"{10 ** (log10 - exponent):.3g}e{exponent}")


def _rgba(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {_BAND})"


def _styles(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """The line of each curve; a gradient has the colour of its signal, and the signal a thin line.

    Signals and gradients stand in the same order.
    """
    paired = any(curve.goes_back for curve in curves)
    counts = {False: 0, True: 0}
    lines = []
    for curve in curves:
        color, dash = _STYLES[counts[curve.goes_back] % len(_STYLES)]
        counts[curve.goes_back] += 1
        thin = paired and not curve.goes_back
        lines.append(
            {"color": color, "width": 1.25, "dash": "solid"}
            if thin
            else {"color": color, "width": 2.5, "dash": dash}
        )
    return lines


def _traces(curve: Curve, place: int, line: dict[str, Any]) -> Parts:
    """A curve, over its band if it has one."""
    layers = list(range(len(curve.log2_size)))
    shared: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": layers,
        "legendgroup": curve.label,
    }
    parts: Parts = []
    if curve.low is not None and curve.high is not None:
        edge = shared | {"line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        name = f"{curve.label}: nine in ten"
        parts.append(
            edge | {"y": listed(to_decades(curve.low)), "name": name, "uid": f"low{place}"}
        )
        fill = {"fill": "tonexty", "fillcolor": _rgba(line["color"])}
        parts.append(
            edge | fill | {"y": listed(to_decades(curve.high)), "name": name, "uid": f"high{place}"}
        )
    y = to_decades(curve.log2_size)
    return [
        *parts,
        shared
        | {
            "y": listed(y),
            "name": curve.label,
            "uid": f"curve{place}",
            "line": line,
            "customdata": [_shown(value) for value in y],
            "hovertemplate": f"layer %{{x}}, {curve.label}: %{{customdata}}<extra></extra>",
        },
    ]


def _curves(result: Result, large: bool) -> Figure:
    """The sizes per layer, all curves in one figure."""
    styles = _styles(result.curves)
    data = [
        part
        for place, (curve, line) in enumerate(zip(result.curves, styles, strict=True))
        for part in _traces(curve, place, line)
    ]
    notes = [words for curve in result.curves for words in _end(curve, large)]
    quantity = result.curve_axis.split(":")[0]
    layout = layout_of(
        large,
        xaxis=layer_axis(
            max(len(curve.log2_size) for curve in result.curves) - 1,
            back=any(curve.goes_back for curve in result.curves),
        ),
        yaxis=_decade_axis(data, notes) | {"title": {"text": f"{quantity} (log scale)"}},
        annotations=notes,
    )
    ends = "; ".join(_ended(curve) for curve in result.curves)
    alt = f"{result.curve_axis} per layer. {ends}."
    height = height_of(large, 400 if any(curve.goes_back for curve in result.curves) else 340)
    return figure(data, layout, height=height, alt=alt, fills_window=large)


def _decade_axis(data: Parts, notes: Parts) -> dict[str, Any]:
    """A plain axis of logarithms, for a size may lie beyond any double."""
    drawn = [y for part in data for y in part["y"] if y is not None] or [0.0]
    low, high = decades(drawn, least=_LEAST_DECADES, pad=0.05)
    span = max(drawn) - min(drawn)
    below = 0.05 * span * any(words.get("yshift", 0) < 0 for words in notes)  # room for a note
    return {
        "range": [low - below, high],
        "tickprefix": "10<sup>",
        "ticksuffix": "</sup>",
        "tickformat": "~r",
        "dtick": max(1, round(max(span, _LEAST_DECADES) / 7)),
        "zeroline": False,
    }


def _last(curve: Curve) -> tuple[int, str]:
    """The last layer on the curve's way, −1 if none is drawn; and if it ends early, why."""
    sizes = np.asarray(curve.log2_size)
    if curve.goes_back:
        return _last_going_back(sizes)
    seen = np.flatnonzero(np.isfinite(sizes))
    last = int(seen[-1]) if seen.size else -1
    if last == len(sizes) - 1:
        return last, ""
    what = "exactly 0" if np.isneginf(sizes[last + 1]) else "not finite"
    return last, f"{what} from i = {last} on"  # layer k is i = k − 1


def _last_going_back(sizes: Array) -> tuple[int, str]:
    """The same of a curve that starts at the last layer."""
    seen = np.flatnonzero(np.isfinite(sizes))
    last = int(seen[0]) if seen.size else -1
    if last <= 0:
        return last, ""
    what = "exactly 0" if np.isneginf(sizes[last - 1]) else "not finite"
    return last, f"{what} from layer {last - 1}"


def _end(curve: Curve, large: bool) -> Parts:
    """A note where a curve ends before its way does."""
    last, why = _last(curve)
    if last < 0 or not why:
        return []
    sizes = to_decades(curve.log2_size)
    is_left = last < len(sizes) / 2  # there is room on the right
    is_early = is_left != curve.goes_back
    falls = bool(sizes[last] < sizes[-1 if curve.goes_back else 0])
    place = beside("right" if is_left else "left", 10)
    place |= {"yshift": 0 if is_early else -8 if falls else 12}
    size = note_size(large)
    if curve.goes_back:  # two lines off: its signal breaks at the same height on the other side
        place |= {"yshift": 2 * size if falls else -2 * size, "bgcolor": "#fff"}
    return [note(f"<b>{why}</b>", last, float(sizes[last]), size=size, **place)]


def _ended(curve: Curve) -> str:
    """The end of a curve in words."""
    last, why = _last(curve)
    if last < 0:
        return f"{curve.label}: nothing to draw"
    at = f"{curve.label}: {_shown(float(to_decades(curve.log2_size)[last]))} at layer {last}"
    return f"{at}, {why}" if why else at
