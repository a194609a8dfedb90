"""A sparkline: the numbers that were printed as dots, those that are measured as a line."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..papers import Finding

_WIDTH, _HEIGHT, _EDGE = 120, 34, 5  # pixels
_FEWEST = 3  # numbers that make a series
_WIDE = 10.0  # a range beyond this factor is drawn on a log scale
_LEVEL = 0.1  # of their size: numbers that differ by less do not fill the height
_LINE, _DOT = "#5b8def", "#d55e00"  # both are told apart on light and on dark


def sparkline(finding: Finding) -> str:
    """An SVG of a series; empty where the numbers are none.

    The line is theory's until something is measured.
    """
    claim = finding.claim
    printed = np.array([value for value, _ in claim.published])
    if len(printed) < _FEWEST or claim.along is None or not np.isfinite(printed).all():
        return ""
    ours = finding.measured if finding.networks else finding.exact
    levels = _levels(np.concatenate([printed, ours]))
    along = np.array(claim.along)
    across = _EDGE + (along - along[0]) / (along[-1] - along[0]) * (_WIDTH - 2 * _EDGE)
    points = zip(across, levels[len(printed) :], strict=True)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points if np.isfinite(y))
    places = zip(across, levels[: len(printed)], strict=True)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in places)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="1.8"/>'
        f'<g fill="{_DOT}">{dots}</g></svg>'
    )


def _levels(values: Array) -> Array:
    """The heights of numbers in pixels from above, on a log scale where they differ much."""
    known = values[np.isfinite(values)]
    if known.min() > 0 and known.max() > _WIDE * known.min():
        values, known = np.log(values), np.log(known)
    middle = (known.min() + known.max()) / 2
    span = max(np.ptp(known), _LEVEL * abs(middle)) or 1.0
    return np.asarray(_HEIGHT / 2 - (values - middle) / span * (_HEIGHT - 2 * _EDGE))
