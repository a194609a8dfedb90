"""One experiment in every number format: std per layer, and the scale factors that each carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..question.experiment import SCALE_STOPS
from ..reading.verdict import outcome
from ..simulation.propagate import Run
from ..text import significant
from ..theory.windows import Window
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    Side,
    beside,
    decades,
    figure,
    layer_axis,
    line,
    note,
    positive,
    size_axis,
    upright,
)
from .format_ends import end_marks

STYLES = {
    "float64": (GREY, "solid"),
    "float32": (BLUE, "solid"),
    "bfloat16": (GREEN, "dash"),
    "float16": (VERMILION, "dot"),
    "float8_e5m2": (PURPLE, "dashdot"),
    "float8_e4m3fn": (GOLD, "longdash"),
    "float32_flushed": (BLUE, "14px,4px"),
    "bfloat16_flushed": (GREEN, "3px,3px,9px,3px"),
    "float16_flushed": (VERMILION, "longdashdot"),
    "float16_float16_sums": (VERMILION, "dashdot"),
    "float8_e4m3fn_nan": (GOLD, "2px,6px"),
    "mxfp8_e4m3": (BLUE, "solid"),
    "mxfp8_e5m2": (PURPLE, "dashdot"),
    "mxfp4_e2m1": (VERMILION, "dot"),
    "nvfp4": (GOLD, "longdash"),
}
"""Colour and dash: a convention has the colour of its format, and a dash of its own."""
_WIDTHS = (10, 7.5, 5.5, 4, 2.75, 1.75)
_MOST_DECADES = 45.0  # as far as float32 reaches; float64's curve would flatten all others
_FLOOR, _CEILING = 1e-12, 1e8  # of the scale axis; a bar that goes further ends at the edge
_ROW = 50  # pixels of a format's row
_ROOM = 0.35  # decades beside the bars
_APART = 0.165  # of the axis: notes of lines that are farther apart do not meet, even on a phone


def _visible_decades(runs: Mapping[str, Run]) -> tuple[float, float]:
    """log10 of the y range: the sizes of all runs, as far as float32 reaches."""
    seen = np.concatenate([np.log10(positive(run.size)) for run in runs.values()])
    return decades(np.clip(seen, -_MOST_DECADES, _MOST_DECADES))


def std_by_format(runs: Mapping[str, Run]) -> Figure:
    """The std of every layer in each number format; the runs differ in nothing else."""
    first = next(iter(runs.values()))
    data: Parts = []
    for width, (name, run) in zip(widths(len(runs)), runs.items(), strict=True):
        color, dash = STYLES[name]
        hover = f"{name}: {run.size_name} %{{y:.4g}}"
        curve = line(positive(run.size), name=name, color=color, hover=hover, uid=name)
        data.append(curve | {"line": {"color": color, "dash": dash, "width": width}})
    low, high = _visible_decades(runs)
    marks, notes = end_marks(runs, {name: STYLES[name][0] for name in runs}, low, high)
    layout = {
        "xaxis": layer_axis(first.experiment.depth, step=first.experiment.step),
        "yaxis": size_axis(low, high, first.size_title),
        "annotations": notes,
    }
    outcomes = "; ".join(f"{name}: {outcome(run)}" for name, run in runs.items())
    alt = f"Standard deviation of x per layer in each number format. {outcomes}."
    return figure(data + marks, layout, height=height_of(400, runs), alt=alt)


def widths(count: int) -> Sequence[float]:
    """The widths of curves: where they coincide, each shows on both sides of those above it."""
    if count <= len(_WIDTHS):
        return _WIDTHS[-count:]
    return np.linspace(_WIDTHS[0], _WIDTHS[-1], count).round(2).tolist()


def _bar(row: int, name: str, window: Window, ends: tuple[float, float]) -> dict[str, Any]:
    """A format's window as a thick line, with its two ends in the hover."""
    color, _ = STYLES[name]
    low, high = (float(np.clip(end, *ends)) for end in (window.low, window.high))
    seen = not window.is_empty and low < high
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [low, high] if seen else [None],
        "y": [row, row] if seen else [row],
        "name": name,
        "line": {"color": color, "width": 16},
        "marker": {"size": 15, "symbol": "line-ns", "line": {"width": 2, "color": color}},
        "hovertemplate": f"{name}: {_words(window)}<extra></extra>",
        "uid": name,
    }


