"""How much of the machine a process uses, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path


def resident(pid: int) -> float:
    """Memory in use, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """Processor time spent so far by all its threads, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
