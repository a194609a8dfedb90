"""Std per layer on a log axis, with the limits of the number format and the events."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.charts.figure import (
    BLUE,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    event_marks,
    figure,
    layer_axis,
    line,
)
from core.number_formats import NumberFormat
from core.propagate import Run
from core.verdict import judge, significant

_PAD = 0.06  # of the visible range, above and below
_LEAST_DECADES = 4.0


def _limits(number_format: NumberFormat) -> dict[str, float]:
    return {
        f"largest {number_format.name}": number_format.max,
        "smallest normal": number_format.smallest_normal,
        "smallest subnormal": number_format.smallest_subnormal,
    }


def _visible_decades(run: Run) -> tuple[float, float]:
    """log10 of the y range: the data, and a limit once the data come near it."""
    seen = run.stats.log2_rms[np.isfinite(run.stats.log2_rms)] * np.log10(2)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (-1.0, 1.0)
    if run.events.first_nonfinite is not None:
        high = max(high, float(np.log10(run.experiment.format.max)))
    if run.events.all_zero is not None or low < np.log10(run.experiment.format.smallest_normal):
        low = min(low, float(np.log10(run.experiment.format.smallest_subnormal)))
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
        customdata=["<br>".join(words) for words in told.values()],
    )
    marker = {"color": VERMILION, "size": 10, "symbol": "diamond"}
    return [points | {"x": list(told), "mode": "markers", "marker": marker}]


def std_per_layer(run: Run) -> Figure:
    """The main picture: std of x at every layer, with rms and max|x| one click away."""
    stats = run.stats
    hover = "layer %{x} (i = %{customdata})<br>"
    index = [layer - 1 if layer else "input" for layer in range(len(stats))]

    def curve(statistic: str, name: str, color: str, **more: Any) -> dict[str, Any]:
        values = stats.values[statistic]
        positive = np.where(values > 0, values, np.nan)
        shown = f"{hover}{name} %{{y:.4g}}"
        more |= {"customdata": index, "meta": {"statistic": f"log2_{statistic}"}}
        return line(positive, name=name, color=color, hover=shown, **more)

    aside = {"visible": "legendonly"}
    alone = run.experiment.is_single_number  # it has no std; its magnitude is shown
    data = [curve("rms", "|x|", BLUE)]
    if not alone:
        data = [
            curve("std", "std", BLUE),
            curve("rms", "rms", PURPLE, **aside),
            curve("max_abs", "max |x|", GREY, **aside),
        ]
    data += _event_points(run)
    low, high = _visible_decades(run)
    decades = high - low
    limit_shapes, limit_notes = _limit_marks(run)
    event_shapes, event_notes = event_marks(run)
    layout = {
        "xaxis": layer_axis(run),
        "yaxis": {
            "type": "log",
            "range": [low, high],
            "dtick": max(1, round(decades / 7)),
            "title": {"text": "|x| (log scale)" if alone else "std of x (log scale)"},
            "exponentformat": "power",
            "zeroline": False,
        },
        "shapes": event_shapes + limit_shapes,
        "annotations": event_notes + limit_notes,
    }
    alt = f"Standard deviation of x per layer. {judge(run).sentence}"
    return figure(data, layout, height=400, alt=alt)
