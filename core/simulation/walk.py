"""The way of the signals of several networks, and of their gradients back, with what is measured.

Every signal is kept as numbers near 1 times a power of two, so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from ..host.limits import IN_CACHE
from ..layer.operation import Parameters, Tape
from ..layer.scaled import Scaled, ScaledNumbers
from ..maths.arrays import Array
from ..question.experiment import Experiment

Layers = Iterator[ScaledNumbers]


class Walk:
    """The way of signals through several networks, and of their gradients back.

    Args:
        e: the question.
        count: how many networks.
        generator: the source of random numbers.
        backward: whether what the way back needs is kept.
    """

    def __init__(self, e: Experiment, count: int, generator: Generator, *, backward: bool) -> None:
        self._e, self._stream, self._keeps = e, generator, backward
        self._shape = count, e.width, e.batch_size
        self._arithmetic = Scaled(near=backward)
        self._parameters: list[Parameters] = []
        self._kept: list[Tape[ScaledNumbers]] = []

    def there(self) -> Layers:
        """The signals at layers 0 … depth."""
        e, arithmetic = self._e, self._arithmetic
        x = ScaledNumbers.of(e.source.draw(self._shape, self._stream))
        if e.input_scale != 1:
            x = arithmetic.multiplied(x, e.input_scale)
        yield x
        count, back = self._shape[0], self._keeps
        self._parameters = e.layer.in_law(count, e.shape, self._stream, backward=back)
        for _ in range(e.depth):
            tape = Tape[ScaledNumbers]() if self._keeps else None
            x = e.layer.forward(self._parameters, x, arithmetic, None, tape)
            if tape is not None:
                self._kept.append(tape)
            x = self._held(x)
            yield x

    def _held(self, x: ScaledNumbers) -> ScaledNumbers:
        """x, held at the largest value of a format that saturates."""
        return x.held_at(self._e.format.max) if self._e.format.saturates else x

    def back(self, watched: Callable[[Layers], Layers]) -> list[Array]:
        """The columns of an Ensemble on the gradients of x and of the weights, in their order.

        ``watched`` gets δ_L … δ_0, and returns them.
        """
        e = self._e
        weights = []

        def gradients() -> Layers:
            drawn = torch.randn(self._shape, generator=self._stream) * e.loss_scale
            g = self._held(ScaledNumbers.of(drawn))
            yield g
            while self._kept:
                tape = self._kept.pop()
                g = self._held(e.layer.backward(self._parameters, tape, g, self._arithmetic))
                x, met = tape.products[-1]  # of the layer's first product
                weights.append(_log2_rms_of_outer(met, x))
                yield g

        found = columns(watched(gradients()), never_zero=False)
        log2_rms, log2_std, _, zero, _, largest = (column[:, ::-1] for column in found)
        first = np.full((self._shape[0], 1), np.nan)
        of_weights = np.concatenate([first, np.stack(weights[::-1], axis=1)], axis=1)
        return [log2_rms, zero, of_weights, largest, log2_std]


def _log2_rms_of_outer(g: ScaledNumbers, x: ScaledNumbers) -> Array:
    """log2 rms of g xᵀ, summed over the inputs, per network; −inf where it is zero."""
    if x.numbers.shape[2] == 1:
        lengths = (
            torch.linalg.vector_norm(v.numbers, dim=(1, 2), dtype=torch.float64) for v in (g, x)
        )
        power = g.power + x.power - np.log2(x.numbers.shape[1] * g.numbers.shape[1]) / 2
        one: Array = (next(lengths).log2() + next(lengths).log2() + power).numpy()
        return one
    g, x = g.with_zeros.near_one(), x.with_zeros.near_one()
    _, fan_in, inputs = x.numbers.shape
    fan_out = g.numbers.shape[1]
    if inputs > min(fan_in, fan_out):  # the matrix itself is smaller than the inputs' Gram matrices
        square = (g.numbers @ x.numbers.mT).double().square().sum((1, 2))
    else:
        grams = ((each.numbers.mT @ each.numbers).double() for each in (g, x))
        square = (next(grams) * next(grams)).sum((1, 2)).clamp_min(0)
    square /= fan_in * fan_out
    octaves = square.log2() / 2 + g.power + x.power
    found: Array = torch.where(square > 0, octaves, -torch.inf).numpy()
    return found


class Part(NamedTuple):
    """Networks that are sampled at once, and who hears of it.

    Attributes:
        done: how many networks are done.
        size: how many these are.
        of: how many there are.
        on_progress: gets the fraction that is done; None if nobody hears.
    """

    done: int
    size: int
    of: int
    on_progress: Callable[[float], object] | None

    def watched(self, layers: Layers, depth: int, span: tuple[float, float]) -> Layers:
        """The layers 0 … depth; each yield is followed by a call of ``on_progress``.

        ``span`` is where these layers begin and end, as fractions of the part.
        """
        begin, end = span
        for k, layer in enumerate(layers):
            yield layer
            if self.on_progress is not None:
                share = begin + (end - begin) * (k + 1) / (depth + 1)
                self.on_progress((self.done + self.size * share) / self.of)


def columns(layers: Layers, never_zero: bool) -> list[Array]:
    """The columns of an Ensemble. Small layers are measured several at a time."""
    parts: list[tuple[Tensor, ...]] = []
    waiting: list[ScaledNumbers] = []
    for layer in layers:
        waiting.append(layer)
        if len(waiting) * layer.numbers.numel() >= IN_CACHE:
            parts.append(_measured(waiting, never_zero))
            waiting = []
    if waiting:
        parts.append(_measured(waiting, never_zero))
    return [torch.cat(column, dim=1).numpy() for column in zip(*parts, strict=True)]


def _measured(layers: list[ScaledNumbers], never_zero: bool) -> tuple[Tensor, ...]:
    """The columns of an Ensemble, each of shape (networks, layers), in the order of its fields."""
    flat = torch.stack([layer.numbers for layer in layers], dim=1).flatten(2)
    exponent = torch.stack([layer.power for layer in layers], dim=1)
    reaches = [layer.reach for layer in layers]
    reach = torch.stack([each.largest.log2() + each.power for each in reaches], dim=1)
    reach = torch.where(reach.isnan(), -torch.inf, reach)  # 0·∞, of a network that is dead
    count = flat.shape[2]
    mean = flat.mean(2).double()
    square = torch.linalg.vector_norm(flat, dim=2).double().square() / count
    variance = (square - mean**2).clamp_min(0)
    narrow = variance < 1e-4 * square  # cancellation: subtract the mean before squaring
    if bool(narrow.any()):
        variance[narrow] = flat[narrow].double().var(1, correction=0)
    variance = variance * (count / (count - 1) if count > 1 else torch.nan)
    largest = torch.maximum(flat.amax(2), -flat.amin(2)).double()
    zero = torch.zeros_like(mean)
    if not never_zero:
        zero = (1 - torch.count_nonzero(flat, dim=2) / count).double()
    # A network that is dead may have any numbers, with 2^−∞ for their power; or zeros with any.
    dead = (largest == 0) | exponent.isneginf()
    gone = torch.tensor(-torch.inf, dtype=torch.float64)
    return (
        torch.where(dead, gone, square.log2() / 2 + exponent),
        torch.where(dead & ~variance.isnan(), gone, variance.log2() / 2 + exponent),
        torch.where(dead, 0.0, mean * torch.exp2(exponent)),
        torch.where(dead, 1.0, zero),
        reach,
        torch.where(dead, gone, largest.log2() + exponent),
    )
