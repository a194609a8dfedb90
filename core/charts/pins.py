"""Pins: curves that stay in the main figure while the sliders move, and the room they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..simulation.propagate import Run
from .figure import PIN_COLORS, STAYS, Parts, line, note, positive, to_decades


class Pin(NamedTuple):
    """A pinned curve: its letter, which gives its colour, its title, and its run."""

    letter: str
    title: str
    run: Run


def room(pins: Sequence[Pin]) -> dict[str, Any]:
    """What the axes must cover for the pins: the deepest layer, and the ends in decades, if any."""
    sizes = [to_decades(pin.run.log2_size) for pin in pins]
    seen = [decade for size in sizes for decade in size[np.isfinite(size)].tolist()]
    depth = max((pin.run.experiment.depth for pin in pins), default=0)
    return {"depth": depth, "decades": [min(seen), max(seen)] if seen else []}


def pin_curves(pins: Sequence[Pin]) -> Parts:
    """A thin curve for each pin; a figure draws them before the live ones."""
    curves = []
    for pin in pins:
        curve = line(
            positive(pin.run.size),
            name=pin.title,
            color=PIN_COLORS[pin.letter],
            hover=f"{pin.title}: {pin.run.size_name} %{{y:.4g}}",
            x=pin.run.layers.tolist(),
            uid=STAYS + pin.letter,
            showlegend=False,  # its letter is on it, and the page lists what it is
        )
        curve["line"]["width"] = 1.5
        curves.append(curve)
    return curves


def pin_letters(pins: Sequence[Pin]) -> Parts:
    """The letter of each pin on its curve, each at a part of the curve of its own."""
    notes: Parts = []
    for pin in pins:
        sizes = positive(pin.run.size)
        layers = np.flatnonzero(np.isfinite(sizes))  # from the start of the run
        if not layers.size:
            continue
        share = (list(PIN_COLORS).index(pin.letter) + 1) / (len(PIN_COLORS) + 1)
        step = int(layers[round(share * (len(layers) - 1))])
        box = {
            # On a screen its style sheet fills the box with the page's own colour.
            "bgcolor": "#ffffff",
            "bordercolor": PIN_COLORS[pin.letter],
            "borderwidth": 1.5,
            "borderpad": 1,
        }
        text = f"<b>{pin.letter.upper()}</b>"
        notes.append(
            note(text, int(pin.run.layers[step]), float(np.log10(sizes[step])), size=11, **box)
        )
    return notes
