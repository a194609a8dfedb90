"""How long it takes to import core, as a ratio to importing torch, each in a new interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.serving import ROOT

_ROUNDS = 7


def _seconds(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return time.perf_counter() - start


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, aim)."""
    for statement in ("import torch", "import core"):
        _seconds(statement)
    pairs = [(_seconds("import torch"), _seconds("import core")) for _ in range(_ROUNDS)]
    ratio = statistics.median(core / torch for torch, core in pairs)
    return [("import core / import torch", f"{ratio:.2f}", "<= 1.5")]
