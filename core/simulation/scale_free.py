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

from ..host.limits import WorkLimit, backward_cost, chunk_layers, cost, sums_work
from ..host.threads import keep_freed_memory, single_threaded
from ..layer.operation import MICROSECOND, Parameters, Tape
from ..layer.product import Product
from ..layer.scaled import Reach, Scaled, ScaledNumbers
from ..layer.stack import Layer, shifts
from ..layer.typed_activation import loses_parts_from
from ..maths.arrays import Array, log2
from ..question.experiment import Experiment
from ..statistics.layer_stats import LayerStats
from ..statistics.sums import LayerSums, add_up, joined
from .propagate import draw_input, draw_layer, draw_output_gradient

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
    its own input: such a fit undoes the scale factors of the layers before. A part of a formula
    must not leave the range where φ does not. Formats of 8 bits, and those that share scales, round
    so coarsely, or saturate, that exact arithmetic does not resemble their runs.
    """
    layer = experiment.layer
    separates = layer.degree is not None and layer.scale_power is not None
    if not separates or experiment.format.is_coarse:
        return False
    return loses_parts_from(experiment.phi, experiment.format.product_dtype) == np.inf


def free_of_scale(experiment: Experiment) -> Experiment:
    """The same experiment at scale factor 1 in float64, the key of a ScaleFree in a cache.

    The loss scale is 1 too: the signal does not depend on it.
    """
    return experiment.replace(scale=1.0, number_format="float64", loss_scale=1.0)


def scale_free_work(experiment: Experiment, *, backward: bool = False) -> float:
    """The work of ``scale_free``, in multiply-adds: that of a run, and of keeping powers apart."""
    e = free_of_scale(experiment)
    drawn = e.depth if e.weights == "fresh" else 1
    vector, matrix = float(e.width * e.batch_size), float(e.width) ** 2
    apart = (_APART + _APART_ELEMENT * vector) * e.depth + (_HEAVIEST * matrix + 15) * drawn
    if backward:
        work = backward_cost(e).multiply_adds - sums_work(e)  # no matrix's gradient is measured
        return work + 2 * apart * MICROSECOND
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
    return _walked(experiment, on_progress, backward=False).there.found()


def scale_free_gradient(
    experiment: Experiment, *, on_progress: Callable[[float], object] | None = None
) -> tuple[ScaleFree, ScaleFree]:
    """The run at scale factor 1, and its gradient as a signal from the output to the input.

    The loss scale is 1. Arguments and errors are those of ``scale_free``. Step j of the gradient is
    δ at layer L − j; its weights are those that it has just passed.
    """
    walk = _walked(experiment, on_progress, backward=True)
    return walk.there.found(), walk.back.found()


def _walked(
    experiment: Experiment, on_progress: Callable[[float], object] | None, *, backward: bool
) -> _Walk:
    e = free_of_scale(experiment)
    if not is_scale_free(e):
        raise ValueError(
            "a run free of scale needs a positively homogeneous activation, no bias, no layer that "
            "is fitted to what the one before made, and a format of more than 8 bits, got "
            f"{e.activation}, bias_std {e.bias_std:g}, {e.weights} {e.init}, {e.number_format}"
        )
    WorkLimit.from_environment().check(e, backward=backward)
    keep_freed_memory()
    with torch.inference_mode(), single_threaded():
        walk = _Walk(e, on_progress or (lambda done: None), backward=backward)
        walk.go_there()
        if backward:
            walk.go_back()
    return walk


class _Sizes:
    """The sizes of one signal at every layer, measured some layers at a time."""

    def __init__(self, e: Experiment) -> None:
        self._e, self._rows = e, chunk_layers(e)
        self._powers: list[Tensor] = []
        self._reaches: list[Reach] = []
        self._weights: list[Tensor] = []
        self._waiting: list[Tensor] = []
        self._sums: list[LayerSums] = []

    def add(self, x: ScaledNumbers, reach: Reach, weight: Tensor) -> None:
        """Add a layer: its numbers, what may overflow in it, and its largest weight."""
        self._powers.append(x.power)
        self._reaches.append(reach)
        self._weights.append(weight)
        self._waiting.append(x.numbers[0])
        if len(self._waiting) > self._rows:
            self._measure()

    def _measure(self) -> None:
        if self._waiting:
            self._sums.append(add_up(torch.stack(self._waiting), self._e.format))
            self._waiting = []

    def found(self) -> ScaleFree:
        """The sizes."""
        self._measure()
        stats = LayerStats.of(joined(self._sums))
        apart = torch.cat(self._powers).numpy()  # layer k is its numbers times 2^apart[k]
        return ScaleFree(
            log2_std=stats.log2_std + apart,
            log2_rms=stats.log2_rms + apart,
            log2_max_abs=log2(stats.max_abs) + apart,
            log2_reach=log2(_joined(self._reaches, "largest")) + _joined(self._reaches, "power"),
            log2_weight=log2(torch.stack(self._weights).numpy()),
            shifts=shifts(self._e.layer, self._e.depth),
        )


class _Walk:
    """The way of a signal through the layers, and of its gradient back.

    Args:
        e: the question, free of scale.
        on_progress: called after every layer.
        backward: whether what the way back needs is kept.
    """

    def __init__(
        self, e: Experiment, on_progress: Callable[[float], object], *, backward: bool
    ) -> None:
        self._e, self._on_progress, self._keeps = e, on_progress, backward
        self._start = draw_input(e, _CPU)
        self._parameters: list[Parameters] = []
        self._kept: list[Tape[ScaledNumbers]] = []
        self._heaviest: list[Tensor] = []
        self._done, self._steps = 0, e.depth * (2 if backward else 1)
        self.there, self.back = _Sizes(e), _Sizes(e)

    def go_there(self) -> None:
        """Pass the input through all layers."""
        e, arithmetic = self._e, Scaled()
        x = ScaledNumbers.of(self._start.view(1, e.width, e.batch_size))
        self.there.add(x, x.reach, torch.zeros((), dtype=torch.float64))
        for k in range(1, e.depth + 1):
            if k == 1 or e.weights == "fresh":
                self._draw(k)
                self._heaviest.append(_heaviest(e.layer, self._parameters))
            tape = Tape[ScaledNumbers]() if self._keeps else None
            x = e.layer.forward(self._parameters, x, arithmetic, None, tape)
            if tape is not None:
                self._kept.append(tape)
            reach = x.reach
            x = x.near_one(reach.largest if x.reach_before is None else None)
            self.there.add(x, reach, self._heaviest[-1])
            self._tell()

    def go_back(self) -> None:
        """Pass a gradient from the output back to the input."""
        e, arithmetic = self._e, Scaled()
        g = draw_output_gradient(e, _CPU).view(1, e.width, e.batch_size)
        x = ScaledNumbers.of(g)
        self.back.add(x, x.reach, torch.ones((), dtype=torch.float64))
        for k in range(e.depth, 0, -1):
            if e.weights == "fresh" and k < e.depth:
                self._draw(k)
            x = e.layer.backward(self._parameters, self._kept.pop(), x, arithmetic).near_one()
            self.back.add(x, x.reach, self._heaviest[k - 1 if e.weights == "fresh" else 0])
            self._tell()

    def _draw(self, layer: int) -> None:
        self._parameters = []  # frees the old matrix before the new one is drawn
        self._parameters = draw_layer(self._e, layer, _CPU, self._start)

    def _tell(self) -> None:
        self._done += 1
        self._on_progress(self._done / self._steps)


def _heaviest(layer: Layer, parameters: list[Parameters]) -> Tensor:
    """The largest weight of a layer's products."""
    pairs = zip(layer, parameters, strict=True)
    return torch.stack([a.abs().amax() for op, a in pairs if isinstance(op, Product)]).amax()


def _joined(reaches: list[Reach], part: str) -> Array:
    """One part of the reach of a single network, per layer."""
    return np.asarray(torch.cat([getattr(reach, part) for reach in reaches]).numpy())
