"""The histograms of an exercise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..lesson import Counts
from ..text import with_minus
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    GREY,
    VERMILION,
    Figure,
    Parts,
    bar,
    beside,
    figure,
    listed,
    note,
    upright,
)

_MOST_TICKS = 20
_ROW = 0.1  # the height of a mark's name, as a part of the plot
_MARK = {"color": GOLD, "width": 3, "dash": "dot"}


def layout_of(large: bool, **more: Any) -> dict[str, Any]:
    """A layout, with room for large type if it is for a classroom."""
    room = {"font": {"size": 18}, "margin": {"l": 92, "r": 20, "t": 40, "b": 64}} if large else {}
    return room | more


def height_of(large: bool, usual: int) -> int:
    """The height of a figure, in pixels; of a large one until the page has measured the room."""
    return 380 if large else usual


def note_size(large: bool) -> int:
    """The font size of a note, in pixels."""
    return 18 if large else 12


def histogram(group: list[Counts], axis: str, large: bool) -> Figure:
    """Counts as shares, side by side; all of the group have the same axis."""
    log2 = group[0].log2
    data: Parts = []
    for place, counts in enumerate(group):
        color = (BLUE, VERMILION, GREEN, GREY)[place % 4]
        shares = np.asarray(counts.counts) / max(1.0, float(np.sum(counts.counts)))
        name = counts.label.replace("`", "")
        data.append(
            bar(
                listed(counts.values),
                shares,
                name=name,
                uid=f"counts{place}",
                customdata=[_plain(value, log2) for value in counts.values],
                marker={"color": color, "pattern": {"shape": ("", "/", "x", ".")[place % 4]}},
                hovertemplate=f"{name}: %{{customdata}}: %{{y:.1%}}<extra></extra>",
            )
        )
    title = f"{axis} (log scale)" if log2 else axis
    marks = [mark for counts in group for mark in counts.marks.items()]
    layout = layout_of(
        large,
        xaxis={"title": {"text": title}, "zeroline": False} | _ticks(group),
        yaxis={
            "title": {"text": "share"},
            "tickformat": ".0%",
            "range": [0, _headroom(data, marks)],
        },
        barmode="group",
        bargap=0.05,
        hovermode="closest",
        showlegend=True,
        shapes=[upright(place, _MARK) for _, place in marks],
        annotations=[_named(name, place, row, large) for row, (name, place) in enumerate(marks)],
    )
    modes = "; ".join(f"{part['name']}: most often near {_likeliest(part)}" for part in data)
    marked = "".join(f"; {name} is marked" for name, _ in marks)
    alt = f"Histogram of {axis}. {modes}{marked}."
    return figure(data, layout, height=height_of(large, 300), alt=alt, fills_window=large)


def _headroom(data: Parts, marks: list[Any]) -> float:
    """The top of the axis: above the tallest bar, with room for the names of marks."""
    return (1.2 if marks else 1.05) * max(share or 0.0 for part in data for share in part["y"])


def _plain(value: float, log2: bool) -> str:
    return with_minus(f"{2**value if log2 else value:.4g}")


def _named(name: str, place: float, row: int, large: bool) -> dict[str, Any]:
    """The name of a mark beside its line, each name a row lower than the one before."""
    top = {"yref": "paper", "yanchor": "top"} | beside("right", 4)
    # The page gives it the page's own background, so that no line of another mark runs through it.
    return note(name, place, 1 - _ROW * row, size=note_size(large), bgcolor="#fff", **top)


def _ticks(group: list[Counts]) -> dict[str, Any]:
    """A tick at each whole number, if there are only a few; of logarithms always."""
    values = np.concatenate([counts.values for counts in group])
    if group[0].log2:
        low, high = int(np.ceil(values.min())), int(np.floor(values.max()))
        powers = list(range(low, high + 1, max(1, -(-(high - low) // _MOST_TICKS))))
        return {"tickvals": powers, "ticktext": [f"{2.0**power:.4g}" for power in powers]}
    few = np.all(values == np.round(values)) and np.ptp(values) <= _MOST_TICKS
    return {"dtick": 1 if few else None}


def _likeliest(part: dict[str, Any]) -> str:
    shares = [share or 0.0 for share in part["y"]]
    return str(part["customdata"][int(np.argmax(shares))])
