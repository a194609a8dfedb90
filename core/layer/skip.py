"""Skip: the input beside the branch that it passes through, x + α·f(x)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from torch import Generator, Tensor

from ..maths.arrays import Logarithm, Numbers
from .arithmetic import Arithmetic, Rounded
from .number_formats import NumberFormat
from .operation import MICROSECOND, Code, Cost, LogMoments, Moments, Parameters, Shape, Tape

if TYPE_CHECKING:
    from .stack import Layer

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Skip:
    """x → x + α·f(x).

    Attributes:
        branch: f, which keeps the shape of x.
        factor: α ≥ 0; an array of them in a map over networks.

    Reference: He et al. 2016, arXiv:1512.03385.
    """

    branch: Layer
    factor: Numbers
    degree = None
    scale_power = None  # that of x is another than that of f(x)

    def after(self, shape: Shape) -> Shape:
        """The shape of x."""
        return shape

    def draw(
        self, stream: Generator, shape: Shape, seen: Tensor | None, on: Rounded
    ) -> list[Parameters]:
        """The parameters of the branch."""
        return self.branch.draw(stream, shape, seen, on)

    def forward(
        self,
        p: list[Parameters],
        x: T,
        on: Arithmetic[T],
        out: T | None = None,
        tape: Tape[T] | None = None,
    ) -> T:
        """x + α·f(x) in the arithmetic ``on``."""
        return on.add_branch(x, self.branch.steps(p, x, on, tape=tape), self.factor, out)

    def backward(self, p: list[Parameters], tape: Tape[T], g: T, on: Arithmetic[T]) -> T:
        """g + the gradient through the branch of α·g."""
        through = self.branch.steps_back(p, tape, on.multiplied(g, self.factor), on)
        return on.add_branch(g, through, 1.0)

    def code(self, shape: Shape, on: Rounded) -> Code:
        """The lines of the branch between those that keep x and add it again."""
        inner = self.branch.code_of_steps(shape, on)
        added = on.add_branch_code("skip", self.factor)
        return Code(
            inner.draw,
            ["skip = x", *inner.step, *added],
            ["skip = x", *inner.traced, *added],
            [
                *("g_skip = g", *on.multiplied_code(self.factor), *inner.back),
                *("g = g_skip + g", *on.settled_code("g")),
            ],
        )

    def moments(self, m: Moments) -> Moments:
        """Second moments add up, with twice the product of the means, for f's weights are new."""
        f, a = self.branch.moments(m), self.factor
        if m.mean is None or f.mean is None:
            raise ValueError("mean must be a number: a skip adds it up; got None")
        both = 2 * a * m.mean * f.mean
        square = None if m.square is None else m.square + both + a**2 * f.square
        cross = None if m.cross is None else m.cross + both + a**2 * f.cross
        return replace(m, square=square, mean=m.mean + a * f.mean, cross=cross)

    def log_moments(self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0) -> LogMoments:
        """The same in logarithms."""
        if m.mean is None:
            raise ValueError("mean must be a number: a skip adds it up; got None")
        f = self.branch.log_moments(m, logs, log_scale)
        added = f.square + 2 * logs.of(self.factor)
        most = np.maximum(m.square, added)
        most = np.where(np.isfinite(most), most, 0.0)
        one, two = (np.exp2((each - most) / (2 * logs.octave)) for each in (m.square, added))
        both = 2 * one * two * m.mean * f.mean
        total = one**2 + both + two**2
        whole = np.where(total > 0, total, 1.0)
        shared = None
        if m.shared is not None:
            shared = (one**2 * m.shared + both + two**2 * f.shared) / whole
        mean = (one * m.mean + two * f.mean) / np.sqrt(whole)
        return LogMoments(most + logs.of(total), mean, shared)

    def log_gradient_factor(
        self, m: LogMoments, logs: Logarithm, log_scale: Numbers = 0.0
    ) -> Numbers:
        """log of 1 + α² times the factor of the branch."""
        through = self.branch.log_gradient_factor(m, logs, log_scale)
        return logs.add(0.0, 2 * logs.of(self.factor) + through)

    def needs_matrices(self, shape: Shape, *, backward: bool = False) -> bool:
        """Whether the branch does."""
        return self.branch.needs_matrices(shape, backward=backward)

    def in_law(
        self, networks: int, shape: Shape, stream: Generator, *, backward: bool = False
    ) -> list[Parameters]:
        """The parameters of the branch."""
        return self.branch.in_law(networks, shape, stream, backward=backward)

    def cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """That of the branch, and of the sum."""
        return self.branch.cost(shape, number_format) + self._sum(shape)

    def backward_cost(self, shape: Shape, number_format: NumberFormat) -> Cost:
        """The same on the way back."""
        return self.branch.backward_cost(shape, number_format) + self._sum(shape)

    def _sum(self, shape: Shape) -> Cost:
        return Cost(0, (4 + 0.001 * shape.elements) * shape.depth * MICROSECOND)

    def ensemble_elements(self, shape: Shape) -> int:
        """Those of the branch."""
        return self.branch.ensemble_elements(shape)

    def ensemble_cost(self, shape: Shape, networks: int, *, backward: bool = False) -> float:
        """That of the branch, and of the sum of numbers with powers of two apart."""
        one = (40 + 0.002 * networks * shape.elements) * shape.depth * MICROSECOND
        branch = self.branch.ensemble_cost(shape, networks, backward=backward)
        return branch + (3 * one if backward else one)
