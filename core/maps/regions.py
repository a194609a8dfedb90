"""Regions of a map: where signals explode, hold and vanish, and where on the map to say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array
from ..sweep.axes import Axis
from ..sweep.result import SweepResult
from .borders import Border
from .map import ALL_ZERO, NEVER, NOT_FINITE, STUCK, Map, Mask

_LEAST = 0.18, 0.1  # of the columns and of the rows that a region has around its name

_DECADE = 1.0  # by which a gradient that holds may grow or shrink

EXPLODES, HOLDS, VANISHES, STICKS = "explodes", "holds", "vanishes", "sticks"
_FINITE, _NOT_ZERO = "stays finite", "does not vanish"


@dataclass(frozen=True)
class Region:
    """The name of a region of a map, and the cell that it is written on.

    Attributes:
        name: the fate of the signals there.
        column, row: the cell farthest from other regions.
    """

    name: str
    column: int
    row: int


def regions(result: SweepResult, seen: Map, borders: Sequence[Border]) -> list[Region]:
    """The regions of a finished map that are large enough for a name.

    Where the measure does not tell what else becomes of a signal, theory's lines do.

    Args:
        result: the sweep.
        seen: what there is to see of it.
        borders: theory's lines on the map.
    """
    if result.fraction_done < 1:
        return []
    found = []
    for name, mask in _fates(result, seen, borders).items():
        place = _middle(mask)
        if place is not None:
            found.append(Region(name, *place))
    return found


def _fates(result: SweepResult, seen: Map, borders: Sequence[Border]) -> dict[str, Mask]:
    """The fate of signals -> its cells; empty for a measure that tells no fate."""
    nothing = np.zeros(seen.values.shape, dtype=bool)
    number, measure = ~np.isnan(seen.values), result.measure
    stuck, never = (seen.kinds.get(kind, nothing) for kind in (STUCK, NEVER))
    if result.question.measure == "first_nonfinite":
        zero = _beyond(result, borders, "underflow")
        if zero is None:
            return {EXPLODES: number, _FINITE: never, STICKS: stuck}
        return {EXPLODES: number, HOLDS: never & ~zero, VANISHES: never & zero, STICKS: stuck}
    if result.question.measure == "all_zero":
        large = _beyond(result, borders, "overflow")
        if large is None:
            return {VANISHES: number, _NOT_ZERO: never, STICKS: stuck}
        return {VANISHES: number, HOLDS: never & ~large, EXPLODES: never & large, STICKS: stuck}
    if measure.at_a_layer and measure.kind in ("log2", "positive"):
        gone, broken = (seen.kinds.get(kind, nothing) for kind in (ALL_ZERO, NOT_FINITE))
        return {EXPLODES: broken, HOLDS: number, VANISHES: gone, STICKS: stuck}
    if measure.kind == "log10":
        gone, broken = (seen.kinds.get(kind, nothing) for kind in (ALL_ZERO, NOT_FINITE))
        far = np.nan_to_num(seen.values)
        grows, shrinks = far > _DECADE, far < -_DECADE
        return {
            EXPLODES: broken | (number & grows),
            HOLDS: number & ~grows & ~shrinks,
            VANISHES: gone | (number & shrinks),
            STICKS: stuck,
        }
    return {}


def _beyond(result: SweepResult, borders: Sequence[Border], kind: str) -> Mask | None:
    """The cells beyond theory's line, (rows, columns); None if the map has no such line."""
    for border in borders:
        if border.kind == kind:
            break
    else:
        return None
    x, y = (_coordinates(axis) for axis in result.axes)
    if result.axes[0].name in ("scale", "sigma_w"):
        ends = _traced(border.y, border.x, y)[:, None]
        own = x[None, :]
    else:
        ends = _traced(border.x, border.y, x)[None, :]
        own = y[:, None]
    return own < ends if kind == "underflow" else own > ends


def _coordinates(axis: Axis) -> Array:
    """The places of an axis's values in the units of a border."""
    return np.array(range(len(axis.values)) if axis.is_choice else axis.values, dtype=np.float64)


def _traced(places: Array, line: Array, at: Array) -> Array:
    """A line at other places along its axis; NaN where it has no points."""
    known = np.isfinite(places) & np.isfinite(line)
    if not known.any():
        return np.full(len(at), np.nan)
    return np.interp(at, places[known], line[known])


def _middle(mask: Mask) -> tuple[int, int] | None:
    """Column and row of the cell farthest from the end of a region; None if it is too small."""
    rows, columns = mask.shape
    across, up = (
        max(1, round(part * size)) for part, size in zip(_LEAST, (columns, rows), strict=True)
    )
    inner = _eroded(_eroded(mask, across // 2, 1), up // 2, 0)
    if not inner.any():
        return None
    while True:
        smaller = _eroded(_eroded(inner, 1, 1), 1, 0)
        if not smaller.any():
            break
        inner = smaller
    places = np.argwhere(inner)
    row, column = places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]
    return int(column), int(row)


def _eroded(mask: Mask, by: int, axis: int) -> Mask:
    """The cells whose neighbours along an axis, up to so many places away, are in the mask too."""
    kept = mask
    for shift in range(1, by + 1):
        for way in (shift, -shift):
            moved = np.roll(mask, way, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = slice(0, shift) if way > 0 else slice(-shift, None)
            moved[tuple(edge)] = False
            kept = kept & moved
    return kept
