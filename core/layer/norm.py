"""Norm: layer norm, RMS norm and batch norm, without parameters of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from ..maths.arrays import Logarithm, Numbers
from .arithmetic import Arithmetic, Normalization, Rounded
from .number_formats import NumberFormat
from .operation import MICROSECOND, Code, Cost, LogMoments, Moments, Parameterless, Shape, Tape

T = TypeVar("T")

EPSILON = 1e-5
"""The ε of torch's norms."""

Over = Literal["units", "inputs"]


@dataclass(frozen=True)
class Norm(Parameterless):
    """x → (x − mean)/√(variance + ε), or without the mean x/√(mean square + ε).

    Attributes:
        over: "units": the statistics of each input over its units; "inputs": those of each unit
            over the inputs of the batch, as in training.
        centred: whether the mean is subtracted.
        inputs: the number of inputs in the batch.

    Reference: Ba et al. 2016, arXiv:1607.06450; Zhang & Sennrich 2019, arXiv:1910.07467; Ioffe &
    Szegedy 2015, arXiv:1502.03167.
    """

    over: Over
    centred: bool
    inputs: int = 1
    degree = None  # 0 but for ε

    @property
    def _by(self) -> Normalization:
        return Normalization(self.over == "inputs", self.centred, EPSILON)

    def forward(
        self,
        p: None,
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """x normalised in the arithmetic ``on``."""
        x, inverse = on.normalize(x, self._by)
        if tape is not None:
            tape.keep(x, inverse)
        return on.narrowed(x, out)

    def backward(self, p: None, tape: Tape[T], g: T, on: Arithmetic[T]) -> T:
        """The gradient through the division and the mean."""
        inverse, x = tape.take(), tape.take()
        return on.normalize_backward(x, inverse, g, self._by)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The lines that normalise x, and the gradient."""
        step, then = on.normalize_code(self._by), on.narrowed_code()
        back = ["inverse, y = tape.pop(), tape.pop()", *on.normalize_backward_code(self._by)]
        return Code([], step + then, [*step, "tape += [x, inverse]", *then], back)

    def moments(self, m: Moments) -> Moments:
        """Second and cross moments over the variance; the mean is 0 where it is subtracted."""
        if m.square is None:
            raise ValueError("square must be a number: a norm divides by it; got None")
        taken = self._taken(m.mean**2 if self._needs_mean(m.mean) else 0.0, m.cross)
        scale = m.square - taken + EPSILON
        mean = m.mean
        if mean is not None:
            mean = np.zeros_like(mean) if self.centred else mean / np.sqrt(scale)
        left = taken if self.over == "units" else 0.0
        cross = None if m.cross is None else self._cross(m.square - taken, m.cross - left) / scale
        return replace(m, square=(m.square - taken) / scale, mean=mean, cross=cross)

    def _needs_mean(self, mean: Numbers) -> bool:
        if self.centred and self.over == "units" and mean is None:
            raise ValueError("mean must be a number: a layer norm subtracts it; got None")
        return self.centred and self.over == "units"

    def _taken(self, mean_square: Numbers, shared: Numbers) -> Numbers:
        """The part of E x² that the mean takes with it: over units, or shared by all inputs."""
        if not self.centred:
            return 0.0
        if self.over == "units":
            return mean_square
        if shared is None:
            raise ValueError("cross must be a number: a batch norm subtracts it; got None")
        return shared

    def _cross(self, variance: Numbers, cross: Numbers) -> Numbers:
        """E x x′ of the result before the division: what is left of each input adds up to 0."""
        return cross if self.over == "units" else -variance / (self.inputs - 1)

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """The moments of the result; log_scale concerns weights alone."""
        ratio = m.mean if self._needs_mean(m.mean) else 0.0
        taken = self._taken(ratio**2, m.shared)
        variance = m.square + logs.of(np.maximum(1.0 - taken, 0.0))
        left = np.maximum(1.0 - taken, np.finfo(float).tiny)
        mean = m.mean
        if mean is not None and self.centred:
            mean = np.zeros_like(mean)
        shared = m.shared
        if shared is not None:
            shared = self._cross(1.0, (shared - taken) / left) + np.zeros_like(shared)
            shared = np.where(taken < 1, shared, 1.0)  # of nothing, all inputs are alike
        return LogMoments(variance - logs.add(variance, logs.of(EPSILON)), mean, shared)

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """−log of the variance: what the mean and the size take off is 1/n of the gradient.

        Of a batch norm it holds for many inputs.
        """
        ratio = m.mean if self._needs_mean(m.mean) else 0.0
        taken = self._taken(ratio**2, m.shared)
        variance = m.square + logs.of(np.maximum(1.0 - taken, 0.0))
        return -logs.add(variance, logs.of(EPSILON))

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Its calls, and its passes over all numbers."""
        return Cost(0, (20 + 0.004 * shape.elements) * shape.depth * MICROSECOND)

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """About that of the way there."""
        return self.cost(shape, number_format)

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """The same for all networks, with their powers of two."""
        one = (80 + 0.006 * networks * shape.elements) * shape.depth * MICROSECOND
        return 3 * one if backward else one
