"""What every figure shares: its parts as plain dicts, the palette, the layer axis.

A figure is a dict ``{"data": […], "layout": {…}}`` in Plotly's own schema, ready to be sent. Text
and grid take the page's colours; the colours below have a contrast of at least 3:1 on white and on
the dark background, and stay apart for colour-blind eyes.
"""

from __future__ import annotations

import base64
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..reading.diagnosis import breaks_as
from ..simulation.propagate import Run

Figure = dict[str, Any]
Parts = list[dict[str, Any]]

BLUE = "#3a7bd5"
VERMILION = "#d9541e"
GREEN = "#16906d"
PURPLE = "#a05fc4"
GOLD = "#a87c0a"
GREY = "#75808f"
EVENT_COLORS = (VERMILION, GREY)  # a value that is not finite; all zero
PIN_COLORS = {
    "a": "#009c48",
    "b": "#d400b2",
    "c": "#96580a",
    "d": "#7c3cf0",
    "e": "#f2506a",
    "f": "#9c4884",
}
"""Slot -> the colour of what is kept there; its letter tells it apart where colours do not."""
EVENTS = "events"
"""The uid of the trace that marks what happens on the curve itself."""
STAYS = "-stays-"
"""How the uid of a trace begins that does not follow the sliders; a preview leaves it in view."""
_MOST_MARKERS = 12
_EVERY_LAYER = 12  # so shallow that every layer gets its tick


def packed(values: ArrayLike) -> dict[str, str]:
    """An array as Plotly's typed-array specification: float32 in base64, a third of the text."""
    array = np.ascontiguousarray(values, dtype=np.float32)
    spec = {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode()}
    if array.ndim == 2:
        spec["shape"] = f"{array.shape[0]}, {array.shape[1]}"
    return spec


def listed(values: ArrayLike) -> list[float | None]:
    """Numbers to six significant digits, None where there is no finite one."""
    numbers = np.asarray(values, dtype=np.float64).tolist()
    return [float(f"{value:.6g}") if isfinite(value) else None for value in numbers]


def line(y: ArrayLike, *, name: str, color: str, hover: str, **more: Any) -> dict[str, Any]:
    """A trace over layers 0, 1, 2 …; ``hover`` may use %{y} and %{customdata}."""
    values = listed(y)
    few = sum(value is not None for value in values) <= _MOST_MARKERS
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "x": list(range(len(values))),
        "name": name,
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "size": 4},
        "hovertemplate": hover + "<extra></extra>",
        "y": values,
    } | more


def layer_axis(run: Run, *, title: bool = True, deepest: int = 0) -> dict[str, Any]:
    """The shared x axis: layer k, which is x after k products, at least as far as ``deepest``."""
    depth = max(run.experiment.depth, deepest)
    axis: dict[str, Any] = {
        "range": [-0.01 * depth - 0.4, depth * 1.01 + 0.4],
        "tickformat": "d",
        "dtick": 1 if depth <= _EVERY_LAYER else None,
        "zeroline": False,
    }
    return axis | ({"title": {"text": "layer k (x after k products)"}} if title else {})


def size_axis(low: float, high: float, size: str) -> dict[str, Any]:
    """The shared log axis of sizes, from 10**low to 10**high."""
    return {
        "type": "log",
        "range": [low, high],
        "dtick": max(1, round((high - low) / 7)),
        "title": {"text": f"{size} (log scale)"},
        "exponentformat": "power",
        "zeroline": False,
    }


def figure(data: Parts, layout: dict[str, Any], *, height: int, alt: str, **meta: Any) -> Figure:
    """A figure with the shared layout; ``alt`` says in words what it shows, ``meta`` anything."""
    shared = {
        "height": height,
        "margin": {"l": 64, "r": 16, "t": 28, "b": 48},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "tracegroupgap": 0},
        "uirevision": "keep",
        "meta": {"alt": alt, "event_colors": EVENT_COLORS} | meta,
    }
    # Plotly would measure every label to see whether it overflows; none does in these margins.
    axes = {name: {"ticklabeloverflow": "allow"} | layout[name] for name in ("xaxis", "yaxis")}
    return {"data": data, "layout": shared | layout | axes}


def enlarged(drawn: Figure) -> Figure:
    """The same figure for a projector."""
    layout = drawn["layout"]
    notes = [
        note | {"font": note["font"] | {"size": 1.4 * note["font"]["size"]}}
        for note in layout["annotations"]
    ]
    data = [
        trace
        | (
            {"line": trace["line"] | {"width": 1.8 * trace["line"].get("width", 2)}}
            if "line" in trace
            else {}
        )
        | ({"showlegend": False} if trace.get("visible") == "legendonly" else {})
        for trace in drawn["data"]
    ]
    changed = {
        "annotations": notes,
        "height": 430,
        "font": {"size": 20},
        "margin": {"l": 110, "r": 24, "t": 40, "b": 70},
        "legend": layout["legend"] | {"font": {"size": 16}},
    }
    return {"data": data, "layout": layout | changed}


def unanswered(drawn: Figure) -> Figure:
    """The same figure without the marks of what happened, for a class that is to find out."""
    layout = drawn["layout"]
    events, notes = layout["shapes"][:2], layout["annotations"][:1]
    changed = {
        "shapes": [mark | {"visible": False} for mark in events] + layout["shapes"][2:],
        "annotations": [note | {"visible": False} for note in notes] + layout["annotations"][1:],
        "meta": layout["meta"]
        | {"alt": f"{layout['meta']['alt'].split('. ')[0]}.", "unanswered": True},
    }
    data = [trace for trace in drawn["data"] if trace.get("uid") != EVENTS]
    return {"data": data, "layout": layout | changed}


def event_marks(run: Run, *, height: float = 0.5, deepest: int = 0) -> tuple[Parts, Parts]:
    """Two shapes and an annotation for what happened first: a line, a tint behind it, words.

    They are always there and always come first, unseen where nothing happened: a preview finds
    them by their places. ``height`` is where the words stand, as a fraction of the plot, whose axis
    reaches ``deepest`` if the run itself does not.
    """
    events, depth = run.events, run.experiment.depth
    broken, zero = events.first_nonfinite, events.all_zero
    index, text, color = 0, "", EVENT_COLORS[0]
    if broken is not None:
        index, text = broken, f"{breaks_as(run)} at i = {broken}"
    elif zero is not None:
        index, text, color = zero, f"all zero at i = {zero}", EVENT_COLORS[1]
    layer, happened = index + 1, bool(text)
    upright = {"x0": layer, "yref": "paper", "y0": 0, "y1": 1, "visible": happened}
    shapes = [
        upright | {"type": "line", "x1": layer, "line": {"color": color, "width": 2}},
        upright
        | {"type": "rect", "x1": depth + 0.5, "fillcolor": color, "opacity": 0.12}
        | {"line": {"width": 0}, "layer": "below"},
    ]
    left = layer > max(depth, deepest) * 0.6
    note = {
        "x": layer,
        "xanchor": "right" if left else "left",
        "xshift": -6 if left else 6,
        "yref": "paper",
        "y": height,
        "text": f"<b>{text}</b>",
        "showarrow": False,
        "font": {"size": 14},
        "visible": happened,
    }
    return shapes, [note]
