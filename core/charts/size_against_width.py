"""The coordinate check: size against width on log axes, a line for each layer."""

from __future__ import annotations

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
    Parts,
    figure,
    listed,
    size_axis,
)

_STYLES = (
    (BLUE, "circle"),
    (VERMILION, "square"),
    (GREEN, "diamond"),
    (PURPLE, "triangle-up"),
    (GOLD, "x"),
    (GREY, "cross"),
)
_LEAST_DECADES = 2.0
_PAD = 0.08
_LOG10_2 = float(np.log10(2))
_MOST_OCTAVES = 1000.0


def size_against_width(check: CoordinateCheck) -> Figure:
    """The typical rms of every layer over width, with the spread of the networks.

    A point is the geometric mean over networks, a bar one standard deviation of their logarithms.
    """
    seen = np.isfinite(check.log2_rms)
    count = seen.sum(axis=0)
    total = np.where(seen, check.log2_rms, 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
        deviation = np.where(seen, check.log2_rms - mean, 0)
        spread = np.sqrt((deviation**2).sum(axis=0) / np.where(count > 1, count - 1, np.nan))
    slopes = {each.layer: each for each in check.slopes}
    data: Parts = []
    names = []
    for place, layer in enumerate(check.layers):
        color, symbol = _STYLES[place % len(_STYLES)]
        slope = f": slope {slopes[layer].text}" if layer in slopes else ""
        names.append(f"layer {layer}{slope}")
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": list(check.widths),
                "y": listed(_power(mean[:, place])),
                "error_y": _bars(mean[:, place], spread[:, place], color),
                "name": names[-1],
                "uid": f"layer{layer}",
                "line": {"color": color, "width": 2},
                "marker": {"color": color, "symbol": symbol, "size": 8},
                "hovertemplate": f"n = %{{x}}, layer {layer}: rms %{{y:.4g}}<extra></extra>",
            }
        )
    layout = {
        "xaxis": {
            "type": "log",
            "title": {"text": "width n (log scale)"},
            "tickvals": list(check.widths),
            "ticktext": [str(width) for width in check.widths],
            "range": [float(np.log10(check.widths[0])) - 0.05, np.log10(check.widths[-1]) + 0.05],
            "zeroline": False,
        },
        "yaxis": size_axis(*_decades(mean, spread), "rms of x") | {"automargin": True},
        "hovermode": "closest",
    }
    told = "; ".join(names)
    alt = f"Size of the activations against width, on log axes. {told}. {check.sentence}"
    return figure(data, layout, height=460, alt=alt)


def _power(octaves: Array) -> Array:
    return np.asarray(np.exp2(np.clip(octaves, -_MOST_OCTAVES, _MOST_OCTAVES)))


def _bars(mean: Array, spread: Array, color: str) -> dict[str, object]:
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


def _decades(mean: Array, spread: Array) -> tuple[float, float]:
    ends = np.concatenate([mean - np.nan_to_num(spread), mean + np.nan_to_num(spread)])
    ends = _LOG10_2 * ends[np.isfinite(ends)]
    low, high = (float(ends.min()), float(ends.max())) if ends.size else (-1.0, 1.0)
    missing = max(0.0, _LEAST_DECADES - (high - low)) / 2
    pad = _PAD * (high - low + 2 * missing)
    return low - missing - pad, high + missing + pad
