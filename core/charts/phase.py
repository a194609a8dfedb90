"""A sweep over two fields as a map: colour is the measure, theory's border is drawn on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.borders import Border
from core.charts.figure import (
    BLUE,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    figure,
    listed,
    packed,
)
from core.charts.scales import scale_of
from core.sweep import Axis, SweepResult
from core.sweep.picture import (
    ALL_ZERO,
    AT_THE_EDGE,
    DIES_OUT,
    NEVER,
    NO_NUMBER,
    NOT_FINITE,
    UNBOUNDED,
    picture,
)
from core.sweep.words import engine_words, quantity, summary
from core.verdict import significant

_HEIGHT = 560
_KINDS = {
    NEVER: "#b9c0c9",
    NOT_FINITE: "#7a2b12",
    UNBOUNDED: "#7a2b12",
    ALL_ZERO: "#4a5361",
    DIES_OUT: "#4a5361",
    AT_THE_EDGE: "#ffd84d",
    NO_NUMBER: GREY,
}
_LINES = {
    "overflow": (VERMILION, "solid"),
    "underflow": (BLUE, "dash"),
    "chaos": (PURPLE, "dot"),
}
_HALO = "#ffffff"
_MOST_TICKS, _FEWEST_TICKS = 8, 3


def phase_diagram(result: SweepResult, borders: Sequence[Border] = ()) -> Figure:
    """The map of a sweep over two fields, as far as it is done.

    Args:
        result: over two axes; the first one's values are the columns.
        borders: of theory, in the axes' units.
    """
    x, y = result.axes
    seen = picture(result)
    scale = scale_of(result.measure, result.question.measure)
    places = {"x": _places(x), "y": _places(y)}
    where = f"{_hover(x, 'x')}<br>{_hover(y, 'y')}<br>"
    told = f"<br>{engine_words(result.engine_names[0])}" if len(result.engine_names) == 1 else ""
    noted = any(any(row) for row in seen.notes)
    more = {"text": seen.notes} if noted else {}
    end = ("<br>%{text}" if noted else "") + f"{told}<extra></extra>"
    names = {
        letter: [str(value) for value in axis.values]
        for letter, axis in (("x", x), ("y", y))
        if is_listed(axis)
    }
    common = {"type": "heatmap", "hoverongaps": False} | places | more
    common["meta"] = names | {"partial": True}
    value = "%{customdata" if scale.is_log else "%{z"
    heat = (
        common
        | {
            "z": packed(scale.shown(seen.values)),
            "name": quantity(result),
            "uid": "map",
            "hovertemplate": f"{where}<b>{quantity(result)}: {value}:{scale.number}}}</b>{end}",
        }
        | scale.trace(seen.values, quantity(result))
    )
    if scale.is_log:
        heat["customdata"] = [listed(row) for row in seen.values]
    data = [heat, *(_flat(common, name, mask, where, end) for name, mask in seen.kinds.items())]
    data += [trace for border in borders for trace in _border(border)]
    layout = {
        "xaxis": _axis(x) | {"automargin": True},
        "yaxis": _axis(y) | {"automargin": True},
        "hovermode": "closest",
        "margin": {"l": 64, "r": 8, "t": 40, "b": 56},
    }
    alt = f"Map of {quantity(result)} over {x.parameter.label} and {y.parameter.label}. "
    return figure(data, layout, height=_HEIGHT, alt=alt + summary(result))


def _flat(common: dict[str, Any], name: str, mask: Any, where: str, end: str) -> dict[str, Any]:
    """Cells that have no number, in one colour, named in the legend."""
    color = _KINDS[name]
    return common | {
        "z": packed(np.where(mask, 0.0, np.nan)),
        "name": name,
        "uid": "kind-" + name.replace(" ", "-").replace(":", ""),
        "colorscale": [[0, color], [1, color]],
        "showscale": False,
        "showlegend": True,
        "hovertemplate": f"{where}<b>{name}</b>{end}",
    }


def _border(border: Border) -> Parts:
    """A line with a light one beneath it, that is seen on every colour."""
    color, dash = _LINES[border.kind]
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": listed(border.x),
        "y": listed(border.y),
        "hoverinfo": "skip",
        "legendgroup": border.kind,
        "name": border.name,
    }
    uid = f"border-{border.kind}"
    return [
        line | {"line": {"color": _HALO, "width": 5}, "showlegend": False, "uid": f"{uid}-halo"},
        line | {"line": {"color": color, "width": 2.5, "dash": dash}, "uid": uid},
    ]


def is_listed(axis: Axis) -> bool:
    """Whether the values stand beside each other in equal cells, whatever their size."""
    if axis.is_choice:
        return True
    return bool((np.diff(np.array(axis.values, dtype=np.float64)) <= 0).any())


def _places(axis: Axis) -> list[Any]:
    return list(range(len(axis.values))) if is_listed(axis) else list(axis.values)


def _hover(axis: Axis, letter: str) -> str:
    symbol = axis.parameter.symbol or axis.parameter.label.lower()
    number = "" if is_listed(axis) else ":d" if axis.parameter.kind == "integer" else ":.4~g"
    return f"{symbol}: %{{{letter}}}" if is_listed(axis) else f"{symbol} = %{{{letter}{number}}}"


def _axis(axis: Axis) -> dict[str, Any]:
    """An axis of the map, half a cell wider than its values on either side."""
    parameter = axis.parameter
    known = parameter.label.split()
    name = " ".join([*known, *({parameter.symbol} - {"", *known})])
    shared: dict[str, Any] = {"zeroline": False, "showgrid": False}
    if is_listed(axis):
        count = len(axis.values)
        return shared | {
            "title": {"text": name},
            "tickvals": list(range(count)),
            "ticktext": [str(value) for value in axis.values],
            "range": [-0.5, count - 0.5],
        }
    numbers = np.array(axis.values, dtype=np.float64)
    logarithmic = axis.is_logarithmic
    ends = np.log10(numbers) if logarithmic else numbers
    steps = np.diff(ends)[[0, -1]] / 2 if len(ends) > 1 else np.full(2, 0.5)
    span = [float(ends[0] - steps[0]), float(ends[-1] + steps[1])]
    if not logarithmic:
        return shared | {"title": {"text": name}, "range": span}
    base_2 = parameter.kind == "integer"
    ticks = _ticks(2 if base_2 else 10, *span)
    return shared | {
        "title": {"text": f"{name} (log scale)"},
        "type": "log",
        "range": span,
        "tickvals": ticks,
        "ticktext": [f"{tick:.0f}" if base_2 else significant(tick) for tick in ticks],
    }


def _ticks(base: int, low: float, high: float) -> list[float]:
    """Powers of the base on a log axis from 10**low to 10**high; 1, 2, 5 where they are few."""
    bits = np.log2(base) / np.log2(10)
    first, last = int(np.ceil(low / bits - 1e-9)), int(np.floor(high / bits + 1e-9))
    step = max(1, -(-(last - first) // _MOST_TICKS))
    ticks = [float(base) ** power for power in range(first, last + 1, step)]
    if len(ticks) >= _FEWEST_TICKS:
        return ticks
    finer = [digit * 10.0**k for k in range(-12, 7) for digit in (1, 2, 5)]
    return [tick for tick in finer if low <= np.log10(tick) <= high]
