"""How alike two inputs become from layer to layer at infinite width."""

from __future__ import annotations

import numpy as np

from ..layer.operation import Moments
from ..maths.arrays import Array
from ..question.experiment import Experiment


def cosine_of_inputs(experiment: Experiment) -> Array:
    """The cosine of the angle between the signals of two independent inputs, at width → ∞.

    The inputs are orthogonal at layer 0. It is E x x′/E x² of the activations, where the
    correlation map of mean-field theory speaks of the pre-activations.

    Args:
        experiment: the question; its width and batch size play no part.

    Returns:
        float64 of shape (depth + 1,). NaN where the signal is zero or infinite; after layer 0, if
        the initialiser's matrices are neither of independent entries nor orthogonal.

    Reference: Poole et al. 2016, arXiv:1606.05340, eq. 5.
    """
    found = np.full(experiment.depth + 1, np.nan)
    found[0] = 0.0
    if experiment.rule.law == "other":
        return found
    now = Moments(square=1.0, cross=0.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for layer in range(1, experiment.depth + 1):
            now = experiment.layer.moments(now)
            square = float(now.square)
            if not 0 < square < np.inf:
                break
            found[layer] = float(now.cross) / square
    return found
