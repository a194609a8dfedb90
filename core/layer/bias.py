"""Bias: one normal number per unit, added to every input of the batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers, log2
from . import lsuv
from .arithmetic import Arithmetic, Rounded
from .number_formats import NumberFormat
from .operation import MICROSECOND, Code, Cost, LogMoments, Moments, Parameterless, Shape, Tape
from .scaled import ScaledNumbers, powers

T = TypeVar("T")

_FIT = 60.0  # microseconds of the calls that fit the biases of a layer


@dataclass(frozen=True)
class Bias(Parameterless):
    """x → x + b with independent entries b ~ N(0, std²), less their mean with x if it is fitted.

    Attributes:
        std: σ_b; an array of them in a map over many networks.
        fresh: whether every layer has its own biases.
        name: the variable of b in a script.
        fitted: whether the mean of x + b over units and inputs is subtracted from b, so that it
            becomes 0 for the x that b is drawn for.
    """

    std: Numbers
    fresh: bool = True
    name: str = "b"
    fitted: bool = False
    degree = None

    def draw(self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded) -> Tensor:
        """b in ``product_dtype``, of shape (n,), or (n, 1) for several inputs.

        Raises:
            ValueError: b is fitted to data, and ``seen`` is None.
        """
        kind: dict[str, Any] = {"device": stream.device, "dtype": torch.float32}
        if self.std or not self.fitted:
            b = on.biases(torch.randn(shape.width, generator=stream, **kind), self.std)
        else:
            b = on.biases(torch.zeros(shape.width, **kind), 1.0)
        b = b if shape.inputs == 1 else b.unsqueeze(1)
        if not self.fitted:
            return b
        if seen is None:
            raise ValueError("the biases are fitted to data: x is missing")
        return on.biases(lsuv.zero_mean(b, seen), 1.0)

    def forward(
        self,
        p: Tensor | Biases,
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """x + b."""
        return on.add(x, p, out)

    def backward(self, p: Tensor | Biases, tape: Tape[T], g: T, on: Arithmetic[T]) -> T:
        """g: a sum passes the gradient on."""
        return g

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The draw of b and the sum x + b."""
        b = self.name
        if self.std or not self.fitted:
            draw = [f"{b} = torch.randn({shape.symbol}, generator=generator)"]
            draw += on.biases_code(b, self.std)
        else:
            draw = [f"{b} = torch.zeros({shape.symbol})", *on.biases_code(b, 1.0)]
        if shape.inputs > 1:
            draw.append(f"{b} = {b}.unsqueeze(1)  # one bias for every input")
        if self.fitted:
            draw += lsuv.BIAS_CODE.format(b=b).splitlines() + on.biases_code(b, 1.0)
        step = [f"x = x + {b}", *on.settled_code()]
        return Code(draw, step, step, [])

    def moments(self, m: Moments) -> Moments:
        """Second and cross moments grow by σ_b²; the mean over biases does not change.

        What a fit subtracts is the mean over n units of a signal whose mean is 0: it goes to 0 as
        1/√n.
        """
        variance = self.std**2
        return replace(
            m,
            square=None if m.square is None else m.square + variance,
            cross=None if m.cross is None else m.cross + variance,
        )

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """E x² and E x x′ grow by σ_b²."""
        square = logs.add(m.square, 2 * logs.of(self.std))
        if m.mean is None and m.shared is None:
            return LogMoments(square)
        apart = np.where(np.isneginf(m.square), -np.inf, m.square - square)
        kept = np.exp2(apart / logs.octave)  # the share of E x² in the sum
        return LogMoments(
            square,
            None if m.mean is None else m.mean * np.sqrt(kept),
            None if m.shared is None else 1 - (1 - m.shared) * kept,
        )

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """0: a sum passes the gradient on."""
        return np.zeros_like(m.square)

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> Biases:
        """The biases of ``networks`` networks."""
        return Biases(networks, shape.width, self, stream)

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """A stream's draw of b, and a sum, which is its call; a fit is some ten calls more."""
        draws = shape.depth if self.fresh else 1
        each = 15 + _FIT * self.fitted
        return Cost(0, (each * draws + 0.6 * shape.depth) * MICROSECOND)

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Nothing is computed."""
        return Cost()

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """Its calls; an ensemble counts the numbers in the work of measuring every element.

        Going back, nothing is computed.
        """
        return (20 + _FIT * self.fitted) * MICROSECOND * shape.depth


class Biases:
    """The biases of several networks, drawn when they are added.

    Args:
        networks: how many.
        width: n.
        bias: the operation.
        stream: the source of random numbers.
    """

    def __init__(self, networks: int, width: int, bias: Bias, stream: Generator) -> None:
        self._bias, self._stream = bias, stream
        self._shape = (networks, width, 1)
        self._power = torch.full((networks,), float(log2(bias.std)), dtype=torch.float64)
        self._known: ScaledNumbers | None = None

    def drawn(self, h: ScaledNumbers) -> ScaledNumbers:
        """b of the next layer, in which ``h`` is the output of the product.

        Without a fit it is numbers of shape (networks, n, 1) and std 1 times a power, σ_b.
        """
        if self._known is None or self._bias.fresh:
            if self._bias.fitted:
                self._known = self._fitted(h.with_zeros)
            else:
                self._known = ScaledNumbers(self._normal(), self._power)
        return self._known

    def _normal(self) -> Tensor:
        return torch.randn(self._shape, generator=self._stream)

    def _fitted(self, h: ScaledNumbers) -> ScaledNumbers:
        """b less the mean of h + b in each network."""
        common = torch.maximum(h.power, self._power)
        b = torch.zeros(self._shape)
        if self._bias.std:
            b = self._normal() * powers(self._power - common)
        total = h.numbers * powers(h.power - common) + b
        return ScaledNumbers(b - total.mean((1, 2), keepdim=True), common)
