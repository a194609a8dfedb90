"""What the lesson's own loop would print: torch's x.mean() and x.std(), checked after every step.

Those are poor detectors. A float32 mean adds up in float32, so its sum overflows while every
element is still finite; a std squares, so it may overflow at half the exponent. This module finds
the steps at which they fail, calling the very same functions, but only where they could fail.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..layer.number_formats import NumberFormat
from ..maths.arrays import Array
from .layer_stats import EVENTS
from .sums import LayerSums


def _std(x: Tensor) -> Tensor:
    """x.std(), without the warning that it is 0/0 of a single element."""
    return x.std() if x.numel() > 1 else x.new_tensor(torch.nan)


_CHECKS: dict[str, Callable[[Tensor], Tensor]] = {"mean": torch.mean, "std": _std}
_IS: dict[str, Callable[[Array], NDArray[np.bool_]]] = {"NaN": np.isnan, "Inf": np.isinf}
_FAILURES = {name: event.printed for name, event in EVENTS.items() if event.printed}


@cache
def _safe_size(number_format: NumberFormat, device_type: str, count: int) -> float:
    """While max|x| is below this, no sum, sum of squares or result of torch leaves its range.

    torch sums in the format, or in float32 if that is wider; the squares of a std in float64 on
    a CPU and in the format of the sum on CUDA.
    """
    sums = number_format.sum_dtype
    squares = torch.float64 if device_type == "cpu" else sums
    return min(
        torch.finfo(sums).max / (2 * count),
        torch.finfo(squares).max ** 0.5 / (2 * count),
        number_format.max / 4,
    )


def _could_fail(x: Tensor, sums: LayerSums, number_format: NumberFormat) -> list[int]:
    """The layers at which torch's statistics have to be asked."""
    count = sums.count
    limit = _safe_size(number_format, x.device.type, count)
    suspicious = (sums.values["max_abs"] >= limit) | (sums.values["nonfinite"] > 0) | (count == 1)
    return [int(layer) for layer in np.flatnonzero(suspicious)]


def torch_statistics(
    x: Tensor, sums: LayerSums, number_format: NumberFormat, *, first_layer: int
) -> dict[str, int | None]:
    """The first loop index at which torch's own mean and std are NaN, and Inf, within a chunk.

    Args:
        x: activations, shape (layers, width) or (layers, width, batch).
        sums: their sums.
        number_format: their format; torch has no mean of the 8-bit ones, which are widened.
        first_layer: the number of the chunk's first layer.

    Returns:
        notebook_mean_nan, notebook_std_nan, notebook_mean_inf, notebook_std_inf.
    """
    layers = [k for k in _could_fail(x, sums, number_format) if first_layer + k > 0]
    # Once an element is NaN so is every statistic: nothing later can come first.
    after = next((place for place, k in enumerate(layers) if sums.values["nan"][k]), len(layers))
    layers = layers[: after + 1]
    if not layers:
        return dict.fromkeys(_FAILURES)
    rows = [x[k].to(number_format.product_dtype) for k in layers]
    printed = torch.stack([check(row) for check in _CHECKS.values() for row in rows])
    table = dict(zip(_CHECKS, printed.cpu().double().numpy().reshape(2, -1), strict=True))
    found = {}
    for event, (statistic, value) in _FAILURES.items():
        hits = np.flatnonzero(_IS[value](table[statistic]))
        found[event] = first_layer + layers[hits[0]] - 1 if hits.size else None
    return found
