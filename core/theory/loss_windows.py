"""The window of loss scales with which a number format carries signal and gradient at once.

It follows from infinite-width theory, as that of scale factors does. The loss scale multiplies
every δ_k and every weight gradient G_k. The largest of N normal values is taken as √(2 ln N) times
their rms, and the largest element of G = e xᵀ as the product of two such.

The gradient of one matrix at every step is the sum of the steps' shares G_k. At infinite width they
are independent, and add in mean square. Those of the identity are alike, and add as they are.

Reference: Micikevicius et al. 2018, arXiv:1710.03740.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..layer.inputs import largest_of
from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from ..layer.operation import LogMoments
from ..maths.arrays import LOG2, Array, log2
from ..question.experiment import Experiment
from .profile import profile
from .windows import Window, scale_windows

_MIDDLE = -0.5682  # log2 of the median of |z| for z ~ N(0, 1)
_MIDDLE_OF_TWO = -1.4080  # log2 of the median of |z z′|, two of them
_EMPTY = Window(np.inf, 0.0)


class _Sizes(NamedTuple):
    """log2 of sizes at loss scale 1.

    Attributes:
        gradients: the rms of δ_0 … δ_L.
        weights: the rms of G_1 … G_L.
        whole: the largest of these, or the rms of their sum if all steps share one matrix.
        reach: the largest element over the rms.
    """

    gradients: Array
    weights: Array
    whole: float
    reach: float

    def low(self, number_format: NumberFormat) -> float:
        """log2 of the loss scale below which half of the elements of some δ or G are lost."""
        half = number_format.log2_rounds_to_zero_below
        least = min(self.gradients.min() + _MIDDLE, self.weights.min() + _MIDDLE_OF_TWO)
        return float(half - least)

    def high(self, number_format: NumberFormat) -> float:
        """log2 of the loss scale above which the largest element of some δ or G leaves the range.

        In a format that saturates only those of δ count: it holds elements at its largest value.
        """
        most = float(self.gradients.max()) + self.reach
        if not number_format.saturates:
            most = max(most, self.whole + 2 * self.reach)
        return number_format.log2_overflows_from - most


def loss_windows(experiment: Experiment, names: Iterable[str] = ()) -> dict[str, Window]:
    """The windows of several number formats, by name; empty where the signal itself is lost.

    Args:
        experiment: the question; its loss scale, number format and seed are ignored.
        names: keys of NUMBER_FORMATS; all of them if empty.

    Raises:
        ValueError: there is no number format of that name.
    """
    signal = scale_windows(experiment, names)
    sizes = _sizes(experiment)
    found = {}
    for name, window in signal.items():
        held = sizes is not None and window.holds(experiment.scale)
        found[name] = _window(sizes, NUMBER_FORMATS[name]) if sizes and held else _EMPTY
    return found


def _window(sizes: _Sizes, number_format: NumberFormat) -> Window:
    low, high = sizes.low(number_format), sizes.high(number_format)
    with np.errstate(over="ignore", under="ignore"):
        return Window(float(np.exp2(low)), float(np.exp2(high))) if low <= high else _EMPTY


def _sizes(experiment: Experiment) -> _Sizes | None:
    """The sizes of the gradients; None where there is none, because x or φ′ is zero."""
    known = profile(experiment)
    gradients, x = known.log2_gradient_rms, known.log2_rms
    with np.errstate(invalid="ignore"):
        product = experiment.layer.product.log_gradient_factor(LogMoments(2 * x[:-1]), LOG2) / 2
        weights = gradients[:-1] - product + x[:-1]  # before it, δ_{k−1} = aᵀ e_k is e_k
    weights = weights + np.log2(experiment.batch_size) / 2  # a sum over the inputs
    if not (np.isfinite(gradients).all() and np.isfinite(weights).all()):
        return None
    reach = float(log2(largest_of(experiment.width * experiment.batch_size)))
    return _Sizes(gradients, weights, _whole(experiment, weights), reach)


def _whole(experiment: Experiment, weights: Array) -> float:
    """log2 of the rms of the largest gradient of a matrix, from those of all steps' shares."""
    if experiment.weights == "fresh":
        return float(weights.max())
    power = 1 if experiment.init == "identity" else 2
    return float(np.logaddexp2.reduce(power * weights)) / power
