"""Layers as people build them: runs beside bare loops of torch, and ensembles beside real loops."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.nn.functional import gelu, layer_norm

from core import Experiment, mean_field, predict, propagate, sample_ensemble
from tests.bench.compute import in_turn
from tests.bench.theory import seconds

Row = tuple[str, str, str]
BLOCKS = Experiment(
    width=256,
    depth=48,
    init="normal",
    scale=0.02,
    activation="gelu",
    batch_size=8,
    branch="mlp",
    skip="identity",
    norm="layer",
    branch_scale=0.1,
)
_NETWORKS = 1000
_TIMED = 2  # networks of the bare loop that are timed


def blocks(n: int, layers: int, inputs: int, *, fresh: bool) -> None:
    """x + 0.1·a₂ gelu(a₁ norm(x)) in bare torch, with a row for each input."""
    x = torch.randn(inputs, n)
    for k in range(layers):
        if fresh or not k:
            up, down = torch.randn(4 * n, n) * 0.02, torch.randn(n, 4 * n) * 0.02
        x = x + 0.1 * (gelu(layer_norm(x, (n,)) @ up.T) @ down.T)


def _runs() -> Iterator[Row]:
    for weights, rounds in (("tied", 12), ("fresh", 3)):
        e = BLOCKS.replace(weights=weights)
        fresh = weights == "fresh"
        times = in_turn(
            {
                "ours": lambda e=e: propagate(e),
                "bare": lambda fresh=fresh: blocks(256, 48, 8, fresh=fresh),
            },
            rounds=rounds,
        )
        yield (
            f"pre-norm mlp, {weights} / bare loop",
            f"{times['ours'] / times['bare']:.2f}",
            "<= 1.3",
        )


def _in_law() -> Iterator[Row]:
    e = BLOCKS.replace(weights="fresh", batch_size=1)
    bare = seconds(lambda: blocks(256, 48, 1, fresh=True), rounds=_TIMED) * _NETWORKS
    ours = seconds(lambda: sample_ensemble(e, _NETWORKS), rounds=1)
    yield f"{_NETWORKS} networks of it, n = 256", f"{ours:.2f} s", ""
    yield "  bare loops / ensemble", f"{bare:.0f} s, {bare / ours:.0f} x", ">= 100 x"


def _theory() -> Iterator[Row]:
    for norm in ("layer", "batch"):
        e = BLOCKS.replace(norm=norm, weights="fresh", depth=100)
        yield (
            f"profile, {norm} norm",
            f"{seconds(lambda e=e: mean_field.profile(e)) * 1e3:.0f} ms",
            "",
        )
    e = BLOCKS.replace(weights="fresh", batch_size=1, depth=100)
    yield "predict, pre-norm mlp", f"{seconds(lambda: predict(e)) * 1e3:.0f} ms", "<= 100 ms"


def rows() -> Iterator[Row]:
    """(what, measured, aim), all on one thread, as a host computes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield from _runs()
    yield from _in_law()
    yield from _theory()
    torch.set_num_threads(threads)


if __name__ == "__main__":
    for what, measured, aim in rows():
        print(f"{what:54}{measured:>28}{aim:>14}", flush=True)
