"""The fraction of the elements that is zero, subnormal, saturated or not finite, per layer."""

from __future__ import annotations

from ..simulation.propagate import Run
from ..statistics.layer_stats import STATISTICS
from .figure import (
    BLUE,
    GOLD,
    GREY,
    PURPLE,
    VERMILION,
    Figure,
    event_marks,
    figure,
    layer_axis,
    line,
)

_COLORS = {
    "nonfinite": VERMILION,
    "nan": PURPLE,
    "zero": GREY,
    "subnormal": GOLD,
    "saturated": BLUE,
}
_ALWAYS = ("nonfinite", "zero")


def fractions_per_layer(run: Run) -> Figure:
    """Fractions of the elements; a kind that never occurs is left out, but for the main two."""
    data, ends = [], []
    for name, color in _COLORS.items():
        values = run.stats.values[name]
        if values.any() or name in _ALWAYS:
            label = STATISTICS[name].label
            hover = f"{label} %{{y:.1%}}"
            data.append(line(values, name=label, color=color, hover=hover, mode="lines"))
            ends.append(f"{label} {values[-1]:.0%}")
    shapes, _ = event_marks(run)
    layout = {
        "xaxis": layer_axis(run.experiment.depth, step=run.experiment.step),
        "yaxis": {
            "title": {"text": "fraction of elements"},
            "range": [-0.04, 1.04],
            "tickformat": ".0%",
            "zeroline": False,
        },
        "shapes": shapes,
    }
    alt = f"Fractions of the elements per layer; at the last layer: {', '.join(ends)}."
    return figure(data, layout, height=260, alt=alt)
