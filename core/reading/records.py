"""A Run or a Backward as plain records, and every table and file format made of them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from ..simulation.backward import Backward
from ..simulation.propagate import Run
from ..statistics.layer_stats import STATISTICS
from ..statistics.weight_gradients import NAMES
from ..text import significant
from .gradient import both_ways
from .trainable import in_a_word
from .verdict import judge

Record = dict[str, Any]
Found: TypeAlias = Run | Backward
_OF_GRADIENT, _OF_WEIGHTS = "gradient_", "weight_gradient_"
_SHARES = [f"{_OF_WEIGHTS}{name}" for name in ("zero", "nonfinite")]


def _run_of(found: Found) -> Run:
    return found.run if isinstance(found, Backward) else found


def _columns(found: Found) -> dict[str, list[float]]:
    """Name -> a number per layer: every statistic of x, then of its gradient and the weights'."""
    run = _run_of(found)
    columns = {name: run.stats.values[name].tolist() for name in STATISTICS}
    if isinstance(found, Backward):
        both = [name for name, entry in STATISTICS.items() if not entry.of_signal_alone]
        back = {f"{_OF_GRADIENT}{name}": found.stats.values[name].tolist() for name in both}
        weights = {f"{_OF_WEIGHTS}{n}": getattr(found.weights, n).tolist() for n in NAMES}
        columns |= back | weights
    return columns


def layer_records(found: Found) -> list[Record]:
    """One record per layer 0 … depth: ``layer`` and every statistic.

    A Backward adds ``gradient_…``, the same of δ, and ``weight_gradient_…``, of the layer's
    first matrix.
    """
    columns = _columns(found)
    return [
        {"layer": layer} | {name: column[layer] for name, column in columns.items()}
        for layer in range(len(_run_of(found).stats))
    ]


def layer_table(found: Found) -> list[dict[str, str | int | None]]:
    """One row per layer to be read on screen: layer and loop index, then four digits of each.

    A statistic that is known at no layer, as what compares inputs is for one input, has no column.
    """
    columns = {name: column for name, column in _columns(found).items() if not _is_unknown(column)}

    def cell(name: str, value: float) -> str:
        statistic = STATISTICS.get(name.removeprefix(_OF_GRADIENT))
        is_share = statistic.kind == "fraction" if statistic else name in _SHARES
        shown = is_share and not math.isnan(value)
        return f"{value:.1%}" if shown else significant(value, digits=4)

    return [
        {"layer k": layer, "i": layer - 1 if layer else None}
        | {_label(name): cell(name, column[layer]) for name, column in columns.items()}
        for layer in range(len(_run_of(found).stats))
    ]


def _is_unknown(column: list[float]) -> bool:
    return bool(np.isnan(column).all())


def _label(name: str) -> str:
    """A column's name on screen: x is not named, δ is the gradient, G that of the weights."""
    if name.startswith(_OF_WEIGHTS):
        return f"G: {name.removeprefix(_OF_WEIGHTS).replace('_', ' ')}"
    if name.startswith(_OF_GRADIENT):
        return f"δ: {STATISTICS[name.removeprefix(_OF_GRADIENT)].label}"
    return STATISTICS[name].label


def _strict(value: Any) -> Any:
    """JSON has no NaN and no infinity: both become null. log2_std tells a huge std from none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(found: Found) -> str:
    """{"experiment": …, "device": …, "events": …, "layers": […]}, strict JSON.

    A Backward adds ``gradient_events``, which are layers, and ``weight_gradient`` where one matrix
    is used at every step: its gradient is the sum over the steps.
    """
    run = _run_of(found)
    layers = [
        {name: _strict(value) for name, value in record.items()} for record in layer_records(found)
    ]
    document = {
        "experiment": asdict(run.experiment),
        "device": run.device,
        "events": asdict(run.events),
    }
    if isinstance(found, Backward):
        document["gradient_events"] = asdict(found.events)
        if found.weights.whole:
            whole = {name: _strict(value) for name, value in found.weights.whole.items()}
            document["weight_gradient"] = whole
    return json.dumps(document | {"layers": layers}, allow_nan=False, indent=1) + "\n"


def to_csv(found: Found) -> str:
    """A header and one line per layer; nan, inf and -inf as Python writes them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["layer", *_columns(found)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(layer_records(found))
    return out.getvalue()


def _verdicts(back: Backward) -> list[str]:
    """The verdicts on the signal and on its gradient, and one for both, as lines."""
    forward, gradient = judge(back.run), judge(back)
    told = both_ways(forward.kind, gradient.kind), in_a_word(back.run.experiment)
    return [
        f"forward   {forward.kind}: {forward.sentence}",
        f"gradient  {gradient.kind}: {gradient.sentence}",
        f"both      {'; '.join(filter(None, told))}",
    ]


def _events(found: Found) -> list[str]:
    """The iteration of each event of x, and the layer of each event of δ, as lines."""
    lines, run = [], _run_of(found)
    step = run.experiment.step
    for name, index in asdict(run.events).items():
        when = "never" if index is None else f"i = {index} ({step} {index + 1})"
        lines.append(f"{name:<20}{when}")
    if isinstance(found, Backward):
        for name, layer in asdict(found.events).items():
            when = "never" if layer is None else f"layer {layer}"
            lines.append(f"{'gradient ' + name:<26}{when}")
    return lines


def to_table(found: Found) -> str:
    """The events, and the main statistics in columns, for a terminal.

    A Backward adds both verdicts above, and its own columns.
    """
    run = _run_of(found)
    shown = ["mean", "std", "rms", "max_abs", "zero", "nonfinite"]
    lines = [" ".join(f"{name}={text}" for name, text in run.experiment.to_query().items())]
    lines += [f"device={run.device}", ""]
    if isinstance(found, Backward):
        lines += [*_verdicts(found), ""]
        shown += ["gradient_rms", "gradient_zero", "weight_gradient_log2_rms"]
    lines += _events(found)
    widths = [max(13, len(name) + 2) for name in shown]
    lines += ["", "layer" + "".join(f"{n:>{w}}" for n, w in zip(shown, widths, strict=True))]
    for record in layer_records(found):
        cells = "".join(f"{record[n]:>{w}.5g}" for n, w in zip(shown, widths, strict=True))
        lines.append(f"{record['layer']:>5}{cells}")
    return "\n".join(lines) + "\n"


FILE_FORMATS: dict[str, Callable[[Found], str]] = {
    "table": to_table,
    "json": to_json,
    "csv": to_csv,
}
"""Name -> writer of a whole run, with its gradient if there is one."""
