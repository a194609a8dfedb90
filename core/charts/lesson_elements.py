"""The pictures of single elements: what they are around the first NaN, and one as a growing sum."""

from __future__ import annotations

from typing import Any

from ..lesson import GrowingSum, Shares
from ..text import with_minus
from .figure import BLUE, GOLD, GREY, VERMILION, Figure, Parts, bar, figure, listed
from .lesson_histograms import height_of, layout_of

_PARTS = ((GREY, ""), (GOLD, "/"), (VERMILION, "x"))
_BAND = "rgba(58, 123, 213, 0.16)"


def shares_per_iteration(shares: Shares, large: bool) -> Figure:
    """A bar for each iteration, divided into the kinds of elements."""
    indices = [int(i) for i in shares.indices]
    data = [
        bar(
            indices,
            part,
            name=name,
            uid=f"share{place}",
            marker={"color": color, "pattern": {"shape": pattern}},
            hovertemplate=f"i = %{{x}}: %{{y:.1%}} {name}<extra></extra>",
        )
        for place, ((name, part), (color, pattern)) in enumerate(
            zip(shares.parts.items(), _PARTS, strict=True)
        )
    ]
    layout = layout_of(
        large,
        xaxis={"title": {"text": "loop index i"}, "dtick": 1, "zeroline": False},
        yaxis={"title": {"text": "share of the elements"}, "tickformat": ".0%", "range": [0, 1]},
        barmode="stack",
        bargap=0.3,
        hovermode="closest",
        showlegend=True,
    )
    said = "; ".join(
        f"at i = {i}, "
        + ", ".join(f"{100 * part[k]:.0f} % {name}" for name, part in shares.parts.items())
        for k, i in enumerate(indices)
    )
    alt = f"What the elements of x are at each iteration: {said}."
    return figure(data, layout, height=height_of(large, 300), alt=alt, fills_window=large)


def growing_sum(total: GrowingSum, large: bool) -> Figure:
    """A sum after each of its terms, within the band of one std of such sums."""
    terms = list(range(len(total.values)))
    shared: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": terms}
    edge = shared | {"line": {"width": 0}, "hoverinfo": "skip"}
    data: Parts = [
        edge | {"y": listed(-total.spread), "name": "below", "uid": "low", "showlegend": False},
        edge
        | {"y": listed(total.spread), "name": "± one std over all a", "uid": "high"}
        | {"fill": "tonexty", "fillcolor": _BAND},
        shared
        | {"y": listed(total.values), "name": total.label, "uid": "sum"}
        | {"line": {"color": BLUE, "width": 2.5}}
        | {"hovertemplate": "after %{x} products: %{y:.3f}<extra></extra>"},
    ]
    layout = layout_of(
        large,
        xaxis={"title": {"text": "products added up"}, "tickformat": "d", "zeroline": False},
        yaxis={"title": {"text": "their sum"}, "zeroline": True},
        showlegend=True,
    )
    end, spread = (with_minus(f"{float(line[-1]):.3g}") for line in (total.values, total.spread))
    alt = (
        f"The sum of the products of {total.label}, one after the other. After all "
        f"{len(terms) - 1} it is {end}; the std of such sums over all a is {spread}."
    )
    return figure(data, layout, height=height_of(large, 300), alt=alt, fills_window=large)
