"""The guesses of a class as a histogram, under the predicted and the measured iteration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..reading.guesses import Guesses, in_class
from ..simulation.propagate import Run
from ..theory.finite_width import Prediction
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    VERMILION,
    Figure,
    Parts,
    bar,
    beside,
    figure,
    note,
    upright,
)

_MOST_BARS = 100
_WIDTHS = (1, 2, 5, 10, 20, 50)  # iterations per bar
_RARE = 5e-4  # a smaller predicted share is not drawn
_NEVER = "never"
_LARGE = {"font": {"size": 17}, "margin": {"l": 76, "r": 16, "t": 40, "b": 68}}
_NUMBERS, _ASIDE = [0.0, 0.87], [0.91, 1.0]  # parts of the width: the iterations, and "never"


def _binned(values: Mapping[int, float], width: int) -> dict[int, float]:
    """First iteration of a bar -> the sum of its values."""
    bars: dict[int, float] = {}
    for index, value in sorted(values.items()):
        start = index - index % width
        bars[start] = bars.get(start, 0) + value
    return bars


def _middle(iteration: int, width: int) -> float:
    """The middle of the bar that counts an iteration."""
    return iteration - iteration % width + (width - 1) / 2


def _bars(values: Mapping[int, float], width: int, **more: Any) -> dict[str, Any]:
    """Bars of ``width`` iterations each, which are named in the hover."""
    binned = _binned(values, width)
    names = [f"i = {i}" if width == 1 else f"i = {i} … {i + width - 1}" for i in binned]
    places = [_middle(start, width) for start in binned]
    return bar(places, [*binned.values()], width=0.9 * width, customdata=names, **more)


def _never_bar(value: float, **more: Any) -> dict[str, Any]:
    """The bar of "never", on its own axis."""
    return bar([_NEVER], [value], width=0.5, xaxis="x2", **more)


def _guessed(guesses: Guesses, width: int) -> Parts:
    """Two traces: guesses of an iteration, and of never."""
    shared = {"marker": {"color": BLUE}, "name": "guesses"}
    hover = "%{y} × %{customdata}<extra></extra>"
    counted = _bars(guesses.counts, width, uid="guesses", hovertemplate=hover, **shared)
    hover = "%{y} × never<extra></extra>"
    never = _never_bar(guesses.never, uid="never", hovertemplate=hover, showlegend=False, **shared)
    return [counted, never]


def _predicted(prediction: Prediction, width: int) -> Parts:
    """The law as hollow bars over the guesses; all networks are as high as the highest guess."""
    if not prediction.known or not prediction.ends_known:
        return []
    likely = {index: share for index, share in prediction.overflow_pmf.items() if share > _RARE}
    missing = 1 - sum(prediction.overflow_pmf.values())
    shared: dict[str, Any] = {
        "marker": {"color": "rgba(0, 0, 0, 0)", "line": {"color": GREEN, "width": 3}},
        "name": "predicted share of networks",
        "yaxis": "y2",
    }
    hover = "predicted for %{{y:.1%}} of networks: {}<extra></extra>"
    parts = []
    if likely:
        more = shared | {"uid": "predicted", "hovertemplate": hover.format("%{customdata}")}
        parts.append(_bars(likely, width, **more))
    if missing >= _RARE:
        more = shared | {"uid": "predictednever", "hovertemplate": hover.format(_NEVER)}
        parts.append(_never_bar(missing, showlegend=not likely, **more))
    return parts


def _own(guess: int | None, guesses: Guesses, width: int) -> dict[str, Any]:
    """A mark on the bar that counts the viewer's own guess."""
    if guess is None:
        place: dict[str, Any] = {"x": [_NEVER], "y": [guesses.never], "xaxis": "x2"}
    else:
        height = _binned(guesses.counts, width).get(guess - guess % width)
        place = {"x": [_middle(guess, width)], "y": [height]}
    return place | {
        "type": "scatter",
        "mode": "markers",
        "name": "your guess",
        "uid": "own",
        "marker": {
            "color": GOLD,
            "size": 14,
            "symbol": "diamond",
            "line": {"width": 1, "color": "#fff"},
        },
        "hovertemplate": f"your guess: {_NEVER if guess is None else guess}<extra></extra>",
    }


def _answer(measured: int | None, width: int, depth: int) -> tuple[Parts, Parts]:
    """A line at the measured iteration, and its words."""
    is_late = measured is None or measured > 0.6 * depth
    x = _NEVER if measured is None else _middle(measured, width)
    axis = "x2" if measured is None else "x"
    mark = upright(x, {"color": VERMILION, "width": 3}, xref=axis, layer="below")
    text = f"<b>measured: {_NEVER if measured is None else f'i = {measured}'}</b>"
    place = {"xref": axis, "yref": "paper", "yanchor": "top"}
    return [mark], [note(text, x, 1.0, **place | beside("left" if is_late else "right", 8))]


def _axes(guesses: Guesses, depth: int, width: int) -> dict[str, Any]:
    """Iterations and "never" across; guesses and, hidden, predicted shares upwards."""
    most = max([*_binned(guesses.counts, width).values(), guesses.never, 1])
    per_bar = "" if width == 1 else f", {width} to a bar"
    return {
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
    }


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
        run: the measured run, once it is to be shown.
        prediction: theory's, once it is to be shown.
        own: the viewer's own guess, if there is one.
        large: for a projector.
    """
    measured = run.events.first_nonfinite if run else None
    width = next((w for w in _WIDTHS if depth / w <= _MOST_BARS), _WIDTHS[-1])
    shapes, notes = _answer(measured, width, depth) if run else ([], [])
    layout = _axes(guesses, depth, width) | {
        "shapes": shapes,
        "annotations": notes,
        "barmode": "overlay",
        "hovermode": "closest",
    }
    data = _guessed(guesses, width) + (_predicted(prediction, width) if prediction else [])
    data += [_own(own[0], guesses, width)] if own else []
    words = in_class(guesses, measured, is_shown=run is not None)
    answer = f" Measured: {_NEVER if measured is None else f'i = {measured}'}." if run else ""
    alt = f"Histogram of the guessed iterations. {words}{answer}"
    if large:
        layout |= _LARGE
    return figure(data, layout, height=440 if large else 400, alt=alt)
