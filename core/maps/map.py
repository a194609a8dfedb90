"""Map: what there is to see of a sweep over two fields: numbers, and cells that have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array
from ..sweep.chunks import COARSEST
from ..sweep.result import NAMES, SweepResult
from .words import engine_words

Mask = NDArray[np.bool_]

NEVER = "never"
NOT_FINITE = "not finite any more"
ALL_ZERO = "all zero"
STUCK = "stuck at the largest value"
UNBOUNDED = "grows without bound"
DIES_OUT = "dies out"
AT_THE_EDGE = "infinite: at the edge of chaos"
NO_NUMBER = "no number"


@dataclass(frozen=True)
class Map:
    """The cells of a sweep; every array has the shape (rows, columns): second axis, first axis.

    Attributes:
        values: the median over networks; NaN in a cell without a number.
        kinds: why a cell has no number, in words -> the cells where that is so.
        notes: a second line of a cell's hover; empty where there is nothing to add.
        known: the cells that have an answer, their own or that of a coarser neighbour.
    """

    values: Array
    kinds: dict[str, Mask]
    notes: list[list[str]]
    known: Mask


def map_of(result: SweepResult) -> Map:
    """The map of a sweep, in which a cell that is not done yet looks like its coarser neighbour."""
    source, known = _sources(result)
    median = result.median.ravel()[source].T
    failed = _failed(result).ravel()[source].T & known.T
    stuck = _stuck(result).ravel()[source].T & known.T & ~failed
    if result.measure.is_event:
        stuck &= np.isnan(median)
    kinds = {NO_NUMBER: failed, STUCK: stuck}
    sound = known.T & ~failed & ~stuck
    for name, mask in _kinds(result, median).items():
        kinds[name] = mask & sound
    none = np.any(list(kinds.values()), axis=0) | ~sound
    return Map(
        np.where(none, np.nan, median),
        {name: mask for name, mask in kinds.items() if mask.any()},
        _notes(result, source.T),
        known.T,
    )


def _sources(result: SweepResult) -> tuple[NDArray[np.intp], Mask]:
    """For each cell the flat place of the answer that it shows, and whether there is one.

    A cell without an answer shows its coarser neighbour's, but never that of another choice.
    """
    known = result.done | _failed(result)
    source = np.arange(known.size).reshape(known.shape)
    step = 1
    while step < COARSEST and not known.all():
        step *= 2
        strides = [1 if axis.is_choice else step for axis in result.axes]
        coarse = (
            np.arange(size) // stride * stride
            for stride, size in zip(strides, known.shape, strict=True)
        )
        at = np.ix_(*coarse)
        use = ~known & known[at]
        source, known = np.where(use, source[at], source), known | use
    return source, known


def _failed(result: SweepResult) -> Mask:
    """Which cells have an error in place of a number."""
    failed = np.zeros(result.shape, dtype=bool)
    for place in result.errors:
        failed[place] = True
    return failed


def _stuck(result: SweepResult) -> Mask:
    """Which cells are stuck at the largest value; a fraction says enough of that by itself."""
    return result.stuck_cells & (result.measure.kind != "fraction")


def _kinds(result: SweepResult, median: Array) -> dict[str, Mask]:
    """Why a value cannot be drawn as a number -> the cells where that is so, by kind of measure."""
    measure = result.measure
    if measure.is_event:
        return {NEVER: np.isnan(median)}
    if measure.of_theory is not None:
        grows = np.isnan(median) | (np.isposinf(median) & (measure.kind != "layers"))
        return {UNBOUNDED: grows, DIES_OUT: median == 0, AT_THE_EDGE: np.isposinf(median) & ~grows}
    gone = np.isneginf(median) | ((median == 0) & (measure.kind == "positive"))
    return {NOT_FINITE: np.isnan(median) | np.isposinf(median), ALL_ZERO: gone}


def _notes(result: SweepResult, source: NDArray[np.intp]) -> list[list[str]]:
    """The error of a cell; else the share of networks if they differ, the engine if several."""
    engines = result.engines.ravel()
    several = len(result.engine_names) > 1
    networks = result.question.networks
    came = (~np.isnan(result.values)).sum(axis=0).ravel()
    counted = result.measure.is_event
    errors = {
        int(np.ravel_multi_index(place, result.shape)): reason
        for place, reason in result.errors.items()
    }

    def note(place: int) -> str:
        if place in errors:
            return errors[place]
        if not engines[place]:
            return ""
        parts = []
        if counted and 0 < came[place] < networks:
            parts.append(f"in {came[place]} of {networks} networks")
        if several:
            parts.append(engine_words(NAMES[engines[place]]))
        return "; ".join(parts)

    return [[note(int(place)) for place in row] for row in source]
