"""Everything that is computed of an experiment, each as a hash of its bits.

``python -m tests.core.bits`` writes the hashes of the experiments in bits.json anew. They change
only where a change is meant to change numbers: links are kept for years, and show what they showed.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path

import numpy as np
import torch

from core import Experiment, predict, propagate, sample_ensemble, to_script
from core.simulation.scale_free import is_scale_free, scale_free
from core.theory.windows import has_window, scale_windows

PATH = Path(__file__).with_suffix(".json")
NETWORKS, SEED = 12, 3
SIZES = ("log2_rms", "log2_std", "mean", "zero", "log2_reach", "log2_max_abs")
ENSEMBLE = (*SIZES, "first_overflow", "first_all_zero")
STATISTICS = (
    "log2_rms",
    "log2_std",
    "max_abs",
    "mean",
    "nan",
    "negative",
    "nonfinite",
    "rms",
    "saturated",
    "std",
    "subnormal",
    "zero",
)
FORMATS_OF_WINDOWS = (
    "bfloat16",
    "float16",
    "float32",
    "float64",
    "float8_e4m3fn",
    "float8_e5m2",
)
"""Every row has the windows of these, and of its own format: later formats change no older row."""
SCALE_FREE = ("log2_std", "log2_rms", "log2_max_abs", "log2_reach", "log2_weight")


def machine():
    """What decides how a sum is rounded: the processor, and the libraries' versions."""
    found = {"torch": torch.__version__, "numpy": np.__version__, "system": platform.machine()}
    found["kernels"] = torch.backends.cpu.get_cpu_capability()
    about = Path("/proc/cpuinfo")
    lines = about.read_text().split("\n\n")[0].splitlines() if about.exists() else []
    fields = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    wanted = ("vendor_id", "cpu family", "model")
    return found | {name: fields.get(name, "").strip() for name in wanted}


def hashed(*parts):
    """A hash of arrays, bit by bit, and of everything else as Python writes it."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(str(part.dtype).encode() + str(part.shape).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()[:16]


def attributes(thing, names):
    return hashed(*[np.asarray(getattr(thing, name)) for name in names])


def by_level(quantiles):
    return sorted((level, hashed(values)) for level, values in quantiles.items())


def answers(e):
    """Name -> hash of what is computed of an experiment."""
    run, many, theory = propagate(e), sample_ensemble(e, NETWORKS, seed=SEED), predict(e)
    names = sorted({*FORMATS_OF_WINDOWS, e.number_format})
    windows = scale_windows(e, names) if has_window(e) else {}
    bins = run.stats.histogram
    statistics = [run.stats.values[name] for name in STATISTICS]
    found = {
        "final": hashed(run.final),
        "stats": hashed(*statistics, bins.counts, bins.first_key, bins.keys_per_bin),
        "events": hashed(*vars(run.events).values()),
        "script": hashed(to_script(e)),
        "ensemble": attributes(many, ENSEMBLE) + str(many.exact_in_law)[0],
        "predict": hashed(
            by_level(theory.log2_rms_quantiles),
            by_level(theory.log2_std_quantiles),
            sorted(theory.overflow_pmf.items()),
            sorted(theory.all_zero_pmf.items()),
            theory.born_dead,
        ),
        "windows": hashed(sorted((name, w.low, w.high) for name, w in windows.items())),
    }
    if is_scale_free(e):
        found["free"] = attributes(scale_free(e), SCALE_FREE)
    return found


def kept():
    """The machine that the hashes were made on, and a row per experiment."""
    return json.loads(PATH.read_text())


def main():
    rows = []
    for row in kept()["rows"]:
        e = Experiment.from_query(row["experiment"])[0]
        rows.append({"experiment": row["experiment"]} | answers(e))
    PATH.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
