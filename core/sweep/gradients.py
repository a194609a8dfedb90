"""GRADIENTS: the measures of the way back, from the output δ_L to the input δ_0.

An ensemble tells them as long as every signal of the way there stays in the number format's range:
what becomes of a gradient beyond it depends on how Inf, NaN and 0 pass through φ′.
"""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array, log2
from ..question.experiment import Experiment
from ..simulation.backward import Backward
from ..simulation.ensemble import Ensemble
from .measure import Measure

_DECADES = float(np.log10(2.0))  # of an octave


def _ratio(back: Backward) -> float:
    """log10 of rms δ_0 over rms δ_L; NaN if δ_0 is not finite, −∞ if it is all zero."""
    first, last = (float(back.stats.log2_rms[layer]) for layer in (0, -1))
    if back.stats.nonfinite[0] > 0 or back.stats.nonfinite[-1] > 0:
        return np.nan
    if back.stats.zero[0] == 1:
        return -np.inf
    return (first - last) * _DECADES


def _break(back: Backward) -> float:
    """The first layer on the way back at which δ is not finite or all zero; NaN if none is."""
    found = (back.events.first_nonfinite, back.events.all_zero)
    return float(max((layer for layer in found if layer is not None), default=np.nan))


def _lost(back: Backward) -> float:
    return float(back.stats.zero[0])


def _log2_rms(back: Backward) -> float:
    return np.nan if back.stats.nonfinite[0] > 0 else float(back.stats.log2_rms[0])


def _log2_rms_of_weights(back: Backward) -> float:
    return np.nan if back.weights.nonfinite[1] > 0 else float(back.weights.log2_rms[1])


def _known(values: Array | None) -> Array:
    assert values is not None  # the ensemble was asked for gradients
    return values


def _breaks(ensemble: Ensemble, e: Experiment) -> Array:
    """`_break` of each network."""
    largest = _known(ensemble.log2_gradient_max_abs) + log2(e.loss_scale)
    ends = largest <= e.format.log2_rounds_to_zero_below
    if not e.format.saturates:
        ends |= largest >= e.format.log2_overflows_from
    depth = ends.shape[1] - 1
    return np.where(ends.any(1), depth - ends[:, ::-1].argmax(1).astype(float), np.nan)


def _in_range(ensemble: Ensemble, e: Experiment, values: Array) -> Array:
    """The values; −∞ of a network whose gradient vanishes on the way, NaN where it breaks."""
    largest = _known(ensemble.log2_gradient_max_abs) + log2(e.loss_scale)
    ends = _breaks(ensemble, e)
    at = np.nan_to_num(ends).astype(int)
    gone = largest[np.arange(len(at)), at] <= e.format.log2_rounds_to_zero_below
    return np.where(np.isnan(ends), values, np.where(gone, -np.inf, np.nan))


def _ratios(ensemble: Ensemble, e: Experiment) -> Array:
    sizes = _known(ensemble.log2_gradient_rms)
    with np.errstate(invalid="ignore"):
        return _in_range(ensemble, e, (sizes[:, 0] - sizes[:, -1]) * _DECADES)


def _sizes(ensemble: Ensemble, e: Experiment) -> Array:
    return _in_range(ensemble, e, _known(ensemble.log2_gradient_rms)[:, 0] + log2(e.loss_scale))


def _sizes_of_weights(ensemble: Ensemble, e: Experiment) -> Array:
    weights = _known(ensemble.log2_weight_gradient_rms)[:, 1]
    return _in_range(ensemble, e, weights + log2(e.loss_scale))


GRADIENTS: dict[str, Measure] = {
    "gradient_ratio": Measure(
        label="log10 gradient ratio",
        help="log10 of the rms of the gradient at the input over that at the output: 0 holds, "
        "above it the gradient grows going back, below it shrinks.",
        kind="log10",
        of_backward=_ratio,
        of_gradients=_ratios,
    ),
    "gradient_break": Measure(
        label="first break going back",
        help="The first layer, going back from the output to the input, at which the gradient has "
        "an element that is Inf or NaN, or is all zero; none if it arrives at the input.",
        kind="layer",
        of_backward=_break,
        of_gradients=_breaks,
    ),
    "gradient_lost": Measure(
        label="zeros in the gradient at the input",
        help="The share of the gradient's elements at the input that are exactly zero.",
        kind="fraction",
        of_backward=_lost,
    ),
    "log2_gradient_rms": Measure(
        label="log2 rms of the gradient at the input",
        help="log2 of the root mean square of the gradient after its way back through all layers.",
        kind="log2",
        of_backward=_log2_rms,
        of_gradients=_sizes,
    ),
    "log2_weight_gradient_rms": Measure(
        label="log2 rms of the first weight gradient",
        help="log2 of the root mean square of the gradient of the first layer's matrix; for tied "
        "weights the share of that step.",
        kind="log2",
        of_backward=_log2_rms_of_weights,
        of_gradients=_sizes_of_weights,
    ),
}
"""Name -> Measure of a gradient, which begins at the last layer of each cell's own network."""
