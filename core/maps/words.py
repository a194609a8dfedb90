"""A map in words: what was found, in one sentence, and what computed the numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..sweep.axes import Axis, Value
from ..sweep.groups import ENGINES
from ..sweep.result import SweepResult
from ..text import significant

_WORDS = {str(name): words for name, words in ENGINES.items()}

_ENDS = {
    "first_nonfinite": ("stays finite", "becomes Inf or NaN"),
    "all_zero": ("does not vanish", "is all zero in the end"),
    "sizes": ("survives", "explodes or vanishes"),
    "gradient_ratio": ("brings its gradient back", "loses its gradient on the way"),
    "gradient_break": ("brings its gradient back", "loses its gradient on the way"),
}
"""Event -> the fate of a signal without it, and with it."""
_ENDS_OR_STUCK = {
    "first_nonfinite": ("stays in range", "becomes Inf, NaN or stuck at the largest value"),
    "sizes": ("survives", "explodes, vanishes or sticks at the largest value"),
}
"""The same on a map with cells that are stuck at the largest value of a format."""


def engine_words(name: str) -> str:
    """An engine's name in words."""
    return _WORDS[name]


def engines(result: SweepResult) -> str:
    """Where the numbers come from, in a sentence; empty before there are any."""
    names = [engine_words(name) for name in result.engine_names]
    if not names:
        return ""
    words = f"The numbers come from {'; and from '.join(names)}."
    if result.question.measure == "all_zero" and {"sampler", "matrices"} & {*result.engine_names}:
        words += " Rounding among the subnormal numbers is left out: a real run vanishes a little "
        words += "earlier or later. Measure it for real to see when."
    return words


def quantity(result: SweepResult) -> str:
    """The name of the measure, with its layer if it has one."""
    measure, layer = result.measure, result.question.layer
    if not measure.at_a_layer:
        return measure.label
    return f"{measure.label} at {'the last layer' if layer is None else f'layer {layer}'}"


def valued(axis: Axis, value: Value) -> str:
    """An axis at a value: "s = 0.044", "tanh"."""
    return str(value) if axis.is_choice else f"{axis.parameter.symbol} = {_number(value)}"


def grid(x: Axis, y: Axis, units: tuple[str, str] | None = None) -> str:
    """The size of a grid: "48 × 43 cells", or with the units of its sides "8 widths × 4 layers"."""
    columns, rows = len(x.values), len(y.values)
    if units is None:
        return f"{columns} × {rows} cells"
    sides = zip((columns, rows), units, strict=True)
    return " × ".join(f"{count} {unit}{'s' * (count != 1)}" for count, unit in sides)


def summary(result: SweepResult) -> str:
    """One sentence: where the signal gets through, or between which values the measure lies."""
    if not result.done.any():
        refused = result.fraction_done == 1
        return "No cell has a number." if refused else "Nothing is measured yet."
    measure, median, asked = result.measure, result.median, result.question.measure
    x, y = result.axes
    free = ~result.stuck_cells
    told = free if x.is_choice else free[:, _own_row(result, y)]
    ends = _ENDS if told.all() else _ENDS | _ENDS_OR_STUCK
    if measure.is_event:
        name = f"“{measure.label}”"
        never = np.isnan(median) & (free | (asked != "first_nonfinite"))
        fates = ends.get(asked, (f"stays without {name}", f"reaches {name}"))
        return _survival(result, never, *fates)
    if (measure.at_a_layer and measure.kind in ("log2", "positive")) or measure.kind == "log10":
        sound = np.isfinite(median) & ((median > 0) | (measure.kind != "positive")) & free
        if not sound[result.done].all():
            return _survival(result, sound, *ends.get(asked, ends["sizes"]))
    return _range(result)


def _survival(result: SweepResult, sound: NDArray[np.bool_], holds: str, fails: str) -> str:
    """The values of x for which the signal survives, in the row nearest to the base.

    If x is a choice: the share of cells in which it survives.
    """
    x, y = result.axes
    if "depth" not in (x.name, y.name):
        layer = result.question.layer
        holds += f" through {result.base.depth if layer is None else layer} layers"
    if x.is_choice:
        share = f"{sound[result.done].mean():.0%} of the cells"
        return f"In {share}{_so_far(result)} the typical network {holds}."
    row = _own_row(result, y)
    places = sorted(np.flatnonzero(result.done[:, row]), key=lambda place: x.values[place])
    values = [x.values[place] for place in places]
    spans = _spans(sound[places, row])
    where = f"With {y.values[row]}" if y.is_choice else f"At {valued(y, y.values[row])}"
    where += _so_far(result)
    name = x.parameter.symbol or x.parameter.label.lower()
    everywhere = f"for every {name} on the map"
    if not spans:
        return f"{where} the typical network {fails} {everywhere}."
    if spans == [(0, len(values) - 1)]:
        return f"{where} the typical network {holds} {everywhere}."
    parts = [_between(x, values, first, last) for first, last in spans]
    others = f"for every other {name} on the map it {fails}"
    return f"{where} the typical network {holds} {' and '.join(parts)}; {others}."


