"""The sizes of a signal and of its gradient at every layer, for width → ∞."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layer.operation import Moments
from ..maths.arrays import Array
from ..question.experiment import Experiment
from . import lengths

_LARGEST = 1e300  # a second moment beyond it is taken as it for the mean


@dataclass(frozen=True)
class Profile:
    """Moments at layers 0 … L for width → ∞, float64 of shape (depth + 1,).

    Attributes:
        second_moment: E x² over units; inf beyond the range of float64.
        mean: E x over units.
        log2_rms: log2 √(E x²), never falsely infinite.
        log2_gradient_rms: log2 √(E δ²) for δ_k = ∂ℓ/∂x_k with E δ_L² = 1, never falsely infinite.
    """

    second_moment: Array
    mean: Array
    log2_rms: Array
    log2_gradient_rms: Array


def profile(experiment: Experiment) -> Profile:
    """The sizes of x and of its gradient at infinite width, by a walk there and back.

    E δ²_{k−1} = χ(q_k) E δ²_k with the q_k that the signal really has at layer k, not that of its
    fixed point. One matrix at every step is taken as a fresh one for every layer. Rounding plays no
    part, and no loss scale.

    Args:
        experiment: the question; its seed and its number format are not used.

    Reference: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232.
    """
    layer, depth = experiment.layer, experiment.depth
    log2_rms = lengths.log2_rms(layer, depth)
    back = lengths.log2_gradient_rms(layer, log2_rms)
    with np.errstate(over="ignore"):
        square = 2.0 ** (2 * log2_rms)
    mean = np.zeros(depth + 1)
    seen = Moments(square=np.minimum(square[:-1], _LARGEST), mean=np.zeros(depth))
    mean[1:] = layer.moments(seen).mean
    return Profile(square, mean, log2_rms, back)