def _words(window: Window) -> str:
    """The two ends of a window, which the axis names too: a touch screen has no hover."""
    if window.is_empty:
        return "no scale factor"
    if window.low == 0:
        return "any" if np.isinf(window.high) else f"up to {significant(window.high)}"
    return f"{significant(window.low)} to {significant(window.high)}"


def _scale_range(windows: Mapping[str, Window], marks: list[float]) -> tuple[float, float]:
    """log10 of both ends of the scale axis, with room for all windows and marks."""
    ends = [end for window in windows.values() for end in (window.low, window.high)]
    shown = [value for value in (*ends, *marks) if _FLOOR <= value <= _CEILING]
    low, high = np.log10(min(shown)), np.log10(max(shown))
    return float(low) - _ROOM, float(high) + _ROOM


def scale_windows(windows: Mapping[str, Window], scale: float, width: int) -> Figure:
    """The scale factors that each number format carries, as bars; the current one as a line.

    Args:
        windows: number format -> its window.
        scale: where the line stands.
        width: n, for the marks at 1/√n and √(2/n).
    """
    stops = {name: stop(width, 1) for name, stop in SCALE_STOPS.items() if "n" in name}
    low, high = _scale_range(windows, [scale, *stops.values()])
    names = list(windows)[::-1]  # the first is on top
    shapes, notes = _scale_marks(scale, stops, high - low)
    layout = {
        "xaxis": _scale_axis(low, high),
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": [f"{name}<br>{_words(windows[name])}" for name in names],
            "tickfont": {"size": 11},
            "range": [-0.6, len(names) - 0.4],
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
        "shapes": shapes,
        "annotations": notes,
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 130, "r": 16, "t": 48, "b": 48},
    }
    found = "; ".join(f"{name}: {_words(window)}" for name, window in windows.items())
    alt = (
        f"Scale factors that each number format carries through all layers. {found}. "
        f"The current scale factor is {significant(scale)}."
    )
    ends = (10**low, 10**high)
    bars = [_bar(row, name, windows[name], ends) for row, name in enumerate(names)]
    return figure(bars, layout, height=height_of(430, windows), alt=alt)


def height_of(usual: int, formats: Mapping[str, Any]) -> int:
    """The height of a figure with a row or a name for each format, which is ``usual`` for six."""
    return usual + _ROW * max(0, len(formats) - 6)


def _scale_axis(low: float, high: float) -> dict[str, Any]:
    """A log axis of scale factors, from 10**low to 10**high."""
    return {
        "type": "log",
        "range": [low, high],
        "title": {"text": "scale factor s (log scale)"},
        "exponentformat": "power",
        "dtick": max(1, round((high - low) / 3.5)),
        "tickangle": 0,
        "zeroline": False,
    }


def _scale_marks(scale: float, stops: Mapping[str, float], span: float) -> tuple[Parts, Parts]:
    """A line and a note at each of the usual scale factors and at the current one.

    The current one's note stands above the others only where it would lie on one of them.
    """
    shapes: Parts = []
    notes: Parts = []
    for name, value in stops.items():
        style = {"color": GREY, "width": 1, "dash": "dash"}
        shapes.append(upright(value, style, layer="above"))
        notes.append(_named(name, value, 1.0, "left" if name == "1/√n" else "right"))
    if scale > 0:
        shapes.append(upright(scale, {"color": VERMILION, "width": 2}, layer="above"))
        apart = min(abs(np.log10(scale / value)) for value in stops.values())
        height = 1.0 if apart > _APART * span else 1.09
        side: Side = "left" if scale < min(stops.values()) else "right"
        notes.append(_named(f"<b>s = {significant(scale)}</b>", scale, height, side))
    return shapes, notes


def _named(text: str, value: float, height: float, side: Side) -> dict[str, Any]:
    """A note above the plot, on one side of a line."""
    place = {"yref": "paper", "yanchor": "bottom"} | beside(side, 3)
    return note(text, float(np.log10(value)), height, size=12, **place)
