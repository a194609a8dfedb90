"""The size of every layer's weight gradient, and that of the signal's gradient beside it.

A matrix that is used at every step has one gradient, the sum over all steps: a level line.
"""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..simulation.backward import Backward
from .figure import (
    BLUE,
    GOLD,
    GREEN,
    PURPLE,
    VERMILION,
    Figure,
    decades,
    figure,
    layer_axis,
    line,
    size_axis,
    to_decades,
)


def _curves(back: Backward) -> dict[str, tuple[Array, str]]:
    """Name -> log2 rms per layer, and its colour."""
    layers = back.run.experiment.depth + 1
    curves: dict[str, tuple[Array, str]] = {}
    for number, each in enumerate(back.of_products):
        name = "rms of G" + ("₁₂"[number] if len(back.of_products) > 1 else "")
        color, of_sum = ((BLUE, PURPLE), (GOLD, VERMILION))[number]
        if each.whole is None:
            curves[name] = (each.log2_rms, color)
        else:
            curves[f"{name}, each step"] = (each.log2_rms, color)
            curves[f"{name}, their sum"] = (np.full(layers, each.whole["log2_rms"]), of_sum)
    return curves | {"rms of δ": (back.stats.log2_rms, GREEN)}


def weight_gradients(back: Backward) -> Figure:
    """rms of G_k, the gradient of layer k's matrix or of each of its two, and rms of δ_k."""
    depth, curves = back.run.experiment.depth, _curves(back)
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
