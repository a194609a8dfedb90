"""The ways in which theory knows the numbers of claims: at infinite width, or at this width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..theory.finite_width import predict
from ..theory.profile import profile
from .claim import Exact


def constant(*values: float) -> Exact:
    """Numbers that no field changes."""
    return lambda experiment: np.array(values)


def wide_std(layers: Sequence[int]) -> Exact:
    """The std of x at some layers, at infinite width."""

    def exact(experiment: Experiment) -> Array:
        wide = profile(experiment)
        return np.sqrt(wide.second_moment - wide.mean**2)[list(layers)]

    return exact


def wide_rms(layers: Sequence[int]) -> Exact:
    """The rms of x at some layers, at infinite width."""
    return lambda experiment: np.exp2(profile(experiment).log2_rms[list(layers)])


def wide_gradient(layers: Sequence[int]) -> Exact:
    """The rms of δ at some layers over that at the last, at infinite width."""
    return lambda experiment: np.exp2(profile(experiment).log2_gradient_rms[list(layers)])


def typical_std(layers: Sequence[int]) -> Exact:
    """The std of x of a typical network of this width, its median, at some layers."""
    return lambda experiment: np.exp2(predict(experiment).log2_std_quantiles[0.5][list(layers)])
