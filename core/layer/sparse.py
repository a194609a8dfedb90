"""Sparse weights: every input feeds a share of the outputs, chosen at random."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .activations import Activation
from .initializer import RAND, RANDN, Initializer, normal

USUAL_SHARE = 0.1
"""The share of each column that is not zero in the rule with the plain name."""

_DIGITS = 9  # 0.29·100 is 28.999… in floating point, and 29 of a column are meant


def kept_outputs(share: float, fan_out: int) -> int:
    """How many outputs each input feeds: ``share`` of them, rounded down, at least one."""
    return max(1, int(round(share * fan_out, _DIGITS)))


def sparse(share: float) -> Initializer:
    """Normal weights in a share of each column, else 0; E x² is what it is with N(0, 1/fan_in).

    Args:
        share: of each column that is not zero. In torch.nn.init.sparse_, ``sparsity`` is the share
            that is zero, and the other weights have std 0.01 by default.
    """

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        kept = kept_outputs(share, fan_out)
        w = normal(fan_in, fan_out, generator)
        order = torch.rand(
            fan_out, fan_in, generator=generator, device=generator.device, dtype=torch.float32
        ).argsort(0)
        return w * (order < kept) * (fan_out / (fan_in * kept)) ** 0.5

    product = f"{share!r} * {{fan_out}}"
    if share != USUAL_SHARE:  # where nothing is to be rounded
        product = f"round({product}, {_DIGITS})"
    return Initializer(
        name="sparse",
        label="Sparse (a tenth kept)",
        sample=sample,
        weight_std=lambda fan_in, fan_out, activation: (1 / fan_in) ** 0.5,
        formula=(
            rf"\mathcal N(0, 1/({share:g}\,n_\text{{in}}))\text{{ in {share:g} of each column, "
            r"else }0"
        ),
        reference=(
            "Martens 2010, Deep learning via Hessian-free optimization, section 5; "
            "torch.nn.init.sparse_ is told the share that is zero, and takes std 0.01"
        ),
        code=(
            f"kept = max(1, int({product}))\n"
            f"{{a}} = {RANDN}\n"
            f"order = {RAND}.argsort(0)\n"
            "{a} = {a} * (order < kept) * ({fan_out} / ({fan_in} * kept)) ** 0.5"
        ),
        peak_matrices=7.0,
        multiply_adds=lambda n: 9e4 + 230.0 * n**2,  # every column is sorted
        has_zero_rows=share < 1,
    )
