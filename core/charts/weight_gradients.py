"""The size of every layer's weight gradient, and that of the signal's gradient beside it.

A matrix that is used at every step has one gradient, the sum over all steps: a level line.
"""

from __future__ import annotations

import numpy as np

from ..simulation.backward import Backward
from .figure import (
    BLUE,
    GREEN,
    PURPLE,
    Figure,
    decades,
    figure,
    layer_axis,
    line,
    size_axis,
    to_decades,
)


def weight_gradients(back: Backward) -> Figure:
    """rms of G_k, the gradient of layer k's matrix, and rms of δ_k."""
    depth = back.run.experiment.depth
    curves = {"rms of G": (back.weights.log2_rms, BLUE), "rms of δ": (back.stats.log2_rms, GREEN)}
    if back.weights.whole is not None:
        whole = np.full(depth + 1, back.weights.whole["log2_rms"])
        curves = {
            "rms of G, each step": curves["rms of G"],
            "rms of G, their sum": (whole, PURPLE),
            "rms of δ": curves["rms of δ"],
        }
    sizes = {name: to_decades(octaves) for name, (octaves, _) in curves.items()}
    data = [
        line(
            np.where(np.abs(sizes[name]) < 300, 10.0 ** np.clip(sizes[name], -300, 300), np.nan),
            name=name,
            color=color,
            hover=f"layer %{{x}}<br>{name} %{{y:.4g}}",
        )
        for name, (_, color) in curves.items()
    ]
    low, high = decades(np.concatenate(list(sizes.values())))
    layout = {"xaxis": layer_axis(depth, back=True), "yaxis": size_axis(low, high, "rms")}
    alt = "Root mean square of the weight gradient G and of the signal's gradient δ, per layer."
    return figure(data, layout, height=260, alt=alt)
