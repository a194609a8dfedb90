"""How sizes spread over networks: the bands of a law, and the fan of an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..maths.arrays import Array
from ..reading.diagnosis import last_sound_size
from ..reading.expectation import Bands
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..text import significant
from ..theory.finite_width import LEVELS
from .figure import GREEN, GREY, Parts, listed, to_decades

_BAND = {"theory": "rgba(22, 144, 109, 0.16)", "measured": "rgba(117, 128, 143, 0.18)"}
_FAN = 40  # networks that are drawn one by one
_BEYOND = 3.0  # octaves outside the number format; farther out nothing is drawn


def _drawn(octaves: Array, run: Run) -> Array:
    """The size of every layer from its log2; NaN far outside the number format."""
    low, high = _ends(run)
    inside = (octaves >= low) & (octaves <= high)
    return np.where(inside, 2.0 ** np.clip(octaves, -1070, 1020), np.nan)


def _ends(run: Run) -> tuple[float, float]:
    """log2 of the sizes beyond which nothing is drawn."""
    limit = run.experiment.format
    return np.log2(limit.smallest_subnormal) - _BEYOND, np.log2(limit.max) + _BEYOND


def _edges(low: Array, high: Array, run: Run) -> tuple[Array, Array]:
    """Both edges of a band. One that lies far outside the format is drawn at the format's end.

    Left out, it would end the area with a straight line back to where the other edge begins.
    """
    ends = _ends(run)
    visible = (high >= ends[0]) & (low <= ends[1])
    inside = (np.where(visible, np.clip(edge, *ends), np.nan) for edge in (low, high))
    lower, upper = (2.0 ** np.clip(edge, -1070, 1020) for edge in inside)
    return lower, upper


def _edge(y: Array, run: Run, name: str, uid: str, **more: Any) -> dict[str, Any]:
    """A curve over the layers that neither hover nor legend shows; ``more`` may change that."""
    line: dict[str, Any] = {"width": 0}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": run.layers.tolist(),
        "y": listed(y),
        "name": name,
        "line": line,
        "uid": uid,
        "hoverinfo": "skip",
        "showlegend": False,
    } | more


def band_curves(found: Bands | None, run: Run) -> Parts:
    """The 90 % and 50 % bands and the median; a figure draws them before everything else."""
    if found is None:
        return []
    kind = "theory" if found.is_theory else "measured"
    rows = {level: _drawn(values, run) for level, values in found.quantiles.items()}
    color = GREEN if found.is_theory else GREY
    spoken = "expected" if found.is_theory else "measured"
    parts = []
    for low, high, share in ((0.05, 0.95, 90), (0.25, 0.75, 50)):
        name = f"{spoken}, {share} % of networks"
        lower, upper = _edges(found.quantiles[low], found.quantiles[high], run)
        parts.append(_edge(lower, run, name, f"band{share}low", legendgroup="bands"))
        fill = {"fill": "tonexty", "fillcolor": _BAND[kind], "legendgroup": "bands"}
        parts.append(_edge(upper, run, name, f"band{share}high", **fill))
    ends = [
        f"{significant(low)} to {significant(high)}"
        for low, high in zip(rows[0.05], rows[0.95], strict=True)
    ]
    median = _edge(
        rows[0.5],
        run,
        f"{spoken}: median, half, nine in ten networks",
        "median",
        line={"width": 1.5, "dash": "dash", "color": color},
        showlegend=True,
        legendgroup="bands",
        hoverinfo="all",
        customdata=ends,
        hovertemplate=f"{spoken}: %{{y:.3g}} (%{{customdata}})<extra></extra>",
        meta=_for_preview(found, run),
    )
    return [*parts, median]


def _for_preview(found: Bands, run: Run) -> dict[str, Any]:
    """What a preview of another scale factor shifts: log2 of all levels, and of this scale."""
    scale = run.experiment.scale
    if scale == 0:
        return {}
    levels = np.round([found.quantiles[level] for level in sorted(found.quantiles)], 2)
    rows = levels.astype(object)
    rows[~np.isfinite(levels)] = None
    return {"spread": {"rows": rows.tolist(), "shift": float(np.log2(scale))}}


def band_decades(found: Bands | None, run: Run) -> list[float]:
    """log10 of the lowest and the highest point of the 90 % band while this run is in range."""
    if found is None:
        return []
    limit, sound = run.experiment.format, last_sound_size(run)[0] + 1
    edges = np.concatenate([found.quantiles[level][:sound] for level in (LEVELS[0], LEVELS[-1])])
    edges = to_decades(edges[np.isfinite(edges)])
    ends = np.log10([limit.smallest_subnormal, limit.max])
    return [float(np.clip(end, *ends)) for end in (edges.min(), edges.max())] if edges.size else []


def fan_curves(ensemble: Ensemble | None, run: Run) -> Parts:
    """Some networks of the ensemble one by one, and lines below which 5, 50 and 95 % of all lie."""
    if ensemble is None:
        return []
    sizes = ensemble.log2_rms if run.experiment.is_single_number else ensemble.log2_std
    shown = sizes[:_FAN]
    gap = np.full((len(shown), 1), np.nan)
    x = np.tile(np.append(run.layers.astype(float), np.nan), len(shown))
    thin = {"width": 0.7, "color": GREY}
    networks = _edge(
        np.hstack([_drawn(shown, run), gap]).ravel(),
        run,
        f"{len(shown)} of {len(sizes)} networks",
        "fan",
        line=thin,
        opacity=0.45,
        legendgroup="fan",
    )
    levels = (0.05, 0.5, 0.95)
    rows = np.quantile(sizes, levels, axis=0, method="closest_observation")
    dotted = {"width": 1.5, "dash": "dot", "color": GREY}
    lines = [
        _edge(
            _drawn(row, run),
            run,
            f"{len(sizes)} networks: 5, 50, 95 %",
            f"fan{level * 100:.0f}",
            line=dotted,
            legendgroup="fan",
            showlegend=level == 0.5,
        )
        for level, row in zip(levels, rows, strict=True)
    ]
    return [networks | {"x": listed(x)}, *lines]
