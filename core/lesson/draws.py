"""a and x drawn anew for each product, several products at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..host.threads import single_threaded
from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from ..question.streams import stream_seed
from .setting import Setting
from .step import OnProgress

_AT_ONCE = 2**20  # weights in a batch: several matrices that fit into the processor's cache


def at_once(n: int, count: int) -> int:
    """How many of ``count`` matrices a batch has."""
    return min(count, max(1, _AT_ONCE // n**2))


def work_of_draws(setting: Setting, per_weight: float = 0.0) -> float:
    """The multiply-adds of `statistics_of_draws`.

    Args:
        setting: n and repetitions count.
        per_weight: microseconds that the statistics take for a weight.
    """
    n, count = setting.n, setting.repetitions
    calls = 200 * -(-count // at_once(n, count))
    return (500 + calls + count * n**2 * (0.0045 + per_weight)) * MICROSECOND


def batches(n: int, count: int) -> Iterator[tuple[slice, Tensor]]:
    """Divide ``count`` draws into batches that fit into the processor's cache.

    Yields:
        The places of a batch's draws among all, and uninitialised memory for their matrices,
        float32 of shape (draws, n, n). The next batch uses the same memory.
    """
    step = at_once(n, count)
    matrices = torch.empty(step, n, n)
    for start in range(0, count, step):
        places = slice(start, min(start + step, count))
        yield places, matrices[: places.stop - start]


def statistics_of_draws(
    setting: Setting,
    statistics: Callable[[Tensor, Tensor, Tensor], Tensor],
    on_progress: OnProgress,
) -> Array:
    """Statistics of y = a @ x in ``repetitions`` draws of a and x from N(0, 1).

    Args:
        setting: n, seed and repetitions count; depth does not.
        statistics: of a batch: from a of shape (draws, n, n), x and y of shape (draws, n) to a
            shape (…, draws). It may overwrite a and y.
        on_progress: called after every batch with the fraction that is done.

    Returns:
        float64 of shape (…, repetitions).
    """
    stream = torch.Generator().manual_seed(stream_seed(setting.seed, 0))
    n, count = setting.n, setting.repetitions
    found = []
    with torch.inference_mode(), single_threaded():
        inputs = torch.randn(count, n, generator=stream)
        for places, matrices in batches(n, count):
            x = inputs[places]
            a = torch.randn(len(x), n, n, generator=stream, out=matrices)
            y = torch.from_numpy(a.numpy() @ x[:, :, None].numpy())[:, :, 0]
            found.append(statistics(a, x, y).double())
            on_progress(places.stop / count)
    joined: Array = torch.cat(found, -1).numpy()
    return joined
