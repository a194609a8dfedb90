"""One experiment in every number format: std per layer, and the scale factors that each carries."""

from __future__ import annotations

from collections.abc import Mapping
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
    figure,
    layer_axis,
    line,
    size_axis,
)

_STYLES = {
    "float64": (GREY, "solid", 7),
    "float32": (BLUE, "solid", 4.5),
    "bfloat16": (GREEN, "dash", 3.5),
    "float16": (VERMILION, "dot", 3),
    "float8_e5m2": (PURPLE, "dashdot", 2.5),
    "float8_e4m3fn": (GOLD, "longdash", 2),
}
"""Colour, dash and width: where curves coincide, the wider one of the longer format shows below."""
_PAD = 0.06
_LEAST_DECADES = 4.0
_MOST_DECADES = 45.0  # what float32 reaches; float64's curve would press all others into a line
_FLOOR, _CEILING = 1e-12, 1e8  # of the scale axis; a bar that goes further ends at the edge
_ROOM = 0.35  # decades beside the bars


def _size(run: Run) -> Any:
    values = run.stats.rms if run.experiment.is_single_number else run.stats.std
    return np.where((values > 0) & np.isfinite(values), values, np.nan)


def _decades(runs: Mapping[str, Run]) -> tuple[float, float]:
    seen = np.concatenate([np.log10(_size(run)) for run in runs.values()] or [np.zeros(1)])
    seen = seen[np.isfinite(seen)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (-1.0, 1.0)
    low, high = max(low, -_MOST_DECADES), min(high, _MOST_DECADES)
    missing = max(0.0, _LEAST_DECADES - (high - low)) / 2
    pad = _PAD * (high - low + 2 * missing)
    return low - missing - pad, high + missing + pad


def std_by_format(runs: Mapping[str, Run]) -> Figure:
    """The std of every layer in each number format; the runs differ in nothing else."""
    first = next(iter(runs.values()))
    single = first.experiment.is_single_number
    size = "|x|" if single else "std"
    data: Parts = []
    for name, run in runs.items():
        color, dash, width = _STYLES[name]
        curve = line(
            _size(run), name=name, color=color, hover=f"{name}: {size} %{{y:.4g}}", uid=name
        )
        data.append(curve | {"line": {"color": color, "dash": dash, "width": width}})
    low, high = _decades(runs)
    layout = {
        "xaxis": layer_axis(first),
        "yaxis": size_axis(low, high, size if single else "std of x"),
    }
    told = "; ".join(f"{name}: {outcome(run)}" for name, run in runs.items())
    alt = f"Standard deviation of x per layer in each number format. {told}."
    return figure(data, layout, height=400, alt=alt)


def _bar(row: int, name: str, window: Window, ends: tuple[float, float]) -> dict[str, Any]:
    """A format's window as a thick line, with its two ends in the hover."""
    color, _, _ = _STYLES[name]
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
    """The two ends: a finger has no hover."""
    if window.is_empty:
        return "no scale factor"
    if window.low == 0:
        return "any" if np.isinf(window.high) else f"up to {significant(window.high)}"
    return f"{significant(window.low)} to {significant(window.high)}"


def _scale_range(windows: Mapping[str, Window], marks: list[float]) -> tuple[float, float]:
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
    stops = {name: stop(width) for name, stop in SCALE_STOPS.items() if "n" in name}
    low, high = _scale_range(windows, [scale, *stops.values()])
    ends = (10**low, 10**high)
    names = list(windows)[::-1]  # the first is on top
    shapes: Parts = []
    notes: Parts = []
    for name, value in stops.items():
        shapes.append(_upright(value, {"color": GREY, "width": 1, "dash": "dash"}))
        anchor = "right" if name == "1/√n" else "left"
        notes.append(_note(value, name, anchor, 1.0))
    if scale > 0:
        shapes.append(_upright(scale, {"color": VERMILION, "width": 2}))
        notes.append(_note(scale, f"<b>s = {significant(scale)}</b>", "left", 1.09))
    layout = {
        "xaxis": {
            "type": "log",
            "range": [low, high],
            "title": {"text": "scale factor s (log scale)"},
            "exponentformat": "power",
            "dtick": max(1, round((high - low) / 3.5)),
            "tickangle": 0,
            "zeroline": False,
        },
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
    said = "; ".join(f"{name}: {_words(window)}" for name, window in windows.items())
    alt = (
        f"Scale factors that each number format carries through all layers. {said}. "
        f"The current scale factor is {significant(scale)}."
    )
    bars = [_bar(row, name, windows[name], ends) for row, name in enumerate(names)]
    return figure(bars, layout, height=430, alt=alt)


def _upright(value: float, style: dict[str, Any]) -> dict[str, Any]:
    place = {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1}
    return place | {"line": style, "layer": "above"}


def _note(value: float, text: str, anchor: str, height: float) -> dict[str, Any]:
    return {
        "x": float(np.log10(value)),
        "xanchor": anchor,
        "xshift": -3 if anchor == "right" else 3,
        "yref": "paper",
        "y": height,
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 12},
    }
