"""Bias: a normal number for every unit, added to all inputs alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers, log2
from .arithmetic import Apart, Arithmetic, Rounded
from .number_formats import NumberFormat
from .operation import Code, Cost, Moments, Shape

T = TypeVar("T")


@dataclass(frozen=True)
class Bias:
    """x → x + b with b ~ N(0, std²).

    Attributes:
        std: σ_b.
        fresh: whether every layer has biases of its own.
    """

    std: Numbers
    fresh: bool = True
    degree = None
    scale_power = 0

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Tensor:
        """b, of shape (n,), or (n, 1) for several inputs."""
        b = torch.randn(shape.width, generator=stream, device=stream.device, dtype=torch.float32)
        b = on.biases(b, self.std)
        return b if shape.inputs == 1 else b.unsqueeze(1)

    def forward(self, p: Tensor | Biases, x: T, on: Arithmetic[T], out: T | None = None) -> T:
        """x + b."""
        return on.add(x, p, out)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The draw and the sum."""
        draw = ["b = torch.randn(n, generator=generator)", *on.biases_code("b", self.std)]
        if shape.inputs > 1:
            draw.append("b = b.unsqueeze(1)  # one bias for every input")
        return Code(draw, on.add_code())

    def moments(self, m: Moments) -> Moments:
        """Second moments grow by σ_b², whatever the inputs are."""
        variance = self.std**2
        return Moments(
            square=None if m.square is None else m.square + variance,
            mean=m.mean,
            cross=None if m.cross is None else m.cross + variance,
        )

    def log_square(self, square: Numbers, logs: Logarithm, log_scale: Numbers = 0.0) -> Numbers:
        """The logarithm of E x² + σ_b²."""
        return logs.add(square, 2 * logs.of(self.std))

    def needs_matrices(self, shape: Shape) -> bool:
        """Never: biases are drawn as they are."""
        return False

    def in_law(self, networks: int, shape: Shape, stream: Generator) -> Biases:
        """Biases of so many networks."""
        return Biases(networks, shape.width, self, stream)

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Little beside the product's."""
        return Cost()

    def ensemble_cost(self, shape: Shape) -> Cost:
        """Counted with what is measured of every number."""
        return Cost()


class Biases:
    """Biases of several networks, drawn when they are added."""

    def __init__(self, networks: int, width: int, bias: Bias, stream: Generator) -> None:
        self._bias, self._stream = bias, stream
        self._shape = (networks, width, 1)
        self._power = torch.full((networks,), float(log2(bias.std)), dtype=torch.float64)
        self._known: Apart | None = None

    def drawn(self) -> Apart:
        """b of the next layer, as numbers of std 1 with σ_b apart."""
        if self._known is None or self._bias.fresh:
            self._known = Apart(torch.randn(self._shape, generator=self._stream), self._power)
        return self._known
