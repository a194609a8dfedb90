"""One run from which the sizes at every scale factor follow.

If φ(s·h) = s·φ(h) for every s > 0 and there is no bias, then x_k at scale factor s is sᵏ times x_k
at scale factor 1: log2 of every size shifts by k·log2 s. Each layer is kept as numbers near 1 times
an exact power of two, so that nothing overflows. The arithmetic is exact up to the rounding of
float64. A real run rounds to its own number format, and is right where the two differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..host.limits import WorkLimit, chunk_layers, cost
from ..host.threads import keep_freed_memory, single_threaded
from ..layer.operation import MICROSECOND, Parameters
from ..layer.product import Product
from ..layer.scaled import Reach, Scaled, ScaledNumbers
from ..layer.stack import Layer, shifts
from ..maths.arrays import Array, log2
from ..question.experiment import Experiment
from ..statistics.layer_stats import LayerStats
from ..statistics.sums import add_up, joined
from .propagate import draw_input, draw_layer

_CPU = torch.device("cpu")
# Microseconds of keeping powers of two apart, for a layer and an element, and of an element of a
# matrix whose largest is looked for.
_APART, _APART_ELEMENT, _HEAVIEST = 45.0, 0.02, 5e-4


@dataclass(frozen=True)
class ScaleFree:
    """The sizes of x at scale factor 1, as log2; shifts·log2 s is to be added for scale factor s.

    All arrays are float64 of shape (depth + 1,). A logarithm is −inf for an exact zero.

    Attributes:
        log2_std: log2 of the standard deviation of x at layer k.
        log2_rms: log2 of the root mean square of x at layer k.
        log2_max_abs: log2 of the largest |x| at layer k.
        log2_reach: log2 of the largest |pre-activation| on a side on which φ is unbounded; x
            overflows where it does. At layer 0, log2 of the largest |x|.
        log2_weight: log2 of the largest |weight| of layer k; −inf at layer 0, which has none.
        shifts: the power of the scale factor that multiplies layer k: k after k products.
    """

    log2_std: Array
    log2_rms: Array
    log2_max_abs: Array
    log2_reach: Array
    log2_weight: Array
    shifts: Array


def is_scale_free(experiment: Experiment) -> bool:
    """Whether a scale factor only shifts the logarithms of all sizes, in a format above 8 bits.

    It does so if φ is positively homogeneous, there is no bias, and no layer fits its weights to
    its own input: such a fit undoes the scale factors of the layers before. Formats of 8 bits round
    so coarsely, or saturate, that exact arithmetic does not resemble their runs.
    """
    return experiment.layer.degree is not None and not experiment.format.is_coarse


def free_of_scale(experiment: Experiment) -> Experiment:
    """The same experiment at scale factor 1 in float64, the key of a ScaleFree in a cache.

    The loss scale is 1 too: the signal does not depend on it.
    """
    return experiment.replace(scale=1.0, number_format="float64", loss_scale=1.0)


def scale_free_work(experiment: Experiment) -> float:
    """The work of ``scale_free``, in multiply-adds: that of a run, and of keeping powers apart."""
    e = free_of_scale(experiment)
    drawn = e.depth if e.weights == "fresh" else 1
    vector, matrix = float(e.width * e.batch_size), float(e.width) ** 2
    apart = (_APART + _APART_ELEMENT * vector) * e.depth + (_HEAVIEST * matrix + 15) * drawn
    return cost(e).multiply_adds + apart * MICROSECOND


def scale_free(
    experiment: Experiment, *, on_progress: Callable[[float], object] | None = None
) -> ScaleFree:
    """Run ``experiment`` at scale factor 1, in float64 without limits to its range.

    Args:
        experiment: the question; its scale factor and number format are ignored.
        on_progress: called after every layer with the fraction that is done.

    Raises:
        ValueError: the experiment has a bias, or an activation or initialiser with which scales do
            not separate from the signal.
        WorkLimitError: the run needs more memory or work than the host allows.
    """
    e = free_of_scale(experiment)
    if not is_scale_free(e):
        raise ValueError(
            "a run free of scale needs bias_std 0 and a positively homogeneous activation, "
            "and no layer that is fitted to what the one before made, "
            f"got {e.bias_std:g}, {e.activation} and {e.weights} {e.init}"
        )
    WorkLimit.from_environment().check(e)
    keep_freed_memory()
    with torch.inference_mode(), single_threaded():
        return _run(e, on_progress or (lambda done: None))


def _run(e: Experiment, on_progress: Callable[[float], object]) -> ScaleFree:
    start = draw_input(e, _CPU)
    x = ScaledNumbers.of(start.view(1, e.width, e.batch_size))
    layer, arithmetic = e.layer, Scaled()
    exponents, reaches, weights = [x.power], [x.reach], [torch.zeros((), dtype=torch.float64)]
    waiting, sums, rows = [x.numbers[0]], [], chunk_layers(e)
    parameters: list[Parameters] | None = None
    for k in range(1, e.depth + 1):
        if parameters is None or e.weights == "fresh":
            parameters = None  # frees the old matrix before the new one is drawn
            parameters = draw_layer(e, k, _CPU, start)
            heaviest = _heaviest(layer, parameters)
        weights.append(heaviest)
        x = layer.forward(parameters, x, arithmetic)
        reach = x.reach
        reaches.append(reach)
        x = x.near_one(reach.largest if x.reach_before is None else None)
        exponents.append(x.power)
        waiting.append(x.numbers[0])
        on_progress(k / e.depth)
        if len(waiting) > rows or k == e.depth:
            sums.append(add_up(torch.stack(waiting), e.format))
            waiting = []
    stats = LayerStats.of(joined(sums))
    apart = torch.cat(exponents).numpy()  # layer k is its numbers times 2^apart[k]
    return ScaleFree(
        log2_std=stats.log2_std + apart,
        log2_rms=stats.log2_rms + apart,
        log2_max_abs=log2(stats.max_abs) + apart,
        log2_reach=log2(_joined(reaches, "largest")) + _joined(reaches, "power"),
        log2_weight=log2(torch.stack(weights).numpy()),
        shifts=shifts(layer, e.depth),
    )


def _heaviest(layer: Layer, parameters: list[Parameters]) -> Tensor:
    """The largest weight of a layer's products."""
    pairs = zip(layer, parameters, strict=True)
    return torch.stack([a.abs().amax() for op, a in pairs if isinstance(op, Product)]).amax()


def _joined(reaches: list[Reach], part: str) -> Array:
    """One part of the reach of a single network, per layer."""
    return np.asarray(torch.cat([getattr(reach, part) for reach in reaches]).numpy())
