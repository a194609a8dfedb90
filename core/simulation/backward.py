"""backpropagate(): the gradient through the same layers, with real matrices in the real format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..host.devices import resolve_device
from ..host.limits import chunk_layers, kept_matrices
from ..layer.operation import Parameters, Tape
from ..question.experiment import Experiment
from ..statistics import weight_gradients
from ..statistics.layer_stats import EVENTS, Event, LayerStats
from ..statistics.sums import LayerSums, add_up, joined
from ..statistics.weight_gradients import Factor, WeightGradients
from .propagate import (
    Hooks,
    Run,
    aligned_rows,
    computing,
    draw_layer,
    draw_output_gradient,
    forward,
    to_numpy,
)


@dataclass(frozen=True)
class BackwardEvents:
    """The layer k at which each event happened first on the way from L down to 0; None for never.

    Attributes:
        first_nonfinite: an element of δ_k is Inf or NaN.
        first_nan: an element of δ_k is NaN.
        all_zero: every element of δ_k is exactly zero.
        all_subnormal: every element of δ_k is subnormal or zero, and some are subnormal.
    """

    first_nonfinite: int | None
    first_nan: int | None
    all_zero: int | None
    all_subnormal: int | None

    @classmethod
    def of(cls, stats: LayerStats) -> BackwardEvents:
        """The events that the statistics of δ_0 … δ_L tell."""
        return cls(**{name: _last(EVENTS[name], stats) for name in cls.__dataclass_fields__})


def _last(event: Event, stats: LayerStats) -> int | None:
    assert event.at is not None  # the statistics tell the events of a gradient
    found = np.flatnonzero(event.at(stats))
    return int(found[-1]) if found.size else None


@dataclass(frozen=True)
class Backward:
    """A run and its gradient: δ_k = ∂ℓ/∂x_k for a loss ℓ whose gradient at the output is normal.

    Attributes:
        run: the run forward, to the bit what ``propagate`` returns.
        stats: every statistic of δ_0 … δ_L.
        weights: the gradients of the first matrix of each layer.
        events: what happened first on the way back.
        final: δ_0, shaped like x_0; float32 where NumPy lacks the format.
        of_products: the gradients of every matrix of a layer, in the order of the layer.
    """

    run: Run
    stats: LayerStats
    weights: WeightGradients
    events: BackwardEvents
    final: NDArray[np.floating]
    of_products: tuple[WeightGradients, ...]


class _Kept:
    """What the way back needs of the way there.

    Args:
        experiment: the question.
        target: the device.
    """

    def __init__(self, experiment: Experiment, target: torch.device) -> None:
        self._experiment, self._target = experiment, target
        self._keeps_parameters = kept_matrices(experiment) > 0
        self._parameters: list[list[Parameters]] = []
        self._tapes: list[Tape[Tensor]] = []
        self._fitted: list[Tensor] = []

    def keep(self, parameters: list[Parameters], x: Tensor, tape: Tape[Tensor]) -> None:
        """Keep a layer of the way there."""
        if self._keeps_parameters or (not self._parameters and self._is_tied):
            self._parameters.append(parameters)
        elif self._experiment.rule.fit is not None:
            self._fitted.append(x)  # to which the layer is fitted again
        self._tapes.append(tape)

    @property
    def _is_tied(self) -> bool:
        return self._experiment.weights == "tied"

    def layers(self) -> Iterator[tuple[list[Parameters], Tape[Tensor]]]:
        """The parameters and the tape of each layer, the last layer first.

        A layer is let go when the next one is asked for.
        """
        for layer in range(len(self._tapes), 0, -1):
            tape = self._tapes.pop()
            if self._is_tied:
                yield self._parameters[0], tape
            elif self._keeps_parameters:
                yield self._parameters.pop(), tape
            else:
                x = self._fitted.pop() if self._fitted else None
                yield draw_layer(self._experiment, layer, self._target, x), tape


def backpropagate(
    experiment: Experiment,
    device: str = "cpu",
    *,
    on_progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Backward:
    """Pass an input through the layers and a gradient back, and measure both at every layer.

    δ_L is a normal vector from a random stream of its own, times the loss scale; then
    δ_{k−1} = aᵀ (φ′(h_k) ∘ δ_k). Arguments and errors are those of ``propagate``; the way back is
    the second half of the progress.
    """
    target = resolve_device(device)
    hooks = Hooks(on_progress, should_stop, 2 * experiment.depth)
    with computing(experiment, target, hooks, backward=True):
        kept = _Kept(experiment, target)
        run = forward(experiment, target, hooks, kept.keep)
        return _way_back(run, target, kept, hooks)


def _way_back(run: Run, target: torch.device, kept: _Kept, hooks: Hooks) -> Backward:
    e = run.experiment
    g, arithmetic = draw_output_gradient(e, target), e.arithmetic
    gradients = _Chunks(e, g)
    products = [_Gradients(e) for _ in e.layer.products]
    done = e.depth
    for parameters, tape in kept.layers():
        g = e.layer.backward(parameters, tape, g, arithmetic)
        gradients.add(g)
        for product, met in zip(products, reversed(tape.products), strict=True):
            product.add(*met)
        del parameters, tape  # frees the matrix before the next one is drawn
        done += 1
        hooks.after(done)
    stats = gradients.stats()
    weights = tuple(product.measured() for product in products)
    return Backward(run, stats, weights[0], BackwardEvents.of(stats), to_numpy(g), weights)


class _Chunks:
    """δ_L, δ_{L−1}, … measured some layers at a time."""

    def __init__(self, experiment: Experiment, first: Tensor) -> None:
        self._format, self._sums = experiment.format, list[LayerSums]()
        self._rows = aligned_rows(chunk_layers(experiment) + 1, first)
        self._places = self._rows.unbind()
        self._filled = 0
        self.add(first)

    def add(self, g: Tensor) -> None:
        self._filled += 1
        self._places[-self._filled].copy_(g)  # from the last row on, as the layers come
        if self._filled == len(self._places):
            self._measure()

    def _measure(self) -> None:
        if self._filled:
            self._sums.append(add_up(self._rows[-self._filled :], self._format))
            self._filled = 0

    def stats(self) -> LayerStats:
        """Every statistic, in the order of the layers: δ_0 first."""
        self._measure()
        return LayerStats.of(joined(self._sums[::-1]))


class _Gradients:
    """The gradients of one matrix of each layer, measured some layers at a time."""

    def __init__(self, experiment: Experiment) -> None:
        self._format = experiment.format
        self._one_input = experiment.batch_size == 1
        self._rows = chunk_layers(experiment) if self._one_input else 1
        self._g: list[Tensor] = []
        self._x: list[Tensor] = []
        self._found: list[NDArray[np.float64]] = []
        self._sum = weight_gradients.Sum(self._format) if experiment.weights == "tied" else None

    def add(self, x: Tensor, g: Tensor) -> None:
        """Add a layer: the product's input, and the gradient with respect to a @ x."""
        self._g.append(g)
        self._x.append(x)
        if len(self._g) == self._rows:
            self._measure()

    def _measure(self) -> None:
        if not self._g:
            return
        g, x = Factor(torch.stack(self._g)), Factor(torch.stack(self._x))
        if self._one_input:
            found = weight_gradients.outer(g, x, self._format)
            if self._sum is not None:
                self._sum.add(g, x)
        else:
            found = weight_gradients.product(g, x, self._format, into=self._sum)
        self._found.append(found)
        self._g, self._x = [], []

    def measured(self) -> WeightGradients:
        """All layers, in their order."""
        self._measure()
        table = np.concatenate(self._found, axis=1)[:, ::-1]
        columns = np.concatenate([np.full((len(table), 1), np.nan), table], axis=1)
        whole = self._sum.measured() if self._sum else None
        return WeightGradients(columns[0], columns[1], columns[2], whole)
