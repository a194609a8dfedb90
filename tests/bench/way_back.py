"""The gradient beside the signal: what the way back costs, and what it costs without matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

import torch

from core import Experiment, backpropagate, predict, propagate, sample_ensemble
from core.simulation import backward
from core.theory import known_law
from tests.bench.compute import FRESH, LESSON, in_turn
from tests.bench.theory import seconds

Row = tuple[str, str, str]
_NETWORKS = 1000
_TIMED = 2  # networks of the bare loop that are timed


def there_and_back(n: int, layers: int) -> None:
    """Products with matrices that are kept, and the transposed products with a ReLU."""
    x, g, kept = torch.randn(n), torch.randn(n), []
    for _ in range(layers):
        a = torch.randn(n, n) * (2 / n) ** 0.5
        h = a @ x
        kept.append((a, h))
        x = h.relu()
    for a, h in reversed(kept):
        g = a.T @ (g * (h > 0))


def _ratio(experiment: Experiment, rounds: int) -> float:
    times = in_turn(
        {"there": lambda: propagate(experiment), "both": lambda: backpropagate(experiment)},
        rounds=rounds,
    )
    return times["both"] / times["there"]


def _real() -> Iterator[Row]:
    yield "lesson, there and back / there", f"{_ratio(LESSON, 40):.2f}", "<= 2.6"
    yield "fresh, weights kept", f"{_ratio(FRESH, 5):.2f}", "<= 1.6"
    with mock.patch.object(backward, "kept_matrices", return_value=0):
        yield "fresh, weights drawn again", f"{_ratio(FRESH, 5):.2f}", "<= 2.2"


def _in_law() -> Iterator[Row]:
    e = FRESH.replace(activation="relu", init="kaiming_normal")
    bare = seconds(lambda: there_and_back(e.width, e.depth), rounds=_TIMED) * _NETWORKS
    ours = seconds(lambda: sample_ensemble(e, _NETWORKS, backward=True), rounds=1)
    yield f"{_NETWORKS} fresh networks with gradients, n = 512", f"{ours:.2f} s", ""
    yield "  bare loops / ensemble", f"{bare:.0f} s, {bare / ours:.0f} x", ">= 100 x"


def _first(experiment: Experiment) -> Callable[[], object]:
    """Predict as for the first time."""

    def work() -> object:
        for cached in (known_law._chain, known_law._chain_back):
            cached.cache_clear()
        return predict(experiment)

    return work


def _laws() -> Iterator[Row]:
    for activation in ("relu", "tanh", "gelu", "softplus"):
        e = Experiment(width=256, weights="fresh", init="critical", activation=activation)
        if activation == "softplus":  # which has no critical gain without a bias
            e = e.replace(init="lecun_normal")
        first, again = seconds(_first(e)), seconds(lambda e=e: predict(e))
        told = f"{first * 1e3:.0f} ms, again {again * 1e3:.1f} ms"
        yield f"predict with gradients, {activation}, first", told, "<= 100 ms"


def rows() -> Iterator[Row]:
    """(what, measured, aim)."""
    yield from _real()
    yield from _in_law()
    yield from _laws()


if __name__ == "__main__":
    for what, measured, aim in rows():
        print(f"{what:54}{measured:>28}{aim:>14}", flush=True)
