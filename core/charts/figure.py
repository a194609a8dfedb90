"""What all figures share: the palette, axes, traces, lines and notes, as plain dicts.

A figure is a dict ``{"data": […], "layout": {…}}`` in Plotly's own schema, ready to be sent. Text
and grid take the page's colours; the colours below have a contrast of at least 3:1 on white and on
the dark background, and colour-blind eyes can tell them apart.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..maths.arrays import Array
from ..reading.diagnosis import breaks_as
from ..simulation.propagate import Run

Figure = dict[str, Any]
Parts = list[dict[str, Any]]
Side = Literal["left", "right"]

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
"""A pin's letter -> its colour; the letter on the curve tells it apart where colours do not."""
EVENT_POINTS = "events"
"""The uid of the trace that marks events on the curve itself."""
STAYS = "-stays-"
"""The beginning of a uid whose trace does not follow the sliders: a preview leaves it in view."""
MARGIN = {"l": 64, "r": 16, "t": 28, "b": 48}
"""Pixels around the plot, for ticks and titles."""
_ROOM_UNDER_AXIS = 22  # pixels for a line of words between the ticks of the x axis and its title
_TICKS = 20  # pixels that the ticks themselves take
_NEAR_END = 0.15  # of the axis: words that stand there begin or end at their point
_MOST_MARKERS = 12  # a curve of more points is a line without markers
_EVERY_LAYER = 12  # up to this depth every layer has its tick
_LOG10_2 = float(np.log10(2))


def packed(values: ArrayLike) -> dict[str, str]:
    """An array as Plotly's typed-array specification: float32 in base64, a third of the text."""
    array = np.ascontiguousarray(values, dtype=np.float32)
    spec = {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode()}
    if array.ndim == 2:
        spec["shape"] = f"{array.shape[0]}, {array.shape[1]}"
    return spec


def listed(values: ArrayLike) -> list[float | None]:
    """Numbers to six significant digits; None in place of NaN and infinities."""
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


def positive(values: ArrayLike) -> Array:
    """Sizes for a log axis: NaN in place of zeros and infinities."""
    sizes = np.asarray(values, dtype=np.float64)
    return np.where((sizes > 0) & np.isfinite(sizes), sizes, np.nan)


def bar(x: Sequence[Any], y: ArrayLike, **more: Any) -> dict[str, Any]:
    """A trace of bars."""
    return {"type": "bar", "x": x, "y": listed(y)} | more


def upright(x: Any, style: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A line over the whole height of the plot; ``style`` is Plotly's."""
    ends = {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1}
    return ends | {"line": style} | more


def note(text: str, x: Any, y: float, *, size: float | None = None, **more: Any) -> dict[str, Any]:
    """Words at a point, without an arrow; without a size they take the figure's own."""
    font = {} if size is None else {"font": {"size": size}}
    return {"text": text, "x": x, "y": y, "showarrow": False} | font | more


def beside(side: Side, gap: int) -> dict[str, Any]:
    """Where a note stands: so many pixels to the left or to the right of its point."""
    if side == "left":
        return {"xanchor": "right", "xshift": -gap}
    return {"xanchor": "left", "xshift": gap}


def layer_axis(depth: int, *, back: bool = False, step: str = "product") -> dict[str, Any]:
    """The shared x axis: layer k, which is x after k products, from the input to ``depth``.

    Args:
        depth: the last layer.
        back: whether the figure is of gradients, which go from right to left.
    """
    title = "layer k; δ goes from right to left"
    return {
        "title": {"text": title if back else f"layer k: x after k {step}s (i = k − 1)"},
        "range": [-0.01 * depth - 0.4, depth * 1.01 + 0.4],
        "tickformat": "d",
        "dtick": 1 if depth <= _EVERY_LAYER else None,
        "zeroline": False,
    }


def with_room_under_axis(axis: dict[str, Any]) -> dict[str, Any]:
    """The parts of a layout, x axis and margin, that keep a line of words free under the ticks."""
    title = axis["title"] | {"standoff": _ROOM_UNDER_AXIS + 12}
    return {
        "xaxis": axis | {"title": title},
        "margin": MARGIN | {"b": MARGIN["b"] + _ROOM_UNDER_AXIS},
    }


def to_decades(octaves: ArrayLike) -> Array:
    """log10 of numbers that are given by their log2; NaN in place of infinities."""
    values = np.asarray(octaves, dtype=np.float64) * _LOG10_2
    return np.where(np.isfinite(values), values, np.nan)


def decades(values: ArrayLike, *, least: float = 4.0, pad: float = 0.06) -> tuple[float, float]:
    """Both ends of a log axis, as log10, with everything in view.

    Args:
        values: log10 of what is to be in view; those that are not finite are left out.
        least: decades between the ends, however near to each other the values are.
        pad: room at either end, as a part of the range.
    """
    seen = np.asarray(values, dtype=np.float64)
    seen = seen[np.isfinite(seen)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (-1.0, 1.0)
    missing = max(0.0, least - (high - low)) / 2
    low, high = low - missing, high + missing
    room = pad * (high - low)
    return low - room, high + room


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
    """A figure with the shared layout.

    Args:
        data: its traces.
        layout: with both axes; it overrides the shared layout.
        height: in pixels.
        alt: what the figure shows, in words.
        meta: more for the page's script, by name.
    """
    shared = {
        "height": height,
        "margin": MARGIN,
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


def event_marks(run: Run, *, height: float | None = 0.5, deepest: int = 0) -> tuple[Parts, Parts]:
    """Two shapes and an annotation for what happened first: a line, a tint behind it, words.

    They are always there and always come first, hidden where nothing happened: a preview finds
    them by their places.

    Args:
        run: its first event is marked.
        height: where the words stand, as a fraction of the plot; None for the place under the axis
            that ``with_room_under_axis`` keeps free.
        deepest: the layer that the x axis reaches, if the run itself does not.
    """
    events, depth = run.events, run.experiment.depth
    broken, zero = events.first_nonfinite, events.all_zero
    index, text, color = 0, "", EVENT_COLORS[0]
    if broken is not None:
        index, text = broken, f"{breaks_as(run)} at {run.place(broken)}"
    elif zero is not None:
        index, text, color = zero, f"all zero at {run.place(zero)}", EVENT_COLORS[1]
    layer, happened = int(run.layers[index + 1]), bool(text)
    end = -0.5 if run.goes_back else depth + 0.5
    tint = {"type": "rect", "x1": end, "fillcolor": color, "opacity": 0.12}
    shapes = [
        upright(layer, {"color": color, "width": 2}, visible=happened),
        upright(layer, {"width": 0}, layer="below", visible=happened, **tint),
    ]
    share = layer / max(depth, deepest)
    place = beside("left" if share > 0.6 else "right", 6)
    if height is None:
        place = {"xanchor": _under(share), "yanchor": "top", "yshift": -_TICKS}
    place |= {"yref": "paper", "visible": happened}
    return shapes, [note(f"<b>{text}</b>", layer, height or 0.0, size=14, **place)]


def _under(share: float) -> str:
    """Which part of words under the axis is at their point, so that they stay on the figure."""
    return "left" if share < _NEAR_END else "right" if share > 1 - _NEAR_END else "center"
