"""INPUTS: what enters a network at layer 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

Draw = Callable[[tuple[int, ...], Generator], Tensor]


@dataclass(frozen=True)
class Input:
    """A law of inputs.

    Attributes:
        name: registry key; travels in links, never renamed.
        label: its name in menus.
        draw: (shape, whose last but one axis is the units and the last one the inputs; stream) ->
            float32 of that shape, on the stream's device.
        code: an expression in PyTorch with the same numbers, in which {n} stands for the number of
            units, {size} for both axes and {stream} for the generator.
        mean: width n -> E x of one element.
        square: width n -> E x².
        largest: number of elements -> about the largest |x| among them.
        kurtosis: E (x − E x)⁴ over the squared variance, of the elements of one input; None
            where the size of an input does not vary.
    """

    name: str
    label: str
    draw: Draw
    code: str
    mean: Callable[[int], float]
    square: Callable[[int], float]
    largest: Callable[[int], float] = lambda count: 1.0
    kurtosis: float | None = None


def largest_of(count: int) -> float:
    """√(2 ln N), at least 1: about the largest of N normal values, in standard deviations."""
    return max(1.0, (2 * math.log(count)) ** 0.5) if count > 1 else 1.0


def _normal(shape: tuple[int, ...], stream: Generator) -> Tensor:
    return torch.randn(shape, generator=stream, device=stream.device, dtype=torch.float32)


def _pixels(shape: tuple[int, ...], stream: Generator) -> Tensor:
    return torch.rand(shape, generator=stream, device=stream.device, dtype=torch.float32)


def _bytes(shape: tuple[int, ...], stream: Generator) -> Tensor:
    return torch.randint(0, 256, shape, generator=stream, device=stream.device).float()


def _one_hot(shape: tuple[int, ...], stream: Generator) -> Tensor:
    *networks, width, inputs = shape
    places = torch.randint(0, width, (*networks, 1, inputs), generator=stream, device=stream.device)
    return torch.zeros(shape, device=stream.device).scatter_(-2, places, 1.0)


def _ones(shape: tuple[int, ...], stream: Generator) -> Tensor:
    return torch.ones(shape, device=stream.device)


INPUTS: dict[str, Input] = {
    each.name: each
    for each in (
        Input(
            "normal",
            "normal",
            _normal,
            "torch.randn({size}, generator={stream})",
            lambda n: 0.0,
            lambda n: 1.0,
            largest_of,
            3.0,
        ),
        Input(
            "pixels",
            "pixels, 0 to 1",
            _pixels,
            "torch.rand({size}, generator={stream})",
            lambda n: 1 / 2,
            lambda n: 1 / 3,
            kurtosis=1.8,
        ),
        Input(
            "bytes",
            "bytes, 0 to 255",
            _bytes,
            "torch.randint(0, 256, ({size},), generator={stream}).float()",
            lambda n: 255 / 2,
            lambda n: 255 * 511 / 6,
            lambda count: 255.0,
            1.8,
        ),
        Input(
            "one_hot",
            "one hot",
            _one_hot,
            "torch.eye(n)[:, torch.randint(0, n, ({inputs},), generator={stream})]",
            lambda n: 1 / n,
            lambda n: 1 / n,
        ),
        Input("ones", "all ones", _ones, "torch.ones({size})", lambda n: 1.0, lambda n: 1.0),
    )
}
"""Name -> law of inputs."""
