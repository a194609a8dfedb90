"""Sums over units on the way back: how |φ′ ∘ δ|² and the length of h vary, given the signal."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from .block import Block
from .block_draws import Draws
from .block_signal import Step
from .unit_moments import UnitMoments


def lifted(block: Block, step: Step, m: UnitMoments, draws: Draws) -> tuple[Array, float]:
    """The factor on |φ′ ∘ δ|² beside its expectation, for a δ that points anywhere.

    Where the signal's own sum of φ² is known, the factor follows from its deviation too.

    Args:
        block: the layer.
        step: what it did to the signal.
        m: the moments at the variance of what enters φ.
        draws: the random numbers.

    Returns:
        The factor in each network, and its mean relative variance, which is taken as lognormal.
    """
    fixed = block.branch == "preactivation" or block.inside != "none"  # the length of h is given
    given = m.d_tilt**2 * block.is_centred
    sums = m.d_fourth - 1 - (m.zd_square - 1) ** 2 / 2 * fixed - given
    expected = -m.d_bend / block.hidden * fixed
    if step.chance is not None:
        covariance = m.phi_square_dd - 1 - m.power * (m.zd_square - 1) * fixed
        covariance = covariance - m.tilt * m.d_tilt * block.is_centred
        variance = m.fourth - 1 - 2 * m.power**2 * fixed - m.tilt**2 * block.is_centred
        variance = np.maximum(variance, 1e-6)
        slope = covariance / variance
        sums = sums - slope * covariance
        bias = slope * (1 - slope) / 2 * np.log1p(variance / block.hidden)
        expected = expected + slope * step.chance + bias
    own = np.log1p((np.maximum(sums, 0) + 2 * (m.d_fourth - 1)) / block.hidden)
    factor = np.exp(np.sqrt(own) * draws.normal() - own / 2 + expected)
    return factor, float(np.mean(own)) + 2 / block.width


def ln_length(block: Block, draws: Draws) -> Array | float:
    """ln of the mean square of h that a norm inside divides by, over its expectation."""
    if block.inside == "none":
        return 0.0
    return np.asarray(np.log(draws.chi_square_mean(block.hidden - 1)))