def _so_far(result: SweepResult) -> str:
    return "" if result.fraction_done == 1 else " so far"


def _between(x: Axis, values: list[Value], first: int, last: int) -> str:
    """The values from one place to another, open at an end of the axis."""
    symbol = x.parameter.symbol
    low, high = (_number(values[place]) for place in (first, last))
    if first == 0:
        return f"up to {symbol} = {high}"
    if last == len(values) - 1:
        return f"from {symbol} = {low} on"
    return f"between {symbol} = {low} and {high}"


def _number(value: Value) -> str:
    return significant(value) if isinstance(value, float) else str(value)


def _spans(holds: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last place of each stretch that holds."""
    padded = np.concatenate([[False], holds, [False]]).astype(int)
    changes = np.flatnonzero(np.diff(padded))
    return [(int(a), int(b) - 1) for a, b in zip(changes[::2], changes[1::2], strict=True)]


def _own_row(result: SweepResult, y: Axis) -> int:
    """The row nearest to the base's own value, among those with most cells done."""
    count = result.done.sum(axis=0)
    rows = np.flatnonzero(count == count.max())
    wanted = getattr(result.base, y.name, None)
    if y.is_choice or wanted is None:
        same = [row for row in rows if y.values[row] == wanted]
        return int(same[0] if same else rows[len(rows) // 2])
    numbers = np.array([float(y.values[row]) for row in rows])
    return int(rows[np.argmin(np.abs(numbers - float(wanted)))])


def _range(result: SweepResult) -> str:
    """The smallest and the largest value, and where each is."""
    median = np.where(result.done & np.isfinite(result.median), result.median, np.nan)
    if np.isnan(median).all():
        return f"No cell has a number for {quantity(result)}."
    name = _capital(quantity(result)) + _so_far(result)
    places = [np.unravel_index(find(median), median.shape) for find in (np.nanargmin, np.nanargmax)]
    low, high = (
        f"{_written(result, median[place])} at {_placed(result, place)}" for place in places
    )
    if median[places[0]] == median[places[1]]:
        return f"{name} is {_written(result, median[places[0]])} everywhere."
    return f"{name} goes from {low} to {high}."


def _written(result: SweepResult, value: float) -> str:
    """A value of the measure as text."""
    if result.measure.kind == "fraction":
        return f"{value:.0%}"
    if result.measure.kind == "log10":
        return f"{value:+z.2f}".replace("-", "−")
    if result.measure.kind == "layers":
        return f"{value:,.0f} layers" if value >= 100 else f"{significant(value)} layers"
    return significant(float(value))


def _placed(result: SweepResult, place: tuple[np.intp, ...]) -> str:
    return ", ".join(
        valued(axis, axis.values[at]) for axis, at in zip(result.axes, place, strict=True)
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:] if text[0].isascii() else text  # χ stays small


def cell(result: SweepResult, place: tuple[int, int]) -> str:
    """A cell in words: where it is, and its value."""
    where = _placed(result, place)  # type: ignore[arg-type]
    if place in result.errors:
        return f"{where}: no number; {result.errors[place]}."
    if not result.done[place]:
        return f"{where}: not computed yet."
    networks = result.question.networks
    value = float(result.median[place])
    many = f"in the typical one of {networks} networks" if networks > 1 else "in the one network"
    if result.measure.of_theory is not None:
        many = "at infinite width"
    if result.stuck_cells[place]:
        many += ", stuck at the largest value of its format"
    if result.measure.is_event:
        came = round(result.share(place) * networks)
        letter = "k" if result.measure.kind == "layer" else "i"
        first = "never" if np.isnan(value) else f"{letter} = {value:.0f}"
        detail = f"; it happens in {came} of {networks}" if 0 < came < networks else ""
        return f"{where}: {result.measure.label} {first} {many}{detail}."
    return f"{where}: {quantity(result)} {_written(result, value)} {many}."
