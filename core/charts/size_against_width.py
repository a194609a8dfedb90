"""The coordinate check: size against width on log axes, a curve for each layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..maths.arrays import Array
from ..sweep.coordinate_check import CoordinateCheck
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    decades,
    figure,
    listed,
    size_axis,
    to_decades,
)

_STYLES = (
    (BLUE, "circle"),
    (VERMILION, "square"),
    (GREEN, "diamond"),
    (PURPLE, "triangle-up"),
    (GOLD, "x"),
    (GREY, "cross"),
)
_MOST_OCTAVES = 1000.0  # on either side of 1, for a double


def size_against_width(check: CoordinateCheck) -> Figure:
    """The typical rms of every layer over width, with the spread of the networks.

    A point is the geometric mean over networks, a bar one standard deviation of their logarithms.
    """
    mean, spread = _over_networks(check.log2_rms)
    data = [
        _curve(check, place, mean[:, place], spread[:, place]) for place in range(len(check.layers))
    ]
    ends = np.concatenate([mean - np.nan_to_num(spread), mean + np.nan_to_num(spread)])
    low, high = decades(to_decades(ends), least=2.0, pad=0.08)
    layout = {
        "xaxis": {
            "type": "log",
            "title": {"text": "width n (log scale)"},
            "tickvals": list(check.widths),
            "ticktext": [str(width) for width in check.widths],
            "range": [float(np.log10(check.widths[0])) - 0.05, np.log10(check.widths[-1]) + 0.05],
            "zeroline": False,
        },
        "yaxis": size_axis(low, high, check.size.title) | {"automargin": True},
        "hovermode": "closest",
    }
    names = "; ".join(curve["name"] for curve in data)
    alt = f"{check.size.title} against width, on log axes. {names}. {check.sentence}"
    return figure(data, layout, height=460, alt=alt)


def _over_networks(log2: Array) -> tuple[Array, Array]:
    """Mean and standard deviation over the first axis of the finite values; NaN of too few."""
    seen = np.isfinite(log2)
    count = seen.sum(axis=0)
    total = np.where(seen, log2, 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
        deviation = np.where(seen, log2 - mean, 0)
        spread = np.sqrt((deviation**2).sum(axis=0) / np.where(count > 1, count - 1, np.nan))
    return mean, spread


def _curve(check: CoordinateCheck, place: int, mean: Array, spread: Array) -> dict[str, Any]:
    """The sizes at the layer in a place, from log2 of their mean and spread, named by its slope."""
    layer = check.layers[place]
    color, symbol = _STYLES[place % len(_STYLES)]
    slope = "".join(f": slope {each.text}" for each in check.slopes if each.layer == layer)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(check.widths),
        "y": listed(_power(mean)),
        "error_y": _error_bars(mean, spread, color),
        "name": f"{check.size.place(layer)}{slope}",
        "uid": f"layer{layer}",
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "symbol": symbol, "size": 8},
        "hovertemplate": f"n = %{{x}}, {check.size.place(layer)}: rms %{{y:.4g}}<extra></extra>",
    }


def _power(octaves: Array) -> Array:
    return np.asarray(np.exp2(np.clip(octaves, -_MOST_OCTAVES, _MOST_OCTAVES)))


def _error_bars(mean: Array, spread: Array, color: str) -> dict[str, object]:
    """A factor up and down, as lengths on a linear scale."""
    width = np.nan_to_num(spread)
    middle = _power(mean)
    return {
        "type": "data",
        "symmetric": False,
        "array": listed(_power(mean + width) - middle),
        "arrayminus": listed(middle - _power(mean - width)),
        "color": color,
        "thickness": 1.2,
        "width": 4,
    }
