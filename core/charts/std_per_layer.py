"""Std per layer on a log axis, with the limits of the number format and the events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layer.number_formats import NumberFormat
from ..reading.expectation import Bands, luck
from ..reading.verdict import Verdict, judge
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..statistics.layer_stats import EVENTS
from ..text import significant
from .figure import (
    BLUE,
    EVENT_POINTS,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    Parts,
    decades,
    event_marks,
    figure,
    layer_axis,
    line,
    note,
    positive,
    size_axis,
    to_decades,
    with_room_under_axis,
)
from .pins import Pin, pin_curves, pin_letters, room
from .spread import band_curves, band_decades, fan_curves


def _limits(number_format: NumberFormat) -> dict[str, float]:
    limits = {
        f"largest {number_format.name}": number_format.max,
        "smallest normal": number_format.smallest_normal,
    }
    if not number_format.flushes:
        limits["smallest subnormal"] = number_format.smallest_subnormal
    return limits


def _visible_decades(run: Run, pins: Sequence[float], bands: Bands | None) -> tuple[float, float]:
    """log10 of the y range: the data, a limit once they come near it, the bands and the pins."""
    limit = run.experiment.format
    seen = to_decades(run.stats.log2_rms)
    shown = seen[np.isfinite(seen)].tolist() or [-1.0, 1.0]
    if run.log2_branch_rms is not None:
        added = to_decades(run.log2_branch_rms[1:])
        shown += added[np.isfinite(added)].tolist()
    is_small = min(shown) < np.log10(limit.smallest_normal)
    if run.events.first_nonfinite is not None:
        shown.append(np.log10(limit.max))
    if run.events.all_zero is not None or is_small:
        shown.append(np.log10(limit.smallest_subnormal))
    return decades([*shown, *pins, *band_decades(bands, run)])


def _limit_marks(run: Run) -> tuple[Parts, Parts]:
    """The format's limits, dashed and named; Plotly leaves out those that are not in view."""
    shapes, notes = [], []
    for name, value in _limits(run.experiment.format).items():
        place = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
        shapes.append(place | {"line": {"color": GREY, "width": 1, "dash": "dash"}})
        words = f"{name} {significant(value)}"
        edge = {"xref": "paper", "xanchor": "right", "yanchor": "top" if value > 1 else "bottom"}
        notes.append(note(words, 1, float(np.log10(value)), size=11, **edge))
    return shapes, notes


def _event_points(run: Run) -> Parts:
    """Markers on the curve for events that come while x itself is still finite."""
    happened: dict[int, list[str]] = {}
    names: set[str] = set()
    for name, event in sorted(EVENTS.items()):  # by name, a mean before the std that subtracts it
        index = getattr(run.events, name) if event.marker else None
        if index is not None and 0 < run.stats.std[index + 1] < np.inf:
            happened.setdefault(index + 1, []).append(f"first i at which {event.marker}")
            names.add(f"x.{event.printed.statistic}()" if event.printed else "")
    if not happened:
        return []
    points = line(
        [run.stats.std[layer] for layer in happened],
        name=_early(names),
        color=VERMILION,
        hover="layer %{x}: %{customdata}",
        uid=EVENT_POINTS,
        customdata=["<br>".join(words) for words in happened.values()],
    )
    marker = {"color": VERMILION, "size": 10, "symbol": "diamond"}
    return [
        points | {"x": run.layers[list(happened)].tolist(), "mode": "markers", "marker": marker}
    ]


def _early(names: set[str]) -> str:
    """What the markers stand for: torch's functions that fail early, or else subnormal layers."""
    failing = " or ".join(sorted(names - {""}))
    parts = [f"{failing} fails early"] if failing else []
    return "; ".join(parts + ["every element is subnormal"] * ("" in names))


def _live_curves(run: Run) -> Parts:
    """std, and beside it rms and max|x|; of a single number only |x|. The first is the main one."""
    stats = run.stats
    hover = "layer %{x}<br>" if run.goes_back else "layer %{x} (i = %{customdata})<br>"
    index = [layer - 1 if layer else "input" for layer in range(len(stats))]
    own = {"x": run.layers.tolist()} | ({} if run.goes_back else {"customdata": index})

    def curve(statistic: str, name: str, color: str, **more: Any) -> dict[str, Any]:
        sizes = positive(stats.values[statistic])
        shown = f"{hover}{name} %{{y:.4g}}"
        more |= own | {"meta": {"statistic": f"log2_{statistic}"}, "uid": statistic}
        return line(sizes, name=name, color=color, hover=shown, **more)

    if run.experiment.is_single_number:  # it has no std
        return [curve("rms", run.size_name, BLUE)]
    aside = {"visible": "legendonly"}
    return [
        curve("std", "std", BLUE),
        curve("rms", "rms", PURPLE, **aside),
        curve("max_abs", f"max |{run.symbol}|", GREY, **aside),
        *_branch_curve(run, hover, own),
    ]


def _branch_curve(run: Run, hover: str, own: dict[str, Any]) -> Parts:
    """The size of what each branch adds to x, where x is a sum."""
    if run.log2_branch_rms is None:
        return []
    with np.errstate(over="ignore"):
        sizes = positive(2.0**run.log2_branch_rms)
    name = "rms of what each branch adds"
    meta = {"statistic": "log2_branch_rms"}
    shown = f"{hover}{name} %{{y:.4g}}"
    return [line(sizes, name=name, color=GREEN, hover=shown, meta=meta, uid="branch", **own)]


def _alt(run: Run, verdict: Verdict, pins: Sequence[Pin], bands: Bands | None) -> str:
    """The figure in words."""
    expected = f" {luck(run, bands)}" if bands else ""
    titles = ", ".join(pin.title for pin in pins)
    beside = f" Kept beside it: {titles}." if titles else ""
    return f"Standard deviation of {run.symbol} per layer. {verdict.sentence}{expected}{beside}"


def std_per_layer(
    run: Run,
    pins: Sequence[Pin] = (),
    *,
    bands: Bands | None = None,
    ensemble: Ensemble | None = None,
    verdict: Verdict | None = None,
) -> Figure:
    """The main figure: std of x at every layer, over the expected sizes and the pinned curves.

    It draws a gradient as well, as a run that goes back (`core.reading.gradient.as_run`).

    rms and max|x| are one click away. Traces that are drawn later lie on top.

    Args:
        run: the live one.
        pins: curves of other runs that stay beside it.
        bands: the spread over networks, by theory or measured.
        ensemble: networks to draw one by one.
        verdict: on the run, where the caller has it already.
    """
    space = room(pins)
    deepest = max(run.experiment.depth, space["depth"])
    low, high = _visible_decades(run, space["decades"], bands)
    limit_shapes, limit_notes = _limit_marks(run)
    event_shapes, event_notes = event_marks(run, height=None, deepest=space["depth"])
    layout = with_room_under_axis(
        layer_axis(deepest, back=run.goes_back, step=run.experiment.step)
    ) | {
        "yaxis": size_axis(low, high, run.size_title),
        "shapes": event_shapes + limit_shapes,
        "annotations": event_notes + limit_notes + pin_letters(pins),
    }
    spread = band_curves(bands, run) + fan_curves(ensemble, run)
    data = spread + pin_curves(pins) + _live_curves(run) + _event_points(run)
    alt = _alt(run, verdict or judge(run), pins, bands)
    return figure(data, layout, height=340 if run.goes_back else 400, alt=alt, stays=space)
