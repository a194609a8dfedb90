"""A figure as a class sees it: enlarged for a projector, or without the answer."""

from __future__ import annotations

import re
from typing import Any

from .figure import EVENT_POINTS, Figure

_LARGER = 1.4  # than on a desk: the type of notes on a projector


def enlarged(drawn: Figure) -> Figure:
    """The same figure for a projector; ``fills_window`` asks the page to fit its height."""
    layout = drawn["layout"]
    notes = [_enlarged_note(note) for note in layout["annotations"]]
    data = [
        trace
        | (
            {"line": trace["line"] | {"width": 1.8 * trace["line"].get("width", 2)}}
            if "line" in trace
            else {}
        )
        | ({"showlegend": False} if trace.get("visible") == "legendonly" else {})
        for trace in drawn["data"]
    ]
    changed = {
        "annotations": notes,
        "height": 430,
        "font": {"size": 20},
        "margin": {"l": 110, "r": 24, "t": 40, "b": 90},
        "legend": layout["legend"] | {"font": {"size": 16}},
        "meta": layout["meta"] | {"fills_window": True},
    }
    return {"data": data, "layout": layout | changed}


def _enlarged_note(note: dict[str, Any]) -> dict[str, Any]:
    """A note in larger type; below the axis it stands under ticks that are larger too."""
    larger = {"font": note["font"] | {"size": _LARGER * note["font"]["size"]}}
    if note.get("yanchor") == "top" and "yshift" in note:
        larger["yshift"] = _LARGER * note["yshift"]
    return note | larger


def unanswered(drawn: Figure) -> Figure:
    """The same figure without the marks of events, for a class that is to find the answer.

    Its curve still ends where the signal does.
    """
    layout = drawn["layout"]
    events, notes = layout["shapes"][:2], layout["annotations"][:1]
    changed = {
        "shapes": [mark | {"visible": False} for mark in events] + layout["shapes"][2:],
        "annotations": [note | {"visible": False} for note in notes] + layout["annotations"][1:],
        "meta": layout["meta"] | {"alt": f"{_subject(layout['meta']['alt'])}.", "unanswered": True},
    }
    data = [trace for trace in drawn["data"] if trace.get("uid") != EVENT_POINTS]
    return {"data": data, "layout": layout | changed}


def _subject(alt: str) -> str:
    """The subject of a figure, without the answer that can be seen in it."""
    return re.split(r"[.,;:] ", alt)[0].removesuffix(".")
