"""Mean per layer on a symmetric scale: linear around zero, logarithmic beyond, on both sides."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..simulation.propagate import Run
from .figure import GREEN, Figure, event_marks, figure, layer_axis, line

_MOST_TICKS = 4  # on either side of zero


def _symmetric(values: Array, threshold: float) -> Array:
    """sign(v)·log10(1 + |v|/threshold)."""
    return np.sign(values) * np.log10(1 + np.abs(values / threshold))


def _threshold(means: Array) -> float:
    """The mean at which the scale turns logarithmic: a power of ten just below the smallest one."""
    sizes = np.abs(means[np.isfinite(means) & (means != 0)])
    if not sizes.size:
        return 1.0
    return float(10.0 ** max(np.floor(np.log10(sizes.min())), np.log10(sizes.max()) - 60, -300))


def _ticks(threshold: float, largest: float) -> list[float]:
    """Zero, and powers of ten on either side from one step away from it."""
    first, last = np.log10(threshold), np.ceil(np.log10(max(largest, threshold)))
    step = max(1, int(np.ceil((last - first) / _MOST_TICKS)))
    powers = [10.0**power for power in np.arange(last, first, -step)]
    return [-p for p in powers] + [0.0] + powers[::-1]


def _label(tick: float) -> str:
    sign = "−" if tick < 0 else ""
    return f"{sign}10<sup>{np.log10(abs(tick)):.0f}</sup>" if tick else "0"


def mean_per_layer(run: Run) -> Figure:
    """The mean of x at every layer."""
    means = run.stats.mean
    threshold = _threshold(means)
    finite = means[np.isfinite(means)]
    largest = float(np.abs(finite).max()) if finite.size else 1.0
    ticks = _ticks(threshold, largest)
    shapes, notes = event_marks(run, height=0.92)
    layout = {
        "xaxis": layer_axis(run.experiment.depth, step=run.experiment.step),
        "yaxis": {
            "title": {"text": "mean (symmetric log)"},
            "tickvals": _symmetric(np.array(ticks), threshold).tolist(),
            "ticktext": [_label(tick) for tick in ticks],
            "zeroline": True,
        },
        "shapes": shapes,
        "annotations": notes,
        "showlegend": False,
    }
    exact = [f"{mean:.4g}" for mean in means]
    shown = line(
        _symmetric(means, threshold),
        name="mean",
        color=GREEN,
        hover="layer %{x}<br>mean %{customdata}",
        customdata=exact,
    )
    alt = f"Mean of x per layer, from {exact[0]} at the input to {exact[-1]} at the last layer."
    return figure([shown], layout, height=300, alt=alt)
