"""When x leaves its number format: predicted, and in an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..theory.finite_width import Prediction
from .figure import GREEN, GREY, VERMILION, Figure, Parts, figure, listed


def range_ends(prediction: Prediction, ensemble: Ensemble | None, run: Run) -> Figure | None:
    """When x leaves the format: predicted, and in the ensemble; None if it never does."""
    broken = run.events.first_nonfinite is not None or bool(prediction.overflow_pmf)
    pmf = prediction.overflow_pmf if broken else prediction.all_zero_pmf
    measured = np.array([])
    if ensemble is not None:
        measured = ensemble.first_overflow if broken else ensemble.first_all_zero
    ended = measured[np.isfinite(measured)].astype(int)
    seen, counts = np.unique(ended, return_counts=True)
    indices = sorted({*(i for i, p in pmf.items() if p > 5e-4), *seen.tolist()})
    if not indices:
        return None
    what = "a value is not finite" if broken else "every element is zero"
    event = "value that is not finite" if broken else "layer that is all zero"
    data = []
    if pmf:
        data.append(_bars(pmf, "predicted", GREEN))
    if len(seen):
        shares = dict(zip(seen.tolist(), (counts / len(measured)).tolist(), strict=True))
        data.append(_bars(shares, f"in {len(measured)} networks", GREY))
    own = run.events.first_nonfinite if broken else run.events.all_zero
    shapes: Parts = []
    if own is not None:
        place = {"type": "line", "x0": own, "x1": own, "yref": "paper", "y0": 0, "y1": 1}
        shapes = [place | {"line": {"color": VERMILION, "width": 2, "dash": "dot"}}]
        indices = sorted({*indices, own})
    layout = {
        "xaxis": {
            "title": {"text": f"iteration i of the first {event}"},
            "range": [indices[0] - 1.5, indices[-1] + 1.5],
            "tickformat": "d",
            "dtick": 1 if indices[-1] - indices[0] <= 20 else None,
        },
        "yaxis": {
            "title": {"text": "share of networks"},
            "tickformat": ".0%",
            "rangemode": "tozero",
        },
        "shapes": shapes,
        "barmode": "group",
    }
    where = f" In this run: i = {own}." if own is not None else ""
    alt = f"Histogram of the iteration i at which {what} for the first time.{where}"
    return figure(data, layout, height=240, alt=alt)


def _bars(shares: dict[int, float], name: str, color: str) -> dict[str, Any]:
    ordered = sorted(item for item in shares.items() if item[1] > 5e-4)
    return {
        "type": "bar",
        "x": [i for i, _ in ordered],
        "y": listed([share for _, share in ordered]),
        "name": name,
        "uid": name.split()[0],
        "marker": {"color": color},
        "hovertemplate": f"i = %{{x}}: %{{y:.1%}} {name}<extra></extra>",
    }
