"""``make bench``: one table. It measures and never judges."""

from __future__ import annotations

import platform

import torch

from tests.bench import (
    compute,
    estimates,
    layers,
    lesson,
    live,
    start,
    sweeps,
    theory,
    way_back,
)


def main() -> None:
    """Print what was measured beside what is aimed at."""
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'':44}{'measured':>38}{'aim':>14}")
    parts = (
        compute.rows,
        compute.cuda_rows,
        theory.rows,
        way_back.rows,
        layers.rows,
        sweeps.rows,
        estimates.rows,
        lesson.rows,
        start.rows,
        live.rows,
    )
    for part in parts:
        for what, measured, aim in part():
            print(f"{what:44}{measured:>38}{aim:>14}", flush=True)


if __name__ == "__main__":
    main()
