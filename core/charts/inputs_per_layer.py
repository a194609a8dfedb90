"""The cosine of the angle between two inputs of a batch, per layer, beside theory's."""

from __future__ import annotations

import numpy as np

from ..simulation.propagate import Run
from ..theory.inputs import cosine_of_inputs
from .figure import BLUE, GREY, Figure, event_marks, figure, layer_axis, line


def inputs_per_layer(run: Run) -> Figure:
    """How alike the inputs of a batch are at every layer: 1 where all point the same way.

    Args:
        run: of two inputs or more.
    """
    measured = run.stats.cosine_of_inputs
    expected = cosine_of_inputs(run.experiment)
    shapes, notes = event_marks(run, height=0.92)
    lines = [
        line(
            measured,
            name="measured",
            color=BLUE,
            hover="layer %{x}<br>cosine %{y:.4f}",
        )
    ]
    if np.isfinite(expected[1:]).any():
        theory = line(
            expected,
            name="expected, width → ∞",
            color=GREY,
            hover="layer %{x}<br>expected %{y:.4f}",
        )
        lines.insert(0, theory | {"line": theory["line"] | {"dash": "dash"}})
    layout = {
        "xaxis": layer_axis(run.experiment.depth, step=run.experiment.step),
        "yaxis": {"title": {"text": "cosine of two inputs"}, "range": [-1.05, 1.05]},
        "shapes": shapes,
        "annotations": notes,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    }
    known = np.flatnonzero(np.isfinite(measured))
    end = f"{measured[known[-1]]:.3f} at layer {known[-1]}" if known.size else "unknown"
    alt = f"Mean cosine of two of {run.experiment.batch_size} inputs per layer; {end}."
    return figure(lines, layout, height=260, alt=alt)
