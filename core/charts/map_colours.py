"""The colours of a map: the scale that shows a measure, its ends and its middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..maths.arrays import Array
from ..sweep import Measure
from ..text import typeset

_VIRIDIS = (
    "#440154",
    "#482878",
    "#3e4989",
    "#31688e",
    "#26828e",
    "#1f9e89",
    "#35b779",
    "#6ece58",
    "#b5de2b",
    "#fde725",
)
_DIVERGING = (
    "#053061",
    "#2166ac",
    "#4393c3",
    "#92c5de",
    "#d1e5f0",
    "#f7f7f7",
    "#fddbc7",
    "#f4a582",
    "#d6604d",
    "#b2182b",
    "#67001f",
)
_LEAST_SPAN = 1e-6
# Under the map, where no hover text of a cell lies over it, and where a phone has the width.
_BAR = {"orientation": "h", "thickness": 12, "yref": "container", "y": 0, "yanchor": "bottom"}
_FEWEST_TICKS, _MOST_TICKS = 4, 9
_DIGITS = ((1,), (1, 3), (1, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    Attributes:
        is_log: whether a colour stands for log10 of the value.
        centre: the value at the middle of a diverging scale; None of a sequential one.
        number: d3's format of a value.
    """

    is_log: bool
    centre: float | None
    number: str

    def shown(self, values: Array) -> Array:
        """The numbers that are coloured: the values, or their log10; NaN stays."""
        if not self.is_log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log10(values))

    def trace(self, values: Array, title: str) -> dict[str, Any]:
        """The parts of a heat map that colour it, and its colour bar."""
        shown = self.shown(values)
        finite = shown[np.isfinite(shown)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if self.centre is not None:
            middle = np.log10(self.centre) if self.is_log else self.centre
            reach = max(abs(low - middle), abs(high - middle), _LEAST_SPAN)
            low, high = middle - reach, middle + reach
        elif high - low < _LEAST_SPAN:
            low, high = low - 0.5, high + 0.5
        colors: tuple[str, ...] = _VIRIDIS if self.centre is None else _DIVERGING
        bar: dict[str, Any] = _BAR | {"title": {"text": typeset(title), "side": "bottom"}}
        if self.is_log:
            bar |= _log_ticks(low, high)
        return {
            "colorscale": [[place / (len(colors) - 1), c] for place, c in enumerate(colors)],
            "zmin": low,
            "zmax": high,
            "colorbar": bar,
        }


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a colour bar of log10: as many round numbers as there is room for."""
    exponents = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    ticks: list[float] = []
    for digits in _DIGITS:
        found = [float(np.log10(digit) + k) for k in exponents for digit in digits]
        ticks = [tick for tick in found if low <= tick <= high]
        if len(ticks) >= _FEWEST_TICKS:
            break
    ticks = ticks[:: -(-len(ticks) // _MOST_TICKS) or 1]
    words = [f"{10**tick:.2g}" if abs(tick) < 5 else f"1e{tick:.0f}" for tick in ticks]
    return {"tickvals": ticks, "ticktext": [f"{float(word):g}" for word in words]}


def scale_of(measure: Measure, name: str) -> Scale:
    """How a measure is coloured: around the value at which a signal holds, where there is one."""
    if name == "chi_1":
        return Scale(True, 1.0, ".3~g")
    if measure.kind in ("log2", "log10", "signed"):
        return Scale(False, 0.0, ".3~g" if measure.kind == "signed" else ".2f")
    if measure.kind == "positive":
        return Scale(True, None if name == "q_star" else 1.0, ".3~g")
    if measure.kind == "layers":
        return Scale(True, None, ".3~g")
    if measure.kind == "fraction":
        return Scale(False, None, ".1%")
    return Scale(False, None, ".4~g")
