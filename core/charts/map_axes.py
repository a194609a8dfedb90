"""The axes of a map: log, linear, or values in equal cells; the places of cells, their hover."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sweep import Axis
from ..text import significant, typeset, written

_MOST_TICKS, _FEWEST_TICKS = 8, 3
_LONGEST = 16  # characters of a tick's text


def is_listed(axis: Axis) -> bool:
    """Whether the values stand in equal cells, one after the other, whatever their size."""
    if axis.is_choice:
        return True
    return bool((np.diff(np.array(axis.values, dtype=np.float64)) <= 0).any())


def names(axis: Axis) -> list[str]:
    """Its values as text, cut off where a formula is long."""
    texts = [written(each) for each in axis.values]
    return [text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…" for text in texts]


def places(axis: Axis) -> list[Any]:
    """The places of the cells: at their values, or one after the other."""
    return list(range(len(axis.values))) if is_listed(axis) else list(axis.values)


def hover(axis: Axis, letter: str) -> str:
    """A line of a cell's hover with its value on this axis; ``letter`` is x or y."""
    symbol = typeset(axis.parameter.symbol or axis.parameter.label.lower())
    number = "" if is_listed(axis) else ":d" if axis.parameter.kind == "integer" else ":.4~g"
    return f"{symbol}: %{{{letter}}}" if is_listed(axis) else f"{symbol} = %{{{letter}{number}}}"


def map_axis(axis: Axis) -> dict[str, Any]:
    """An axis of the map, half a cell wider than its values on either side."""
    parameter = axis.parameter
    known = parameter.label.split()
    name = typeset(" ".join([*known, *({parameter.symbol} - {"", *known})]))
    shared: dict[str, Any] = {"zeroline": False, "showgrid": False}
    if is_listed(axis):
        count = len(axis.values)
        return shared | {
            "title": {"text": name, "standoff": 8},
            "automargin": True,  # the title keeps clear of the names
            "tickvals": list(range(count)),
            "ticktext": names(axis),
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
    drawn = shared | {"title": {"text": f"{name} (log scale)"}, "type": "log", "range": span}
    ticks = _ticks(2 if base_2 else 10, *span)
    if len(ticks) < _FEWEST_TICKS:
        return drawn  # on so short an axis Plotly's even steps are as good
    words = [f"{tick:.0f}" if base_2 else significant(tick) for tick in ticks]
    return drawn | {"tickvals": ticks, "ticktext": words}


def _ticks(base: int, low: float, high: float) -> list[float]:
    """Powers of the base on a log axis from 10**low to 10**high.

    Where there are too few of them, 1, 2 and 5 of every decade, or all its digits.
    """
    bits = np.log2(base) / np.log2(10)
    first, last = int(np.ceil(low / bits - 1e-9)), int(np.floor(high / bits + 1e-9))
    step = max(1, -(-(last - first) // _MOST_TICKS))
    ticks = [float(base) ** power for power in range(first, last + 1, step)]
    if len(ticks) >= _FEWEST_TICKS:
        return ticks
    for digits in ((1, 2, 5), range(1, 10)):
        finer = [digit * 10.0**k for k in range(-12, 7) for digit in digits]
        ticks = [tick for tick in finer if low <= np.log10(tick) <= high]
        if len(ticks) >= _FEWEST_TICKS:
            break
    return ticks
