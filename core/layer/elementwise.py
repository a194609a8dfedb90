"""Elementwise: an activation function φ, applied to every element."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from ..maths.arrays import Logarithm, Numbers
from .activations import ACTIVATIONS, Activation
from .arithmetic import Arithmetic, Rounded
from .moments import cross_moment, mean, second_moment
from .number_formats import NumberFormat
from .operation import MICROSECOND, Code, Cost, LogMoments, Moments, Parameterless, Shape, Tape
from .tails import (
    infinite_sides,
    log2_derivative_moment,
    log2_second_moment,
    mean_share,
    never_zero,
    shared_by,
    slopes,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Elementwise(Parameterless):
    """x → φ(x).

    Attributes:
        phi: the activation.
    """

    phi: Activation

    @property
    def degree(self) -> int | None:
        """1 if φ(s·x) = s·φ(x) for every s > 0, else None."""
        return 1 if self.phi.positively_homogeneous else None

    @property
    def slopes(self) -> tuple[float, float] | None:
        """φ′ just below and just above zero; None if φ(0) ≠ 0."""
        return slopes(self.phi)

    @property
    def infinite_sides(self) -> tuple[bool, bool]:
        """Whether φ(−∞), and whether φ(∞), is not finite."""
        return infinite_sides(self.phi)

    @property
    def never_zero(self) -> bool:
        """Whether φ(h) ≠ 0 for every h ≠ 0."""
        return never_zero(self.phi)

    def forward(
        self,
        p: None,
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """φ(x) in the arithmetic ``on``."""
        x = on.loaded(x)
        if tape is not None:
            tape.keep(x)
        return on.apply(self.phi, x, out)

    def backward(self, p: None, tape: Tape[T], g: T, on: Arithmetic[T]) -> T:
        """φ′(x)·g."""
        return on.apply_backward(self.phi, tape.take(), g)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The lines that apply φ, and φ′ to the gradient."""
        back = ["h = tape.pop()", *on.apply_backward_code(self.phi)]
        step = on.apply_code(self.phi)
        return Code([], step, ["tape.append(x)", *step], back)

    def moments(self, m: Moments) -> Moments:
        """The moments of φ(h) for h ~ N(0, m.square)."""
        q = m.square
        if q is None:
            raise ValueError("square must be a number: φ needs the variance of h; got None")
        return replace(
            m,
            square=second_moment(self.phi, q),
            mean=None if m.mean is None else mean(self.phi, q),
            cross=None if m.cross is None else cross_moment(self.phi, q, q, m.cross),
        )

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """The moments of φ(h) for normal h; log_scale concerns weights alone."""
        octaves = m.square / logs.octave
        return LogMoments(
            log2_second_moment(self.phi)(octaves) * logs.octave,
            None if m.mean is None else mean_share(self.phi, octaves),
            None if m.shared is None else shared_by(self.phi, octaves, m.shared),
        )

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log E φ′(h)² for normal h, from log E h²; log_scale concerns weights alone."""
        return log2_derivative_moment(self.phi)(m.square / logs.octave) * logs.octave

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """Its calls; and for every number the function, and its rounding to the format."""
        elements = shape.elements
        return Cost(0, (4 + (0.008 + self.phi.microseconds) * elements) * shape.depth * MICROSECOND)

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """That of φ: its derivative takes about as long."""
        return self.cost(shape, number_format)

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """Its calls, with those that keep powers of two apart, and its numbers.

        The derivative, and the product with it, take twice as long.
        """
        elements = networks * shape.elements
        one = (32 + (0.003 + self.phi.microseconds) * elements) * shape.depth * MICROSECOND
        return 3 * one if backward else one


IDENTITY = Elementwise(ACTIVATIONS["linear"])
