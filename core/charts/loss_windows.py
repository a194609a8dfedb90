"""The gradient in every number format: what it loses to zero, and the loss scales that carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..reading.loss_windows import in_words, share_lost
from ..simulation.backward import Backward
from ..text import significant
from ..theory.windows import Window
from .figure import GREY, VERMILION, Figure, Parts, figure, layer_axis, line, note, upright
from .number_formats import STYLES, height_of, widths

_ENDS = -24.0, 24.0  # log2 of the loss scales
_ROOM = 1.5  # octaves beside the bars
_BELOW = 0.3  # of a row: a measured bar stands under the predicted one


def lost_by_format(backs: Mapping[str, Backward], exact: Backward | None = None) -> Figure:
    """The share of the elements of δ that each number format rounds to zero, per layer.

    Args:
        backs: number format -> its gradient.
        exact: that in float64, if it is not among them. Zeros that float64 has too, as behind a
            ReLU, are not counted; without it all are.
    """
    first, exact = next(iter(backs.values())).run.experiment, backs.get("float64", exact)
    zero = exact.stats.zero if exact else np.zeros(first.depth + 1)
    lost = {name: share_lost(back.stats.zero, zero) for name, back in backs.items()}
    data: Parts = []
    for width, (name, share) in zip(widths(len(lost)), lost.items(), strict=True):
        color, dash = STYLES[name]
        hover = f"{name}: %{{y:.1%}} of δ is lost"
        curve = line(share, name=name, color=color, hover=hover, uid=name, mode="lines")
        data.append(curve | {"line": {"color": color, "dash": dash, "width": width}})
    layout = {
        "xaxis": layer_axis(first.depth, back=True),
        "yaxis": {
            "title": {"text": "gradient lost to zero"},
            "range": [-0.04, 1.04],
            "tickformat": ".0%",
            "zeroline": False,
        },
    }
    told = ", ".join(f"{name} {share[0]:.0%}" for name, share in lost.items())
    alt = f"Share of the gradient that is rounded to zero, per layer. At the input: {told}."
    return figure(data, layout, height=height_of(300, backs), alt=alt)


def loss_windows(
    predicted: Mapping[str, Window],
    measured: Mapping[str, Window],
    loss_scale: float,
) -> Figure:
    """The loss scales with which each format carries signal and gradient, as bars.

    Args:
        predicted: number format -> its window by theory.
        measured: the same with real gradients; empty if they are not measured.
        loss_scale: where the line stands.
    """
    names = list(predicted)[::-1]  # the first is on top
    data = [_bar(row, name, predicted[name]) for row, name in enumerate(names)]
    data += [_measured(row, name, measured[name]) for row, name in enumerate(names) if measured]
    own = float(np.log2(loss_scale))
    ticks = range(-24, 25, 8)
    layout = {
        "xaxis": {
            "title": {"text": "loss scale (log scale)"},
            "range": [_ENDS[0] - _ROOM, _ENDS[1] + _ROOM],
            "tickvals": list(ticks),
            "ticktext": ["1" if k == 0 else f"2<sup>{k}</sup>".replace("-", "−") for k in ticks],
            "zeroline": False,
        },
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": [f"{name}<br>{_label(name, predicted, measured)}" for name in names],
            "tickfont": {"size": 11},
            "range": [-0.6, len(names) - 0.4],
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
        "shapes": [upright(own, {"color": VERMILION, "width": 2}, layer="above")],
        "annotations": [_current(loss_scale, own)],
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 130, "r": 16, "t": 40, "b": 48},
    }
    found = "; ".join(f"{name}: {in_words(window)} by theory" for name, window in predicted.items())
    if measured:
        found += "; " + "; ".join(f"{name}: {in_words(w)} measured" for name, w in measured.items())
    alt = f"Loss scales with which each format carries signal and gradient. {found}."
    return figure(data, layout, height=height_of(400, predicted), alt=alt)


def _label(name: str, predicted: Mapping[str, Window], measured: Mapping[str, Window]) -> str:
    return in_words((measured or predicted)[name])


def _current(loss_scale: float, at: float) -> dict[str, Any]:
    words = f"<b>loss scale {significant(loss_scale)}</b>"
    return note(words, at, 1.0, size=12, yref="paper", yanchor="bottom")


def _ends(window: Window) -> list[float | None]:
    """log2 of both ends, as far as the axis goes; two gaps where nothing is on it."""
    if in_words(window) == "none":
        return [None, None]
    with np.errstate(divide="ignore"):
        return [float(np.clip(np.log2(end), *_ENDS)) for end in (window.low, window.high)]


def _bar(row: int, name: str, window: Window) -> dict[str, Any]:
    color, _ = STYLES[name]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": _ends(window),
        "y": [row, row],
        "name": name,
        "line": {"color": color, "width": 14},
        "marker": {"size": 13, "symbol": "line-ns", "line": {"width": 2, "color": color}},
        "hovertemplate": f"{name}: {in_words(window)} by theory<extra></extra>",
        "uid": name,
    }


def _measured(row: int, name: str, window: Window) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": _ends(window),
        "y": [row - _BELOW, row - _BELOW],
        "name": f"{name}, measured",
        "line": {"color": GREY, "width": 4},
        "marker": {"size": 9, "symbol": "diamond", "color": GREY},
        "hovertemplate": f"{name}: {in_words(window)} measured<extra></extra>",
        "uid": f"{name}-measured",
    }
