"""A report as a Plotly figure: the sizes of outputs and gradients in the order of execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

from ..charts.figure import BLUE, VERMILION, Figure, Parts, decades, size_axis, to_decades
from ..charts.figure import figure as drawn
from .evidence import Evidence, gradient_size
from .rows import ModuleRow

_MOST_ROWS = 60  # with a name each; of more, the matrices alone
_LONGEST = 32  # characters of a name that has its end cut off on the left
_ROW, _AROUND = 18, 120  # pixels
_LOG10_2 = log10(2)


def sizes(models: Mapping[str, Evidence]) -> Figure:
    """The sizes of one model, or of two to be compared.

    A model of more than 60 calls is drawn by its matrices alone.

    Args:
        models: label -> what was measured of it; the first is drawn filled, the second hollow.
    """
    rows = [_shown(each) for each in models.values()]
    names = list(dict.fromkeys(row.name for each in rows for row in each))
    data: Parts = []
    for k, (label, each) in enumerate(zip(models, rows, strict=True)):
        of = f", {escape(label)}" if len(models) > 1 else ""
        out = [row.output.log2_rms for row in each]
        back = [gradient_size(row) for row in each]
        data.append(_trace(each, out, f"output{of}", BLUE, "circle" + "-open" * bool(k)))
        data.append(_trace(each, back, f"gradient{of}", VERMILION, "diamond" + "-open" * bool(k)))
    seen = to_decades([size for each in rows for row in each for size in _both(row)])
    first = next(iter(models.values()))
    layout = {
        "xaxis": size_axis(*decades(seen), "rms of the output, and of its gradient"),
        "yaxis": {
            "type": "category",
            "categoryarray": names,
            "range": [len(names) - 0.5, -0.5],
            "ticktext": [_short(name) for name in names],
            "tickvals": names,
            "automargin": True,
        },
        "hovermode": "closest",
    }
    alt = f"The sizes of outputs and gradients of {len(names)} modules of {first.model}"
    return drawn(data, layout, height=_AROUND + _ROW * max(8, len(names)), alt=escape(alt))


def _shown(evidence: Evidence) -> Sequence[ModuleRow]:
    return evidence.rows if len(evidence.rows) <= _MOST_ROWS else evidence.matrices


def _both(row: ModuleRow) -> tuple[float, float]:
    return row.output.log2_rms, gradient_size(row)


def _trace(
    rows: Sequence[ModuleRow], octaves: Sequence[float], name: str, color: str, symbol: str
) -> dict[str, object]:
    """A curve down the modules; zeros and what is not finite have no point."""
    points = [None if x != x else 10**x for x in to_decades(octaves).tolist()]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": points,
        "y": [row.name for row in rows],
        "name": name,
        "line": {"color": color, "width": 1},
        "marker": {"color": color, "size": 8, "symbol": symbol},
        "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
    }


def _short(name: str) -> str:
    """A name that fits beside the axis, safe from what Plotly takes for markup."""
    return escape(name if len(name) <= _LONGEST else "…" + name[1 - _LONGEST :])
