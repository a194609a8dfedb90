"""NF_GAINS: the constants 1/std φ(z) that normaliser-free networks carry in their code.

The paper finds such a number from a sample: 1,024 rows of 256 normal numbers, whose variances are
averaged. The published constants are therefore not exact. ELU and CELU are one function at α = 1,
and have two constants. The variance of a row is a mean over 256 numbers, not 255, which alone makes
the result 0.2 % too large on average.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ..layer.activations import Activation
from ..maths.quadrature import gaussian_expectation_at
from ..theory import mean_field

NF_GAINS = {
    "linear": 1.0,
    "celu": 1.270926833152771,
    "elu": 1.2716004848480225,
    "gelu_tanh": 1.7015043497085571,
    "leaky_relu": 1.70590341091156,
    "relu": 1.7139588594436646,
    "relu6": 1.7131484746932983,
    "selu": 1.0008515119552612,
    "sigmoid": 4.803835391998291,
    "silu": 1.7881293296813965,
    "softsign": 2.338853120803833,
    "softplus": 1.9203323125839233,
    "tanh": 1.5939117670059204,
}
"""Registry key -> the published constant, as in the public code of Brock et al. 2021,
arXiv:2102.06171. JAX's GELU is its tanh form."""

_ROWS, _COLUMNS = 1024, 256


def sampled_gain(phi: Activation, *, generator: Generator) -> float:
    """1/std φ(z) from a sample, as in Brock et al. 2021, arXiv:2101.08692, appendix D.1."""
    z = torch.randn(_ROWS, _COLUMNS, generator=generator, dtype=torch.float64)
    return float(phi(z).var(dim=1, correction=0).mean() ** -0.5)


def sampling_error(phi: Activation) -> float:
    """The relative standard error of `sampled_gain`, from φ's fourth central moment."""
    mean = mean_field.mean(phi, 1.0)

    def central_moment(order: int) -> float:
        def power(h: Tensor) -> Tensor:
            return (phi(h) - mean) ** order

        return float(gaussian_expectation_at(power, 1.0, breaks=phi.kinks))

    kurtosis = central_moment(4) / central_moment(2) ** 2
    return ((kurtosis - 1) / (_ROWS * _COLUMNS)) ** 0.5 / 2
