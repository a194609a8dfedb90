"""How near the host's estimates of work come to the processor time that it takes.

``python -m tests.bench.estimates`` draws random pieces of work of each kind, and prints how the
estimate compares with what was measured.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from core import (
    ACTIVATIONS,
    INITIALIZERS,
    NUMBER_FORMATS,
    Experiment,
    propagate,
    sample_ensemble,
)
from core.host.limits import cost, ensemble_work
from core.layer.operation import MICROSECOND
from core.sweep import sweep
from core.sweep.axes import parse
from core.sweep.chunks import groups_of
from core.sweep.groups import Question, work

_LONGEST = 0.3e6 * MICROSECOND  # a piece takes 0.3 s at most
_PIECES = 300
_SEED = 7

Piece = tuple[float, Callable[[], object]]


def _experiment(draw: random.Random, widest: float, deepest: float) -> Experiment:
    return Experiment(
        width=round(2 ** draw.uniform(0, widest)),
        depth=round(2 ** draw.uniform(0, deepest)),
        init=draw.choice(list(INITIALIZERS)),
        activation=draw.choice(list(ACTIVATIONS)),
        weights=draw.choice(["tied", "fresh"]),
        bias_std=draw.choice([0.0, 0.1]),
        number_format=draw.choice(list(NUMBER_FORMATS)),
        batch_size=draw.choice([1, 1, 1, 2, 3, 8, 64]),
        scale=draw.choice([1.0, 0.05]),
    )


def _run(draw: random.Random) -> Piece:
    e = _experiment(draw, 10.5, 10)
    return cost(e).multiply_adds, lambda: propagate(e)


def _ensemble(draw: random.Random) -> Piece:
    e, size = _experiment(draw, 10.5, 10), draw.choice([1, 16, 64, 256])
    return ensemble_work(e, size), lambda: sample_ensemble(e, size)


def _sweep(draw: random.Random) -> Piece:
    e, real = _experiment(draw, 7, 7), draw.random() < 0.5
    axes = parse("scale=0.1..2:4"), parse("bias_std=0,0.1")
    question = Question("log2_rms", ensemble_size=draw.choice([1, 8]), real=real)
    groups, _ = groups_of(e, axes, question)
    estimate = sum(work(group, question) for group in groups)
    given = {axis.name: axis.values for axis in axes}
    how = {"ensemble_size": question.ensemble_size, "real": real}
    return estimate, lambda: sweep(e, given, "log2_rms", **how)


KINDS = {"runs": _run, "ensembles": _ensemble, "sweeps": _sweep}


def _seconds(compute: Callable[[], object]) -> float:
    began = time.process_time()
    compute()
    return time.process_time() - began


def ratios(kind: str, pieces: int, seed: int = _SEED) -> np.ndarray:
    """Estimate over processor time, of so many random pieces of work."""
    draw, found = random.Random(seed), []
    while len(found) < pieces:
        estimate, compute = KINDS[kind](draw)
        if estimate <= _LONGEST:
            taken = min(_seconds(compute), _seconds(compute))
            found.append(estimate / (1e6 * MICROSECOND) / taken)
    return np.array(found)


def rows(pieces: int = 60) -> Iterator[tuple[str, str, str]]:
    """The worst and the middle of each kind."""
    torch.set_num_threads(1)
    for kind in KINDS:
        low, middle, high = np.quantile(ratios(kind, pieces), [0, 0.5, 1])
        told = f"{low:.2f} to {high:.2f}, median {middle:.2f}"
        yield f"estimate / time, {pieces} random {kind}", told, "1/3 to 3"


if __name__ == "__main__":
    for what, measured, aim in rows(_PIECES):
        print(f"{what:44}{measured:>38}{aim:>14}", flush=True)
