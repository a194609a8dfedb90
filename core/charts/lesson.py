"""The pictures of an exercise: sizes per layer, and histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.charts.figure import (
    BLUE,
    GOLD,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    figure,
    listed,
)
from core.lesson import Counts, Curve, Result

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
_MOST_TICKS = 20


def lesson_pictures(result: Result, *, large: bool = False) -> list[Figure]:
    """The figures of a result: its curves first, then a histogram for each axis.

    Args:
        result: of an exercise.
        large: for the last row of a classroom.
    """
    pictures = [_curves(result, large)] if result.curves else []
    axes = dict.fromkeys(counts.axis for counts in result.counts)
    for axis in axes:
        pictures.append(_histogram([c for c in result.counts if c.axis == axis], axis, large))
    return pictures


def _layout(large: bool, **more: Any) -> dict[str, Any]:
    room = {"font": {"size": 20}, "margin": {"l": 96, "r": 24, "t": 48, "b": 80}} if large else {}
    return room | more


def _height(large: bool, usual: int) -> int:
    return 560 if large else usual


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
    pad = 0.05 * (high - low + 2 * missing)
    axis = result.curve_axis.split(":")[0]
    depth = max(len(curve.log2_size) for curve in result.curves) - 1
    layout = _layout(
        large,
        xaxis={
            "title": {"text": "layer k (x after k products)"},
            "range": [-0.01 * depth - 0.4, depth * 1.01 + 0.4],
            "tickformat": "d",
            "zeroline": False,
        },
        yaxis={  # logarithms, for a size may lie beyond any double
            "title": {"text": f"{axis} (log scale)"},
            "range": [low - missing - pad, high + missing + pad],
            "tickprefix": "10<sup>",
            "ticksuffix": "</sup>",
            "tickformat": "~r",
            "dtick": max(1, round((high - low + 2 * missing) / 7)),
            "zeroline": False,
        },
    )
    ends = "; ".join(_ended(curve) for curve in result.curves)
    alt = f"{result.curve_axis} per layer. {ends}."
    return figure(data, layout, height=_height(large, 340), alt=alt)


def _ended(curve: Curve) -> str:
    sizes = _decades(curve.log2_size)
    seen = np.flatnonzero(~np.isnan(sizes))
    if not seen.size:
        return f"{curve.label}: nothing to draw"
    last = int(seen[-1])
    return f"{curve.label}: {_shown(sizes[last])} at layer {last}"


def _histogram(group: list[Counts], axis: str, large: bool) -> Figure:
    data: Parts = []
    for place, counts in enumerate(group):
        color = (BLUE, VERMILION, GREEN, GREY)[place % 4]
        shares = np.asarray(counts.counts) / max(1.0, float(np.sum(counts.counts)))
        name = counts.label.replace("`", "")
        data.append(
            {
                "type": "bar",
                "x": listed(counts.values),
                "y": listed(shares),
                "name": name,
                "uid": f"counts{place}",
                "marker": {"color": color, "pattern": {"shape": ("", "/", "x", ".")[place % 4]}},
                "hovertemplate": f"{name}: %{{x:.4~g}}: %{{y:.1%}}<extra></extra>",
            }
        )
    layout = _layout(
        large,
        xaxis={"title": {"text": axis}, "zeroline": False, "dtick": _ticks(group)},
        yaxis={"title": {"text": "share"}, "tickformat": ".0%", "rangemode": "tozero"},
        barmode="group",
        bargap=0.05,
        hovermode="closest",
        showlegend=True,
    )
    told = "; ".join(f"{part['name']}: most often near {_likeliest(part)}" for part in data)
    return figure(data, layout, height=_height(large, 300), alt=f"Histogram of {axis}. {told}.")


def _ticks(group: list[Counts]) -> int | None:
    """One at each whole number, if there are only a few of these."""
    values = np.concatenate([counts.values for counts in group])
    few = np.all(values == np.round(values)) and np.ptp(values) <= _MOST_TICKS
    return 1 if few else None


def _likeliest(part: dict[str, Any]) -> str:
    shares = [share or 0.0 for share in part["y"]]
    return f"{part['x'][int(np.argmax(shares))]:.3g}"
