"""A figure as a class sees it: enlarged for a projector, or without the answer."""

from __future__ import annotations

from .figure import EVENT_POINTS, Figure


def enlarged(drawn: Figure) -> Figure:
    """The same figure for a projector."""
    layout = drawn["layout"]
    notes = [
        note | {"font": note["font"] | {"size": 1.4 * note["font"]["size"]}}
        for note in layout["annotations"]
    ]
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
        "margin": {"l": 110, "r": 24, "t": 40, "b": 70},
        "legend": layout["legend"] | {"font": {"size": 16}},
    }
    return {"data": data, "layout": layout | changed}


def unanswered(drawn: Figure) -> Figure:
    """The same figure without the marks of events, for a class that is to find the answer."""
    layout = drawn["layout"]
    events, notes = layout["shapes"][:2], layout["annotations"][:1]
    changed = {
        "shapes": [mark | {"visible": False} for mark in events] + layout["shapes"][2:],
        "annotations": [note | {"visible": False} for note in notes] + layout["annotations"][1:],
        "meta": layout["meta"]
        | {"alt": f"{layout['meta']['alt'].split('. ')[0]}.", "unanswered": True},
    }
    data = [trace for trace in drawn["data"] if trace.get("uid") != EVENT_POINTS]
    return {"data": data, "layout": layout | changed}
