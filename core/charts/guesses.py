"""What a class guessed, with what was measured and what was predicted over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..reading.guesses import Guesses, in_class
from ..simulation.propagate import Run
from ..theory.finite_width import Prediction
from .figure import BLUE, GOLD, GREEN, VERMILION, Figure, Parts, figure, listed

_MOST_BARS = 100
_WIDTHS = (1, 2, 5, 10, 20, 50)  # iterations per bar
_RARE = 5e-4
_NEVER = "never"
_LARGE = {"font": {"size": 17}, "margin": {"l": 76, "r": 16, "t": 40, "b": 68}}
_NUMBERS, _ASIDE = [0.0, 0.87], [0.91, 1.0]  # the axis of the iterations, and of "never"


def _binned(values: Mapping[int, float], width: int) -> dict[int, float]:
    """First iteration of a bar -> the sum of its values."""
    bars: dict[int, float] = {}
    for index, value in sorted(values.items()):
        start = index - index % width
        bars[start] = bars.get(start, 0) + value
    return bars


def _bars(starts: Iterable[int], width: int, height: list[float], **more: Any) -> dict[str, Any]:
    names = [f"i = {i}" if width == 1 else f"i = {i} … {i + width - 1}" for i in starts]
    bar = {"type": "bar", "x": [i + (width - 1) / 2 for i in starts], "y": listed(height)}
    return bar | {"width": 0.9 * width, "customdata": names} | more


def _guessed(guesses: Guesses, width: int) -> Parts:
    color = {"marker": {"color": BLUE}, "name": "guesses"}
    bars = _binned(guesses.counts, width)
    told = "%{y} × %{customdata}<extra></extra>"
    counted = _bars(bars, width, [*bars.values()], uid="guesses", hovertemplate=told, **color)
    never = {"type": "bar", "x": [_NEVER], "y": [guesses.never], "width": 0.5, "xaxis": "x2"}
    never |= {"uid": "never", "showlegend": False, "hovertemplate": "%{y} × never<extra></extra>"}
    return [counted, never | color]


def _predicted(prediction: Prediction, width: int) -> Parts:
    """The law, hollow and over the guesses, on a scale of its own: the whole height is all."""
    if not prediction.known:
        return []
    likely = {index: share for index, share in prediction.overflow_pmf.items() if share > _RARE}
    missing = 1 - sum(prediction.overflow_pmf.values())
    bars = _binned(likely, width)
    shared: dict[str, Any] = {
        "marker": {"color": "rgba(0, 0, 0, 0)", "line": {"color": GREEN, "width": 3}},
        "name": "predicted share of networks",
        "yaxis": "y2",
    }
    parts = []
    if bars:
        told = "predicted for %{y:.1%} of networks: %{customdata}<extra></extra>"
        more = {"uid": "predicted", "hovertemplate": told}
        parts.append(_bars(bars, width, [*bars.values()], **more, **shared))
    if missing >= _RARE:
        never = {"type": "bar", "x": [_NEVER], "y": listed([missing]), "width": 0.5, "xaxis": "x2"}
        never |= {"uid": "predictednever", "showlegend": not bars}
        never["hovertemplate"] = "predicted for %{y:.1%} of networks: never<extra></extra>"
        parts.append(never | shared)
    return parts


def _own(guess: int | None, guesses: Guesses, width: int) -> dict[str, Any]:
    """A mark on the bar that one's own guess is part of."""
    if guess is None:
        place: dict[str, Any] = {"x": [_NEVER], "y": [guesses.never], "xaxis": "x2"}
    else:
        start = guess - guess % width
        place = {"x": [start + (width - 1) / 2], "y": [_binned(guesses.counts, width).get(start)]}
    marker = {"color": GOLD, "size": 14, "symbol": "diamond", "line": {"width": 1, "color": "#fff"}}
    shown = {"type": "scatter", "mode": "markers", "name": "your guess", "uid": "own"}
    told = f"your guess: {_NEVER if guess is None else guess}<extra></extra>"
    return shown | {"marker": marker, "hovertemplate": told} | place


def _answer(measured: int | None, width: int, depth: int) -> tuple[Parts, Parts]:
    """A line at the measured iteration, and its words."""
    never = measured is None
    x = _NEVER if measured is None else measured - measured % width + (width - 1) / 2
    axis = "x2" if never else "x"
    line = {"type": "line", "xref": axis, "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1}
    late = never or (measured or 0) > 0.6 * depth
    note = {
        "xref": axis,
        "x": x,
        "xanchor": "right" if late else "left",
        "xshift": -8 if late else 8,
        "yref": "paper",
        "y": 1.0,
        "yanchor": "top",
        "text": "<b>measured: never</b>" if never else f"<b>measured: i = {measured}</b>",
        "showarrow": False,
    }
    return [line | {"line": {"color": VERMILION, "width": 3}, "layer": "below"}], [note]


def guessed_iterations(
    guesses: Guesses,
    depth: int,
    *,
    run: Run | None = None,
    prediction: Prediction | None = None,
    own: tuple[int | None] | None = None,
    large: bool = False,
) -> Figure:
    """The histogram of a class's guesses, "never" apart; with a run also the answer.

    Args:
        guesses: how often each iteration was guessed.
        depth: of the experiment; a guess is at most depth − 1.
        run: what was measured, once it is to be shown.
        prediction: what theory says, once it is to be shown.
        own: the viewer's own guess, if there is one.
        large: for a projector.
    """
    measured = run.events.first_nonfinite if run else None
    width = next((w for w in _WIDTHS if depth / w <= _MOST_BARS), _WIDTHS[-1])
    shapes, notes = _answer(measured, width, depth) if run else ([], [])
    most = max([*_binned(guesses.counts, width).values(), guesses.never, 1])
    per_bar = "" if width == 1 else f", {width} to a bar"
    layout = {
        "xaxis": {
            "title": {"text": f"iteration i{per_bar}"},
            "range": [-0.6, depth - 0.4],
            "domain": _NUMBERS,
            "tickformat": "d",
            "dtick": 1 if depth <= 15 else None,
            "zeroline": False,
        },
        "xaxis2": {"domain": _ASIDE, "anchor": "y", "range": [-0.5, 0.5], "type": "category"},
        "yaxis": {
            "title": {"text": "guesses"},
            "range": [0, 1.25 * most],
            "tickformat": "d",
            "dtick": 1 if most <= 6 else None,
        },
        "yaxis2": {"overlaying": "y", "visible": False, "range": [0, 1.25], "fixedrange": True},
        "shapes": shapes,
        "annotations": notes,
        "barmode": "overlay",
        "hovermode": "closest",
    }
    data = _guessed(guesses, width) + (_predicted(prediction, width) if prediction else [])
    data += [_own(own[0], guesses, width)] if own else []
    words = in_class(guesses, measured, is_shown=run is not None)
    told = f" Measured: {_NEVER if measured is None else f'i = {measured}'}." if run else ""
    alt = f"Histogram of the guessed iterations. {words}{told}"
    if large:
        layout |= _LARGE
    height = (430 if run else 520) if large else 400
    return figure(data, layout, height=height, alt=alt)
