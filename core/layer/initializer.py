"""Initializer: the interface of a rule that draws a weight matrix, and the draws they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Generator, Tensor

from .activations import Activation

RANDN = "torch.randn({fan_out}, {fan_in}, generator=generator)"
"""`normal` as code."""
RAND = "torch.rand({fan_out}, {fan_in}, generator=generator)"
"""Numbers that are uniform in [0, 1), as code; ``* 2 - 1`` makes them those of `unit_uniform`."""

WeightStd = Callable[[int, int, Activation], float]
"""(fan_in, fan_out, activation) -> the root mean square of the entries."""


class Sampler(Protocol):
    """The function by which an initialiser draws a matrix."""

    def __call__(
        self, fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        """Draw one matrix.

        Args:
            fan_in: inputs of the layer.
            fan_out: outputs of the layer.
            activation: φ after the product, for a rule that depends on its gain.
            generator: the source of random numbers.

        Returns:
            float32 of shape (fan_out, fan_in) on the generator's device.
        """
        ...


Fit = Callable[[Tensor, Tensor], Tensor]
"""(the drawn matrix, the layer's input) -> the matrix fitted to that input."""


@dataclass(frozen=True)
class Initializer:
    """A rule that draws a weight matrix.

    Attributes:
        name: registry key; travels in links, never renamed.
        sample: draws the matrix, float32 of shape (fan_out, fan_in).
        weight_std: the root mean square of the entries before any ``fit``, exact or in the limit
            of large width.
        formula: the rule in LaTeX.
        reference: the source of the rule, such as a paper.
        code: PyTorch lines that assign the matrix from ``generator``, with the same bits as
            ``sample``. ``{a}`` stands for its name, ``{fan_out}`` and ``{fan_in}`` for its sizes
            as expressions, ``{sizes}`` for both, ``{gain}`` for the activation's gain.
        wide_code: the same for fan_out < fan_in, where the lines differ.
        multiply_adds: width n -> the work of one draw of n·n numbers, measured, besides that of any
            draw.
        peak_matrices: how many float32 matrices of this size exist at once during a draw.
        law: what theory may assume. "gaussian": the entries are independent and normal.
            "independent": they are independent, of another law with light tails, and act like
            normal entries up to O(1/n). "orthogonal": the matrix is Haar-distributed. "other":
            theory knows no law.
        fit: (matrix of ``sample``, layer's input of shape (fan_in,) or (fan_in, inputs)) -> matrix;
            None for a rule that does not look at data. A matrix that all layers share is fitted
            to the network's input. The scale factor is applied after the fit.
        fit_code: PyTorch lines that fit ``{a}`` to ``x``, with the same bits as ``fit``.
        fits_bias: whether the rule has a bias too, one number for all units of a layer, that is
            fitted to data: see `Bias`.
        has_zero_rows: whether a row of the matrix may be all zero, so that a unit is.
        bias_std: width n -> the std of the biases that the rule's own layer draws beside a; None
            for a rule that says nothing of biases.
        label: its name in menus; without one, the registry key.
    """

    name: str
    sample: Sampler
    weight_std: WeightStd
    formula: str
    reference: str
    code: str
    multiply_adds: Callable[[float], float]
    wide_code: str = ""
    peak_matrices: float = 1.0
    law: Literal["gaussian", "independent", "orthogonal", "other"] = "other"
    fit: Fit | None = None
    fit_code: str = ""
    fits_bias: bool = False
    has_zero_rows: bool = False
    bias_std: Callable[[int], float] | None = None
    label: str = ""

    def lines(self, name: str, fan_out: str, fan_in: str, gain: float, *, wide: bool) -> list[str]:
        """`code` as lines that assign the variable ``name``.

        Args:
            name: of the matrix.
            fan_out: the number of its rows, as an expression.
            fan_in: the number of its columns, likewise.
            gain: the activation's.
            wide: whether it has fewer rows than columns.
        """
        code = self.wide_code if wide and self.wide_code else self.code
        sizes = fan_out if fan_out == fan_in else f"{fan_out}, {fan_in}"
        names = {"a": name, "fan_out": fan_out, "fan_in": fan_in, "sizes": sizes, "gain": gain}
        return code.format(**names).splitlines()


def normal(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    """Independent entries from N(0, 1)."""
    return torch.randn(
        fan_out, fan_in, generator=generator, device=generator.device, dtype=torch.float32
    )


def one_call(n: float) -> float:
    """The work of n² random numbers from one call, and of a factor."""
    return 5e4 + 18.0 * n**2


def unit_uniform(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    """Independent entries from U(−1, 1)."""
    u = torch.rand(
        fan_out, fan_in, generator=generator, device=generator.device, dtype=torch.float32
    )
    return u.mul_(2).sub_(1)
