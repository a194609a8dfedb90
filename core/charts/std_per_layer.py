"""Std per layer on a log axis, with the limits of the number format and the events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layer.number_formats import NumberFormat
from ..reading.expectation import Bands, luck
from ..reading.verdict import judge
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..text import significant
from .figure import (
    BLUE,
    EVENTS,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    event_marks,
    figure,
    layer_axis,
    line,
    size_axis,
)
from .pins import Pin, kept_curves, letters, room
from .spread import band_curves, band_decades, fan_curves

_PAD = 0.06  # of the visible range, above and below
_LEAST_DECADES = 4.0


def _limits(number_format: NumberFormat) -> dict[str, float]:
    return {
        f"largest {number_format.name}": number_format.max,
        "smallest normal": number_format.smallest_normal,
        "smallest subnormal": number_format.smallest_subnormal,
    }


def _visible_decades(run: Run, kept: Sequence[float], bands: Bands | None) -> tuple[float, float]:
    """log10 of the y range: the data, a limit once they come near it, bands, and what is kept."""
    seen = run.stats.log2_rms[np.isfinite(run.stats.log2_rms)] * np.log10(2)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (-1.0, 1.0)
    if run.events.first_nonfinite is not None:
        high = max(high, float(np.log10(run.experiment.format.max)))
    if run.events.all_zero is not None or low < np.log10(run.experiment.format.smallest_normal):
        low = min(low, float(np.log10(run.experiment.format.smallest_subnormal)))
    kept = [*kept, *band_decades(bands, run)]
    low, high = min([low, *kept]), max([high, *kept])
    missing = max(0.0, _LEAST_DECADES - (high - low)) / 2
    low, high = low - missing, high + missing
    pad = _PAD * (high - low)
    return low - pad, high + pad


def _limit_marks(run: Run) -> tuple[Parts, Parts]:
    """The ends of the range, dashed and named; Plotly leaves out what is not in view."""
    shapes, notes = [], []
    for name, value in _limits(run.experiment.format).items():
        place = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
        shapes.append(place | {"line": {"color": GREY, "width": 1, "dash": "dash"}})
        notes.append(
            {
                "xref": "paper",
                "x": 1,
                "xanchor": "right",
                "y": float(np.log10(value)),
                "yanchor": "top" if value > 1 else "bottom",
                "text": f"{name} {significant(value)}",
                "showarrow": False,
                "font": {"size": 11},
            }
        )
    return shapes, notes


_QUIET_EVENTS = {
    "all_subnormal": "every element is subnormal or zero",
    "notebook_mean_inf": "torch's x.mean() is Inf",
    "notebook_mean_nan": "torch's x.mean() is NaN",
    "notebook_std_inf": "torch's x.std() is Inf",
    "notebook_std_nan": "torch's x.std() is NaN",
}


def _event_points(run: Run) -> Parts:
    """Markers on the curve for what happens while x itself is still finite."""
    told: dict[int, list[str]] = {}
    for event, words in _QUIET_EVENTS.items():
        index = getattr(run.events, event)
        if index is not None and 0 < run.stats.std[index + 1] < np.inf:
            told.setdefault(index + 1, []).append(f"first i at which {words}")
    if not told:
        return []
    points = line(
        [run.stats.std[layer] for layer in told],
        name="other events",
        color=VERMILION,
        hover="layer %{x}: %{customdata}",
        uid=EVENTS,
        customdata=["<br>".join(words) for words in told.values()],
    )
    marker = {"color": VERMILION, "size": 10, "symbol": "diamond"}
    return [points | {"x": list(told), "mode": "markers", "marker": marker}]


def _live_curves(run: Run) -> Parts:
    """std, and beside it rms and max|x|; of a single number only |x|. The first is the main one."""
    stats = run.stats
    hover = "layer %{x} (i = %{customdata})<br>"
    index = [layer - 1 if layer else "input" for layer in range(len(stats))]

    def curve(statistic: str, name: str, color: str, **more: Any) -> dict[str, Any]:
        values = stats.values[statistic]
        positive = np.where(values > 0, values, np.nan)
        shown = f"{hover}{name} %{{y:.4g}}"
        more |= {"customdata": index, "meta": {"statistic": f"log2_{statistic}"}, "uid": statistic}
        return line(positive, name=name, color=color, hover=shown, **more)

    if run.experiment.is_single_number:  # it has no std; its magnitude is shown
        return [curve("rms", "|x|", BLUE)]
    aside = {"visible": "legendonly"}
    return [
        curve("std", "std", BLUE),
        curve("rms", "rms", PURPLE, **aside),
        curve("max_abs", "max |x|", GREY, **aside),
    ]


def _alt(run: Run, pins: Sequence[Pin], bands: Bands | None) -> str:
    """The picture in words."""
    expected = f" {luck(run, bands)}" if bands else ""
    kept = ", ".join(pin.title for pin in pins)
    beside = f" Kept beside it: {kept}." if kept else ""
    return f"Standard deviation of x per layer. {judge(run).sentence}{expected}{beside}"


def std_per_layer(
    run: Run,
    pins: Sequence[Pin] = (),
    *,
    bands: Bands | None = None,
    ensemble: Ensemble | None = None,
) -> Figure:
    """The main picture: std of x at every layer, over what was expected and what is kept.

    rms and max|x| are one click away. What is drawn later lies on top.
    """
    space = room(pins)
    low, high = _visible_decades(run, space["decades"], bands)
    limit_shapes, limit_notes = _limit_marks(run)
    event_shapes, event_notes = event_marks(run, deepest=space["depth"])
    size = "|x|" if run.experiment.is_single_number else "std of x"
    layout = {
        "xaxis": layer_axis(run, deepest=space["depth"]),
        "yaxis": size_axis(low, high, size),
        "shapes": event_shapes + limit_shapes,
        "annotations": event_notes + limit_notes + letters(pins),
    }
    spread = band_curves(bands, run) + fan_curves(ensemble, run)
    data = spread + kept_curves(pins) + _live_curves(run) + _event_points(run)
    return figure(data, layout, height=400, alt=_alt(run, pins, bands), stays=space)
