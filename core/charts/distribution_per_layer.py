"""The distribution of the elements' magnitudes, layer by layer: a heat map of log2|x|.

A row spans a factor of two, or several where the range is wide.
"""

from __future__ import annotations

import numpy as np

from ..simulation.propagate import Run
from .figure import Figure, event_marks, figure, layer_axis, packed

_MOST_ROWS = 64
_MOST_COLUMNS = 201

# Dark to light through one hue family: readable for colour-blind eyes and in grey.
_SCALE = [[0.0, "#1d3a66"], [0.35, "#2f6fb5"], [0.7, "#6fb3d6"], [1.0, "#ffe08a"]]


def distribution_per_layer(run: Run) -> Figure:
    """Share of each layer's elements per octave of |x|; zero and non-finite ones are left out."""
    histogram = run.stats.histogram
    stride = -(-len(run.stats) // _MOST_COLUMNS)
    layers = np.arange(0, len(run.stats), stride)
    counts, edges = histogram.by_octave(_MOST_ROWS)
    share = counts[layers] / (run.experiment.width * run.experiment.batch_size)
    heat = {
        "type": "heatmap",
        "x": layers.tolist(),
        "y": packed(edges),
        "z": packed(np.where(share > 0, share, np.nan).T),
        "colorscale": _SCALE,
        "hoverongaps": False,
        "hovertemplate": "layer %{x}<br>|x| about 2^%{y:.1f}<br>"
        "%{z:.1%} of the elements<extra></extra>",
        "colorbar": {"title": {"text": "share"}, "tickformat": ".0%", "thickness": 12},
    }
    shapes, notes = event_marks(run)
    layout = {
        "xaxis": layer_axis(run.experiment.depth, step=run.experiment.step),
        "yaxis": {"title": {"text": "log<sub>2</sub> |x|"}, "zeroline": False, "automargin": True},
        "hovermode": "closest",
        "shapes": shapes,
        "annotations": notes,
    }
    gone = f"{run.stats.zero[-1]:.0%} are zero and {run.stats.nonfinite[-1]:.0%} not finite"
    alt = f"Heat map of the magnitudes of the elements per layer; at the last layer {gone}."
    return figure([heat], layout, height=320, alt=alt)
