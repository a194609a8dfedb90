"""The work of a prediction, estimated before it is computed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..layer.operation import MICROSECOND
from ..maths.arrays import LOG2, Array
from ..question.experiment import Experiment
from . import fading, gradient_events, saturation
from .known_law import known_law
from .lengths import log2_gradient_rms, log2_rms

_CHOOSING, _READING = 8.0, 350.0  # microseconds: of finding the law, and of what follows from it
_DRIFT = 0.36  # octaves by which the median of log2 rms falls, over the variance of a mean square


@lru_cache(maxsize=256)
def prediction_work(experiment: Experiment) -> float:
    """The work of ``predict``, in multiply-adds.

    Moments of φ that are found once in a process are left out.

    Args:
        experiment: the question.
    """
    e, known = experiment, known_law(experiment)
    if known.law is None:
        return _CHOOSING * MICROSECOND + known.multiply_adds
    if known.is_sampled:
        return _READING * MICROSECOND + known.multiply_adds
    work = _READING * MICROSECOND + known.multiply_adds
    sizes, slopes = _sizes(e), e.layer.elementwise.slopes
    if e.format.saturates:
        work += saturation.work(e, sizes)
    if slopes is not None and not e.bias_std and max(slopes) > 0:
        work += fading.work(e, sizes)
    return work + gradient_events.work(e, _back(e, sizes))


def _back(e: Experiment, sizes: Array) -> Array:
    """Typical log2 rms of the gradient after 0 … depth steps back, from those of the signal."""
    if e.layer.degree == 1:  # its law is that of the signal, read backwards
        return np.asarray(np.log2(e.loss_scale / e.input_scale) + sizes)
    return np.asarray(np.log2(e.loss_scale) + log2_gradient_rms(e.layer, sizes)[::-1])


def _sizes(e: Experiment) -> Array:
    """Typical log2 rms at layers 0 … depth, at infinite width but for the drift of the median."""
    if e.layer.degree != 1:
        return log2_rms(e.layer, e.depth, start=float(np.log2(e.input_scale)))
    factor = float(e.layer.log_square(np.zeros(1), LOG2)[0]) / 2
    if e.layer.product.law != "orthogonal":
        below, above = e.layer.elementwise.slopes or (1.0, 1.0)
        fourth = 6 * (below**4 + above**4) / (below**2 + above**2) ** 2  # E φ⁴/(E φ²)²
        factor -= _DRIFT * min(2.0, (fourth - 1) / e.width)
    return np.asarray(np.log2(e.input_scale) + factor * np.arange(e.depth + 1), np.float64)
