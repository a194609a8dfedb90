"""MEASURES: the numbers that a sweep can compute, one per network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..layer.activations import Activation
from ..maths.arrays import Array
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..statistics.layer_stats import EVENTS, STATISTICS, STUCK, LayerStats
from ..text import shown
from ..theory.correlations import TRAINABLE, chi_1, depth_scales
from ..theory.correlations import work as work_of_scales
from ..theory.fixed_points import fixed_point
from ..theory.fixed_points import work as work_of_lengths
from .gradients import GRADIENTS
from .measure import Kind, Measure, OfTheory, TheoryWork


def _event(name: str) -> Measure:
    event = EVENTS[name]

    def of_run(run: Run, layer: int) -> float:
        index = getattr(run.events, name)
        return np.nan if index is None or index >= layer else float(index)

    def of_ensemble(ensemble: Ensemble, layer: int) -> Array:
        ended = _ends(ensemble)[name]
        return np.where(ended < layer, ended, np.nan)

    known = name in ("first_nonfinite", "all_zero")
    return Measure(
        label=event.label,
        help=f"The first loop index i after whose product {event.when}; none if it never happens.",
        kind="iteration",
        of_run=of_run,
        of_ensemble=of_ensemble if known else None,
    )


def _ends(ensemble: Ensemble) -> dict[str, Array]:
    """The events that an ensemble can tell -> their loop index in each network."""
    return {"first_nonfinite": ensemble.first_overflow, "all_zero": ensemble.first_all_zero}


_OF_ENSEMBLE: dict[str, Callable[[Ensemble, int], Array]] = {
    "mean": lambda ensemble, layer: ensemble.mean[:, layer],
    "std": lambda ensemble, layer: _power(ensemble.log2_std[:, layer]),
    "rms": lambda ensemble, layer: _power(ensemble.log2_rms[:, layer]),
    "max_abs": lambda ensemble, layer: _power(ensemble.log2_max_abs[:, layer]),
    "log2_std": lambda ensemble, layer: ensemble.log2_std[:, layer],
    "log2_rms": lambda ensemble, layer: ensemble.log2_rms[:, layer],
    "zero": lambda ensemble, layer: ensemble.zero[:, layer],
}
"""Statistic -> its values by exact arithmetic, which hold within the number format's range."""

_BEYOND = {"positive": (np.inf, 0.0), "log2": (np.inf, -np.inf), "signed": (np.nan, 0.0)}
"""Kind -> its value where x is no longer finite, and where x is all zero."""


def _power(octaves: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp2(octaves))


def _statistic(name: str) -> Measure:
    entry = STATISTICS[name]
    broken, gone = _BEYOND.get(entry.kind, (np.nan, 1.0 if name == "zero" else np.nan))

    def of_run(run: Run, layer: int) -> float:
        value = float(run.stats.values[name][layer])
        if entry.kind != "fraction" and run.stats.nonfinite[layer] > 0:
            return broken
        return value

    def of_ensemble(ensemble: Ensemble, layer: int) -> Array:
        values = _OF_ENSEMBLE[name](ensemble, layer)
        ended = _ends(ensemble)
        values = np.where(ended["all_zero"] < layer, gone, values)
        return np.where(ended["first_nonfinite"] < layer, broken, values)

    return Measure(
        label=entry.label,
        help=entry.help,
        kind=entry.kind,
        of_run=of_run,
        of_ensemble=of_ensemble if name in _OF_ENSEMBLE else None,
        at_a_layer=True,
    )


def _q_star(phi: Activation, sigma_w: Array, sigma_b: Array) -> Array:
    return np.asarray(fixed_point(phi, sigma_w, sigma_b), dtype=np.float64)


def _theory(
    label: str, help: str, kind: Kind, compute: OfTheory, work: TheoryWork | None = None
) -> Measure:
    return Measure(
        label=label,
        help=f"{help} At infinite width.",
        kind=kind,
        of_theory=compute,
        theory_work=work or (lambda phi, sigma_w, sigma_b: work_of_lengths(phi, sigma_w.size)),
    )


def is_stuck(stats: LayerStats, layer: int) -> bool:
    """Whether a layer is stuck at the largest value of a format that saturates.

    It is where a quarter or more of its elements other than zero are at that value.
    """
    stuck, zero = stats.saturated[layer], stats.zero[layer]
    return bool(stuck > 0 and stuck >= STUCK * (1 - zero))


MEASURES: dict[str, Measure] = {
    **{name: _event(name) for name in EVENTS},
    **{name: _statistic(name) for name in STATISTICS},
    **GRADIENTS,
    "chi_1": _theory(
        "χ₁",
        "By how much one layer multiplies a small difference of two signals, squared: 1 is the "
        "edge of chaos.",
        "positive",
        lambda phi, sigma_w, sigma_b: np.asarray(chi_1(phi, sigma_w, sigma_b)),
    ),
    "q_star": _theory("q*", "The second moment that h comes to with depth.", "positive", _q_star),
    "xi_c": _theory(
        "ξ_c",
        "Layers over which the correlation of two signals settles by a factor e.",
        "layers",
        lambda phi, sigma_w, sigma_b: np.asarray(depth_scales(phi, sigma_w, sigma_b)[1]),
        work_of_scales,
    ),
    "trainable_depth": _theory(
        "trainable depth 6·ξ_c",
        "Layers through which two signals can still be told apart, so that a network can learn.",
        "layers",
        lambda phi, sigma_w, sigma_b: (
            TRAINABLE * np.asarray(depth_scales(phi, sigma_w, sigma_b)[1])
        ),
        work_of_scales,
    ),
}
"""Name -> Measure; a statistic is of the last layer, ``log2_std@10`` is of layer 10."""


def measure_of(text: object) -> tuple[str, int | None]:
    """The name and the layer in a text such as ``log2_std@10``; None for the last layer.

    Raises:
        ValueError: there is no such measure, or it is not measured at a layer.
    """
    name, at, layer = str(text).partition("@")
    if not isinstance(text, str) or name not in MEASURES:
        raise ValueError(f"there is no measure {shown(text)}; there are {', '.join(MEASURES)}")
    if not at:
        return name, None
    if not MEASURES[name].at_a_layer:
        raise ValueError(f"{name} is not measured at a layer, got {shown(text)}")
    if not (layer.isascii() and layer.isdigit() and len(layer) < 6):
        raise ValueError(f"the layer of {name} must be a whole number, got {shown(layer)}")
    return name, int(layer)
