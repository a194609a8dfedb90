"""A sparkline: the numbers that were printed as dots, those that are measured as a line."""

from __future__ import annotations

from html import escape

import numpy as np

from ..maths.arrays import Array
from ..papers import Finding

_WIDTH, _HEIGHT, _EDGE = 132, 36, 5  # pixels
_FEWEST = 3  # numbers that make a series
_WIDE = 10.0  # a range beyond this factor is drawn on a log scale


def sparkline(finding: Finding) -> str:
    """An SVG of a series; empty where there are too few numbers.

    Args:
        finding: what was printed, and what is measured of it so far.
    """
    printed = np.array([value for value, _ in finding.claim.published])
    if len(printed) < _FEWEST or not np.isfinite(printed).all():
        return ""
    measured = finding.measured if finding.networks else finding.exact
    levels = _levels(np.concatenate([printed, measured]))
    across = np.linspace(_EDGE, _WIDTH - _EDGE, len(printed))
    points = [f"{x:.1f},{y:.1f}" for x, y in zip(across, levels[len(printed) :], strict=True)]
    line = " ".join(point for point in points if "nan" not in point)
    places = zip(across, levels, strict=False)  # the printed ones come first
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in places)
    told = escape(f"{finding.claim.title}: printed numbers as dots, measured ones as a line")
    return (
        f'<svg class="gi-spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-label="{told}">'
        f'<polyline points="{line}"/>{dots}</svg>'
    )


def _levels(values: Array) -> Array:
    """The heights of numbers in pixels from above, on a log scale where they differ much."""
    known = values[np.isfinite(values)]
    if known.min() > 0 and known.max() > _WIDE * known.min():
        values, known = np.log(values), np.log(known)
    low, span = known.min(), np.ptp(known) or 1.0
    return np.asarray(_HEIGHT - _EDGE - (values - low) / span * (_HEIGHT - 2 * _EDGE))
