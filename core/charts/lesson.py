"""The pictures of an exercise: sizes per layer, then histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..lesson import Curve, Result
from .figure import BLUE, GOLD, GREEN, PURPLE, VERMILION, Figure, Parts, figure, listed
from .lesson_histograms import height_of, histogram, layout_of

_STYLES = (
    (BLUE, "solid"),
    (VERMILION, "dash"),
    (GREEN, "dashdot"),
    (PURPLE, "dot"),
    (GOLD, "longdash"),
)
_BAND = 0.14  # opacity
_LOG10_2 = np.log10(2)
_LEAST_DECADES = 2.0


def lesson_pictures(result: Result, *, large: bool = False) -> list[Figure]:
    """The figures of a result: its curves first, then a histogram for each axis.

    Args:
        result: of an exercise.
        large: for the last row of a classroom, which has room for the first of them.
    """
    pictures = [_curves(result, large)] if result.curves else []
    axes = dict.fromkeys(counts.axis for counts in result.counts)
    for axis in axes:
        pictures.append(histogram([c for c in result.counts if c.axis == axis], axis, large))
    return pictures[:1] if large else pictures


def _decades(log2: Any) -> Any:
    values = np.asarray(log2, dtype=np.float64) * _LOG10_2
    return np.where(np.isfinite(values), values, np.nan)


def _shown(decades: float) -> str:
    if np.isnan(decades):
        return ""
    exponent = int(np.floor(decades))
    if -4 <= exponent < 4:
        return f"{10**decades:.4g}"
    return f"{10 ** (decades - exponent):.3g}e{exponent}"


def _rgba(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {_BAND})"


def _traces(curve: Curve, place: int) -> Parts:
    color, dash = _STYLES[place % len(_STYLES)]
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
        parts.append(edge | {"y": listed(_decades(curve.low)), "name": name, "uid": f"low{place}"})
        fill = {"fill": "tonexty", "fillcolor": _rgba(color)}
        parts.append(
            edge | fill | {"y": listed(_decades(curve.high)), "name": name, "uid": f"high{place}"}
        )
    y = _decades(curve.log2_size)
    return [
        *parts,
        shared
        | {
            "y": listed(y),
            "name": curve.label,
            "uid": f"curve{place}",
            "line": {"color": color, "width": 2.5, "dash": dash},
            "customdata": [_shown(value) for value in y],
            "hovertemplate": f"layer %{{x}}, {curve.label}: %{{customdata}}<extra></extra>",
        },
    ]


def _curves(result: Result, large: bool) -> Figure:
    data = [part for place, curve in enumerate(result.curves) for part in _traces(curve, place)]
    drawn = np.array([y for part in data for y in part["y"] if y is not None] or [0.0])
    low, high = float(drawn.min()), float(drawn.max())
    missing = max(0.0, _LEAST_DECADES - (high - low)) / 2
    notes = [note for curve in result.curves for note in _end(curve, large)]
    pad = 0.05 * (high - low + 2 * missing)
    room = 0.05 * (high - low) * any(note.get("yshift", 0) < 0 for note in notes)
    axis = result.curve_axis.split(":")[0]
    depth = max(len(curve.log2_size) for curve in result.curves) - 1
    layout = layout_of(
        large,
        xaxis={
            "title": {"text": "layer k (x after k products)"},
            "range": [-0.01 * depth - 0.4, depth * 1.01 + 0.4],
            "tickformat": "d",
            "zeroline": False,
        },
        yaxis={  # logarithms, for a size may lie beyond any double
            "title": {"text": f"{axis} (log scale)"},
            "range": [low - missing - pad - room, high + missing + pad],
            "tickprefix": "10<sup>",
            "ticksuffix": "</sup>",
            "tickformat": "~r",
            "dtick": max(1, round((high - low + 2 * missing) / 7)),
            "zeroline": False,
        },
        annotations=notes,
    )
    ends = "; ".join(_ended(curve) for curve in result.curves)
    alt = f"{result.curve_axis} per layer. {ends}."
    return figure(data, layout, height=height_of(large, 340), alt=alt)


def _last(curve: Curve) -> tuple[int, str]:
    """The last layer that is drawn, −1 if none is; and what is wrong with the one after it."""
    sizes = np.asarray(curve.log2_size)
    seen = np.flatnonzero(np.isfinite(sizes))
    last = int(seen[-1]) if seen.size else -1
    if last == len(sizes) - 1:
        return last, ""
    what = "exactly 0" if np.isneginf(sizes[last + 1]) else "not finite"
    return last, f"{what} from i = {last} on"  # layer k is i = k − 1


def _end(curve: Curve, large: bool) -> Parts:
    """A note where a curve ends before its time."""
    last, why = _last(curve)
    if last < 0 or not why:
        return []
    sizes = _decades(curve.log2_size)
    early = last < len(sizes) / 2  # there is room on the right
    falls = bool(sizes[last] < sizes[0])
    return [
        {
            "x": last,
            "y": float(sizes[last]),
            "text": f"<b>{why}</b>",
            "xanchor": "left" if early else "right",
            "xshift": 10 if early else -10,
            "yshift": 0 if early else (-8 if falls else 12),
            "showarrow": False,
            "font": {"size": 20 if large else 12},
        }
    ]


def _ended(curve: Curve) -> str:
    last, why = _last(curve)
    if last < 0:
        return f"{curve.label}: nothing to draw"
    at = f"{curve.label}: {_shown(float(_decades(curve.log2_size)[last]))} at layer {last}"
    return f"{at}, {why}" if why else at
