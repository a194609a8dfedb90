"""Theory's borders on a map: the edge of chaos, and the ends of a number format's range.

They are of infinite-width theory: `edge` and `windows` compute them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import PARAMETERS, Experiment
from ..sweep.axes import Value
from ..theory import additions, edge, windows
from ..theory.correlations import chi_1
from ..theory.edge import edge_curve, edge_of_chaos, edge_points
from ..theory.windows import has_window, scale_windows

Kind = Literal["chaos", "overflow", "underflow", "doubles"]
Side: TypeAlias = tuple[str, Sequence[Value]]
OnProgress: TypeAlias = Callable[[float], object]

_NAMES: dict[Kind, str] = {
    "chaos": "χ₁ = 1: edge of chaos",
    "overflow": "overflow, by theory",
    "underflow": "all zero, by theory",
    "doubles": "branches add as much as the input, by theory",
}
_STUCK = "stuck at the largest value, by theory"
_STRENGTHS = ("scale", "sigma_w")
_BRANCH = "branch_scale"
_OF_LAYERS = ("branch", "expansion", "skip", "norm", "norm_place", "input", "input_scale")
_WINDOWED = ("width", "depth", "activation", "init", "number_format")
_MOST = 24  # places along the other axis at which a border is computed
_SEEN = 4e5  # multiply-adds of looking at the axes
_LENGTHS = np.append(0.0, 10.0 ** np.arange(-8.0, 8.0 + 1 / 64, 1 / 32))  # q along the edge
_CLOSE = 1e-3  # |χ₁ − 1| at the fixed point that signals reach, on a point of the edge


@dataclass(frozen=True)
class Border:
    """A line on a map.

    Attributes:
        kind: the change across the line.
        x, y: its points, in the axes' own units. On the axis of a choice, half a place to either
            side of the value's place. NaN where the line is interrupted.
        saturates: whether the number format saturates, so that nothing overflows.
    """

    kind: Kind
    x: Array
    y: Array
    saturates: bool = False

    @property
    def name(self) -> str:
        """The change across the line, in words."""
        return _STUCK if self.kind == "overflow" and self.saturates else _NAMES[self.kind]


def borders(
    base: Experiment, x: Side, y: Side, on_progress: OnProgress = lambda done: None
) -> list[Border]:
    """The borders that theory knows on a map.

    A map of the scale factor, or σ_w, over any other field has the edge of chaos; over width,
    depth, activation, initialiser or number format also the ends of the format's scale window. That
    is so of layers φ(a @ x + b). A map of the factor of branches beside a skip has the line where
    they add as much to E x² as the input has, for fresh weights. On other maps tied weights are
    taken as fresh ones.

    Args:
        base: the Experiment; the axes take the place of two of its fields.
        x: a field, or ``sigma_w``, and its values: the columns.
        y: the same of the rows.
        on_progress: called with the fraction that is done, after every place on the map.

    Returns:
        The borders that cross the map; none on a map whose numbers do not ascend.
    """
    if _adds(base, x, y):
        return _of_branches(base, x, y, on_progress)
    if not _has_borders(base, x, y):
        return []
    flipped = x[0] not in _STRENGTHS
    strength, other = (y, x) if flipped else (x, y)
    lines: dict[Kind, tuple[Array, Array]] = {"chaos": _chaos(base, strength[0], other)}
    if other[0] in _WINDOWED:
        ends, across = _traced(base, other, lambda e: _window(e, strength[0]), on_progress)
        lines |= {"overflow": (ends[1], across), "underflow": (ends[0], across)}
    low, high = (float(strength[1][place]) for place in (0, -1))
    saturates = base.format.saturates and other[0] != "number_format"
    return [
        Border(kind, *((across, along) if flipped else (along, across)), saturates)
        for kind, (along, across) in lines.items()
        if ((along >= low) & (along <= high)).any()
    ]


def work(base: Experiment, x: Side, y: Side) -> float:
    """The multiply-adds of ``borders``."""
    if _adds(base, x, y):
        other = y if x[0] == _BRANCH else x
        return _SEEN + sum(additions.work(_at(base, other, place)) for place in _chosen(other))
    if not _has_borders(base, x, y):
        return _SEEN
    name, values = other = y if x[0] in _STRENGTHS else x
    along = [base.replace(**{name: values[place]}) for place in _chosen(other)]
    chaos = {(e.activation, e.bias_std): edge.work_of_points(e.phi, e.bias_std) for e in along}
    if name == "bias_std":
        chaos = {(base.activation, 0.0): edge.work_of_curve(base.phi)}
    # One window serves every number format.
    ends = {e.replace(number_format="float32"): windows.work(e) for e in along}
    return _SEEN + sum(chaos.values()) + (sum(ends.values()) if name in _WINDOWED else 0.0)


def _has_borders(base: Experiment, x: Side, y: Side) -> bool:
    if not base.layer.is_plain or not {x[0], y[0]}.isdisjoint(_OF_LAYERS):
        return False
    return (x[0] in _STRENGTHS) != (y[0] in _STRENGTHS) and _ascends(x) and _ascends(y)


def _adds(base: Experiment, x: Side, y: Side) -> bool:
    """Whether one axis is the factor of branches that add up."""
    if not additions.has_additions(base) or (x[0] == _BRANCH) == (y[0] == _BRANCH):
        return False
    return _ascends(x) and _ascends(y)


def _of_branches(base: Experiment, x: Side, y: Side, on_progress: OnProgress) -> list[Border]:
    """Where the branches add as much to E x² as the input has."""
    flipped = x[0] != _BRANCH
    factor, other = (y, x) if flipped else (x, y)
    ends, across = _traced(
        base, other, lambda e: (additions.doubling_branch_scale(e),), on_progress
    )
    along, low, high = ends[0], float(factor[1][0]), float(factor[1][-1])
    if not ((along >= low) & (along <= high)).any():
        return []
    return [Border("doubles", *((across, along) if flipped else (along, across)))]


def _at(base: Experiment, side: Side, place: int) -> Experiment:
    """The experiment at a place of an axis."""
    name, value = side[0], side[1][place]
    if name == "sigma_w":
        unit = base.replace(scale=1.0).sigma_w
        return base.replace(scale=float(value) / unit) if unit else base
    return base.replace(**{name: value})


def _chosen(other: Side) -> list[int]:
    """The places along the other axis at which a border is computed."""
    count = len(other[1])
    if _is_choice(other):
        return list(range(count))
    return sorted({round(place) for place in np.linspace(0, count - 1, min(_MOST, count))})


def _is_choice(side: Side) -> bool:
    return side[0] in PARAMETERS and PARAMETERS[side[0]].kind == "choice"


def _ascends(side: Side) -> bool:
    if _is_choice(side):
        return True
    return bool((np.diff([float(value) for value in side[1]]) > 0).all())


def _unit(e: Experiment, strength: str) -> float:
    """The σ_w that stands at 1 on the axis."""
    return 1.0 if strength == "sigma_w" else e.replace(scale=1.0).sigma_w or np.nan


def _chaos(base: Experiment, strength: str, other: Side) -> tuple[Array, Array]:
    """The edge of chaos: over σ_b the whole curve, else the strength at which χ₁ = 1."""
    if other[0] == "bias_std":
        return _curve(base, strength, float(other[1][0]), float(other[1][-1]))

    def critical(e: Experiment) -> tuple[float]:
        """The least σ_w on the edge that signals of this size come to; NaN if there is none."""
        return (_held(e.activation, e.bias_std) / _unit(e, strength),)

    along, across = _traced(base, other, critical)
    return along[0], across


@lru_cache(maxsize=64)
def _held(activation: str, sigma_b: float) -> float:
    """The least σ_w on the edge with a fixed point that q = 1 comes to; NaN if there is none."""
    points = edge_points(activation, sigma_b)
    return min((point.sigma_w for point in points if point.holds(1.0)), default=np.nan)


def _curve(base: Experiment, strength: str, low: float, high: float) -> tuple[Array, Array]:
    """The edge over σ_b from low to high. Where φ(s·h) = s·φ(h), χ₁ does not depend on σ_b."""
    unit = _unit(base, strength)
    if base.phi.positively_homogeneous:
        critical = float(edge_of_chaos(base.phi, 0.0))
        return np.full(2, critical / unit), np.array([low, high])
    sigma_w, sigma_b = edge_curve(base.phi, _LENGTHS)
    weight, bias = np.asarray(sigma_w), np.asarray(sigma_b)
    within = np.isfinite(weight) & (bias <= 2 * high)
    weight, bias = weight[within], bias[within]
    reached = np.abs(np.asarray(chi_1(base.phi, weight, bias)) - 1) < _CLOSE
    return np.where(reached, weight, np.nan) / unit, bias


def _window(e: Experiment, strength: str) -> tuple[float, float]:
    """The ends of the scale window; NaN where there is no end, or no window."""
    if not has_window(e):
        return np.nan, np.nan
    window = scale_windows(e, (e.number_format,))[e.number_format]
    unit = 1.0 if strength == "scale" else e.replace(scale=1.0).sigma_w
    ends = (window.low or np.nan, window.high)
    if window.is_empty:
        return np.nan, np.nan
    low, high = (end * unit if np.isfinite(end) else np.nan for end in ends)
    return low, high


def _traced(
    base: Experiment,
    other: Side,
    ends: Callable[[Experiment], tuple[float, ...]],
    on_progress: OnProgress = lambda done: None,
) -> tuple[Array, Array]:
    """The ends at places along the other axis, (lines, points), and those places, (points,)."""
    values = other[1]
    rows, chosen = [], _chosen(other)
    for place in chosen:
        rows.append(ends(_at(base, other, place)))
        on_progress(len(rows) / len(chosen))
    if not _is_choice(other):
        return np.array(rows).T, np.array([float(values[place]) for place in chosen])
    gap = np.full((1, len(rows[0])), np.nan)
    steps = [part for row in np.array(rows) for part in (row[None], row[None], gap)]
    places = [place + step for place in range(len(values)) for step in (-0.5, 0.5, 0.5)]
    return np.concatenate(steps).T, np.array(places)
