"""A sweep over two fields as a map: colour is the measure, theory's border is drawn on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..maps.borders import Border
from ..maps.map import (
    ALL_ZERO,
    AT_THE_EDGE,
    DIES_OUT,
    NEVER,
    NO_NUMBER,
    NOT_FINITE,
    STUCK,
    UNBOUNDED,
    Map,
    Mask,
    map_of,
)
from ..maps.regions import regions
from ..maps.words import engine_words, quantity, summary
from ..sweep import Axis, SweepResult
from ..text import typeset
from .figure import (
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    figure,
    listed,
    note,
    packed,
)
from .map_axes import hover, is_listed, map_axis, names, places
from .map_colours import scale_of

_HEIGHT = 600
_KINDS = {
    NEVER: "rgba(128,138,150,0.28)",  # between the page and the numbers, light or dark
    NOT_FINITE: "#7a2b12",
    STUCK: "#b5650a",
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
    "doubles": (GREEN, "dashdot"),
}
_HALO = "#ffffff"


def phase_diagram(result: SweepResult, borders: Sequence[Border] = ()) -> Figure:
    """The map of a sweep over two fields, as far as it is done.

    Args:
        result: over two axes; the values of the first are the columns.
        borders: theory's lines, in the axes' units.
    """
    x, y = result.axes
    seen = map_of(result)
    data = [_numbers(result, seen)]
    data += [_flat(result, seen, name) for name in seen.kinds]
    data += [trace for border in borders for trace in _border(border)]
    layout = {
        "xaxis": map_axis(x) | {"automargin": True},
        "yaxis": map_axis(y) | {"automargin": True},
        "hovermode": "closest",
        "margin": {"l": 64, "r": 8, "t": 40, "b": 112},
        "annotations": _region_names(result, seen, borders),
    }
    alt = f"Map of {quantity(result)} over {x.parameter.label} and {y.parameter.label}. "
    return figure(data, layout, height=_HEIGHT, alt=alt + summary(result))


def _region_names(result: SweepResult, seen: Map, borders: Sequence[Border]) -> Parts:
    """The fate of the signals of each region, written on it."""
    across, up = (_in_axis_units(axis) for axis in result.axes)
    return [
        note(f"<b>{each.name}</b>", across[each.column], up[each.row], size=15)
        for each in regions(result, seen, borders)
    ]


def _in_axis_units(axis: Axis) -> list[Any]:
    """The places of an axis's cells as an annotation takes them: on a log axis their log10."""
    if map_axis(axis).get("type") == "log":
        return listed(np.log10(places(axis)))
    return places(axis)


def _numbers(result: SweepResult, seen: Map) -> dict[str, Any]:
    """Cells that have a number."""
    scale, name = scale_of(result.measure, result.question.measure), quantity(result)
    value = f"%{{{'customdata' if scale.is_log else 'z'}:{scale.number}}}"
    coded = scale.trace(seen.values, name) | {"z": packed(scale.shown(seen.values))}
    if scale.is_log:
        coded["customdata"] = [listed(row) for row in seen.values]
    mask = ~np.isnan(seen.values)
    return _cells(result, seen, mask, f"{name}: {value}") | coded | {"name": name, "uid": "map"}


def _flat(result: SweepResult, seen: Map, name: str) -> dict[str, Any]:
    """Cells that have no number, in one colour, named in the legend."""
    color, mask = _KINDS[name], seen.kinds[name]
    return _cells(result, seen, mask, name) | {
        "z": packed(np.where(mask, 0.0, np.nan)),
        "name": name,
        "uid": "kind-" + name.replace(" ", "-").replace(":", ""),
        "colorscale": [[0, color], [1, color]],
        "showscale": False,
        "showlegend": True,
    }


def _cells(result: SweepResult, seen: Map, mask: Mask, words: str) -> dict[str, Any]:
    """The parts that all cells have: places, the lines of their hover, and names for a file."""
    x, y = result.axes
    lines = [hover(x, "x"), hover(y, "y"), f"<b>{typeset(words)}</b>"]
    cells: dict[str, Any] = {"type": "heatmap", "hoverongaps": False}
    if any(any(row) for row in seen.notes):
        lines.append("%{text}")
        pairs = zip(seen.notes, mask.tolist(), strict=True)
        cells["text"] = [
            [note if here else "" for note, here in zip(*pair, strict=True)] for pair in pairs
        ]
    if len(result.engine_names) == 1:
        lines.append(engine_words(result.engine_names[0]))
    sides = {"x": x, "y": y}
    named = {at: names(side) for at, side in sides.items() if is_listed(side)}
    return cells | {
        "x": places(x),
        "y": places(y),
        "hovertemplate": "<br>".join(lines) + "<extra></extra>",
        "meta": named | {"partial": True},
    }


def _border(border: Border) -> Parts:
    """A line over a wider light one, so that it is visible on every colour."""
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
