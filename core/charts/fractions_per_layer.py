"""Shares per layer: of zero, near-zero, saturated and dead units, of what breaks, of the mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..maths.arrays import Array
from ..simulation.propagate import Run
from ..statistics.layer_stats import STATISTICS
from ..theory.shares import Shares
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    GREY,
    PIN_COLORS,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    event_marks,
    figure,
    layer_axis,
    line,
)

_COLORS = {
    "nonfinite": VERMILION,
    "nan": PURPLE,
    "zero": GREY,
    "subnormal": GOLD,
    "saturated": PIN_COLORS["f"],
    "near_zero": BLUE,
    "flat": GREEN,
    "dead": PIN_COLORS["b"],
    "mean_share": PIN_COLORS["c"],
}
_ALWAYS = ("nonfinite", "zero")
_LEAST = {"near_zero": 0.01, "mean_share": 0.05}  # by chance these are hardly ever 0
_BY_THEORY = ("near_zero", "flat", "dead", "mean_share")
_TOPS = (0.1, 0.25, 0.5)  # where the axis may end below the whole
_HEIGHT = 300  # pixels: some rows of names stand above the plot


def fractions_per_layer(run: Run, theory: Shares | None = None) -> Figure:
    """Fractions of the elements, and the mean's share of the second moment.

    A kind that never occurs is left out, but for the main two, and so is one that lies on another:
    with one input dead units are those that are zero, and with ReLU the saturated ones are.

    Args:
        run: the measurement.
        theory: the shares at infinite width, dashed; None for none.
    """
    shown = _shown(run)
    data = [_measured(run, name) for name in shown]
    dashed = _dashed(theory, shown)
    shapes, _ = event_marks(run)
    layout = {
        "xaxis": layer_axis(run.experiment.depth, step=run.experiment.step),
        "yaxis": {
            "title": {"text": "fraction"},
            "range": _range([*data, *dashed]),
            "tickformat": ".0%",
            "zeroline": False,
        },
        "shapes": shapes,
    }
    ends = (f"{STATISTICS[name].label} {run.stats.values[name][-1]:.0%}" for name in shown)
    alt = f"Fractions of the elements per layer; at the last layer: {', '.join(ends)}."
    return figure(data + dashed, layout, height=_HEIGHT, alt=alt)


def _measured(run: Run, name: str) -> dict[str, Any]:
    """The curve of one statistic."""
    entry, values = STATISTICS[name], run.stats.values[name]
    hover = f"{entry.label} %{{y:.1%}}"
    short = entry.short or entry.label
    return line(values, name=short, color=_COLORS[name], hover=hover, mode="lines")


def _range(curves: Parts) -> list[float]:
    """Both ends of the axis: the whole, or as much of it as all curves need."""
    most = max((value or 0.0 for curve in curves for value in curve["y"]), default=1.0)
    top = next((top for top in _TOPS if most <= top), 1.0)
    return [-0.04 * top, 1.04 * top]


def _shown(run: Run) -> list[str]:
    """The statistics that are drawn."""
    found: list[str] = []
    for name in _COLORS:
        values = run.stats.values[name]
        occurs = bool(np.nan_to_num(values).max() > _LEAST.get(name, 0.0))
        twice = any(_agree(values, run.stats.values[other]) for other in found)
        if name in _ALWAYS or (occurs and not (twice and name in _BY_THEORY)):
            found.append(name)
    return found


def _agree(one: Array, two: Array) -> bool:
    """Whether two columns are the same from layer 1 on."""
    return bool(np.array_equal(one[1:], two[1:], equal_nan=True))


def _dashed(theory: Shares | None, shown: list[str]) -> Parts:
    """The curves of theory, with one name in the legend for all."""
    if theory is None:
        return []
    curves = []
    for name in _BY_THEORY:
        values = getattr(theory, name)
        if name in shown and np.isfinite(values).any():
            entry = STATISTICS[name]
            hover = f"{entry.label}, width → ∞ %{{y:.1%}}"
            curve = line(values, name=f"{entry.short}, width → ∞", color=_COLORS[name], hover=hover)
            style = {"color": _COLORS[name], "width": 1.5, "dash": "dash"}
            curves.append(curve | {"mode": "lines", "line": style, "showlegend": False})
    if curves:
        style = {"color": GREY, "width": 1.5, "dash": "dash"}
        legend = line([np.nan], name="width → ∞", color=GREY, hover="")
        curves.append(legend | {"mode": "lines", "line": style, "hoverinfo": "skip"})
    return curves
