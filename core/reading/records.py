"""A Run as plain records, and every table and file format that is written from them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from ..simulation.propagate import Run
from ..statistics.layer_stats import STATISTICS
from ..text import significant

Record = dict[str, Any]


def layer_records(run: Run) -> list[Record]:
    """One record per layer 0 … depth: ``layer`` and every statistic."""
    columns = {name: run.stats.values[name].tolist() for name in STATISTICS}
    return [
        {"layer": layer} | {name: column[layer] for name, column in columns.items()}
        for layer in range(len(run.stats))
    ]


def layer_table(run: Run) -> list[dict[str, str | int | None]]:
    """One row per layer to be read on screen: layer and loop index, then four digits of each.

    A statistic that is known at no layer, as what compares inputs is for one input, has no column.
    """
    known = [name for name in STATISTICS if not np.isnan(run.stats.values[name]).all()]

    def cell(name: str, value: float) -> str:
        if STATISTICS[name].kind == "fraction":
            return f"{value:.1%}"
        return significant(value, digits=4)

    return [
        {"layer k": record["layer"], "i": record["layer"] - 1 if record["layer"] else None}
        | {STATISTICS[name].label: cell(name, record[name]) for name in known}
        for record in layer_records(run)
    ]


def _strict(value: Any) -> Any:
    """JSON has no NaN and no infinity: both become null. log2_std tells a huge std from none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(run: Run) -> str:
    """{"experiment": …, "device": …, "events": …, "layers": […]}, strict JSON."""
    layers = [
        {name: _strict(value) for name, value in record.items()} for record in layer_records(run)
    ]
    document = {
        "experiment": asdict(run.experiment),
        "device": run.device,
        "events": asdict(run.events),
        "layers": layers,
    }
    return json.dumps(document, allow_nan=False, indent=1) + "\n"


def to_csv(run: Run) -> str:
    """A header and one line per layer; nan, inf and -inf as Python writes them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["layer", *STATISTICS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(layer_records(run))
    return out.getvalue()


def to_table(run: Run) -> str:
    """The events, and the main statistics in columns, for a terminal."""
    shown = ("mean", "std", "rms", "max_abs", "zero", "nonfinite")
    lines = [" ".join(f"{name}={text}" for name, text in run.experiment.to_query().items())]
    lines += [f"device={run.device}", ""]
    for name, index in asdict(run.events).items():
        when = "never" if index is None else f"i = {index} (product {index + 1})"
        lines.append(f"{name:<20}{when}")
    lines += ["", "layer" + "".join(f"{name:>13}" for name in shown)]
    for record in layer_records(run):
        cells = "".join(f"{record[name]:>13.5g}" for name in shown)
        lines.append(f"{record['layer']:>5}{cells}")
    return "\n".join(lines) + "\n"


FILE_FORMATS: dict[str, Callable[[Run], str]] = {
    "table": to_table,
    "json": to_json,
    "csv": to_csv,
}
"""Name -> writer of a whole run."""
