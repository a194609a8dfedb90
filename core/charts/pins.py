"""Kept curves: what stays in the main picture while the sliders move, and the room it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..reading.diagnosis import log2_size
from ..simulation.propagate import Run
from .figure import PIN_COLORS, STAYS, Parts, line


class Pin(NamedTuple):
    """A curve that is kept: the slot, which gives letter and colour, what it is called, its run."""

    slot: str
    title: str
    run: Run


def room(pins: Sequence[Pin]) -> dict[str, Any]:
    """What the axes must cover for them: the deepest layer, and both ends in decades, if any."""
    sizes = [log2_size(pin.run) * np.log10(2) for pin in pins]
    seen = [decade for size in sizes for decade in size[np.isfinite(size)].tolist()]
    depth = max((pin.run.experiment.depth for pin in pins), default=0)
    return {"depth": depth, "decades": [min(seen), max(seen)] if seen else []}


def _drawn(pin: Pin) -> NDArray[np.float64]:
    """The std of every layer, or |x|; NaN where a log axis has no place for it."""
    stats = pin.run.stats
    values = stats.rms if pin.run.experiment.is_single_number else stats.std
    return np.where((values > 0) & np.isfinite(values), values, np.nan)


def kept_curves(pins: Sequence[Pin]) -> Parts:
    """A thin curve for each pin; a figure draws them before the live ones."""
    curves = []
    for pin in pins:
        size = "|x|" if pin.run.experiment.is_single_number else "std"
        curve = line(
            _drawn(pin),
            name=pin.title,
            color=PIN_COLORS[pin.slot],
            hover=f"{pin.title}: {size} %{{y:.4g}}",
            uid=STAYS + pin.slot,
            showlegend=False,  # its letter is on it, and the page lists what it is
        )
        curve["line"]["width"] = 1.5
        curves.append(curve)
    return curves


def letters(pins: Sequence[Pin]) -> Parts:
    """The slot's letter on each curve, every slot's at a part of the curve of its own."""
    notes: Parts = []
    for pin in pins:
        drawn = _drawn(pin)
        layers = np.flatnonzero(np.isfinite(drawn))
        if not layers.size:
            continue
        share = (list(PIN_COLORS).index(pin.slot) + 1) / (len(PIN_COLORS) + 1)
        layer = int(layers[round(share * (len(layers) - 1))])
        notes.append(
            {
                "x": layer,
                "y": float(np.log10(drawn[layer])),
                "text": f"<b>{pin.slot.upper()}</b>",
                "showarrow": False,
                "font": {"size": 11},
                # On a screen its style sheet fills the box with the page's own colour.
                "bgcolor": "#ffffff",
                "bordercolor": PIN_COLORS[pin.slot],
                "borderwidth": 1.5,
                "borderpad": 1,
            }
        )
    return notes
