"""The iteration at which x leaves its number format: predicted, and in an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..theory.finite_width import Prediction
from .figure import GREEN, GREY, VERMILION, Figure, bar, figure, upright

_RARE = 5e-4  # a smaller share of networks is not drawn


def range_ends(prediction: Prediction, ensemble: Ensemble | None, run: Run) -> Figure | None:
    """The share of networks for each iteration at which x leaves the format; None if it never does.

    The figure is of overflow if the run overflows, or by theory some network does; else of zeros.
    """
    broken = run.events.first_nonfinite is not None or bool(prediction.overflow_pmf)
    pmf = prediction.overflow_pmf if broken else prediction.all_zero_pmf
    measured = _shares(ensemble, broken=broken)
    indices = {*(index for index, share in pmf.items() if share > _RARE), *measured}
    if not indices:
        return None
    data = [_bars(pmf, "predicted", GREEN)] if pmf else []
    if ensemble is not None and measured:
        data.append(_bars(measured, f"in {len(ensemble.log2_rms)} networks", GREY))
    own = run.events.first_nonfinite if broken else run.events.all_zero
    style = {"color": VERMILION, "width": 2, "dash": "dot"}
    shapes = [] if own is None else [upright(own, style)]
    indices |= set() if own is None else {own}
    event = "value that is not finite" if broken else "layer that is all zero"
    layout = {
        "xaxis": {
            "title": {"text": f"iteration i of the first {event}"},
            "range": [min(indices) - 1.5, max(indices) + 1.5],
            "tickformat": "d",
            "dtick": 1 if max(indices) - min(indices) <= 20 else None,
        },
        "yaxis": {
            "title": {"text": "share of networks"},
            "tickformat": ".0%",
            "rangemode": "tozero",
        },
        "shapes": shapes,
        "barmode": "group",
    }
    what = "a value is not finite" if broken else "every element is zero"
    where = f" In this run: i = {own}." if own is not None else ""
    alt = f"Histogram of the iteration i at which {what} for the first time.{where}"
    return figure(data, layout, height=240, alt=alt)


def _shares(ensemble: Ensemble | None, *, broken: bool) -> dict[int, float]:
    """Loop index -> the share of the ensemble's networks that leave the format there."""
    if ensemble is None:
        return {}
    ends = ensemble.first_overflow if broken else ensemble.first_all_zero
    indices, counts = np.unique(ends[np.isfinite(ends)].astype(int), return_counts=True)
    return dict(zip(indices.tolist(), (counts / len(ends)).tolist(), strict=True))


def _bars(shares: Mapping[int, float], name: str, color: str) -> dict[str, Any]:
    drawn = sorted(index for index, share in shares.items() if share > _RARE)
    return bar(
        drawn,
        [shares[index] for index in drawn],
        name=name,
        uid=name.split()[0],
        marker={"color": color},
        hovertemplate=f"i = %{{x}}: %{{y:.1%}} {name}<extra></extra>",
    )
