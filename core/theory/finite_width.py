"""predict(): the laws of a signal's size at the experiment's own width and depth.

They come from theory alone, not from runs. Where no law is known, the prediction says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..maths.arrays import LN, Array
from ..question.experiment import Experiment
from ..text import significant
from . import block_words
from .block_ends import far_from_ends
from .block_law import BlockLaw
from .gradient_events import gradient_ends
from .known_law import known_law, law_back
from .length_law import LengthLaw
from .markov_law import table
from .range_events import Pmf, all_zero_pmf, overflow_pmf
from .saturation import held, reaches_the_end

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The levels of a prediction's quantiles."""

_DRIFT = 0.1  # octaves a layer, of rounding in blocks: the coarsest loses 0.06
_NARROWEST = 8  # the least width for quantiles of std: below it, their error O(1/n) is too large
_LN2 = np.log(2.0)


@dataclass(frozen=True)
class Prediction:
    """The prediction of theory for an Experiment, over all weights and inputs.

    Attributes:
        valid: one sentence that names the law and where it holds, or says why there is none.
        log2_rms_quantiles: level (0.05 … 0.95) -> quantile of log2 rms of x, float64 of shape
            (depth + 1,); empty where no law is known. Where the format has infinity, they go on
            beyond its range; else from the layer on at which it holds elements at its largest value
            all quantiles are the typical size.
        log2_std_quantiles: the same for log2 std of x. Its error is O(1/n), so it is empty for the
            narrowest networks too.
        ends_known: whether the two laws that follow are known, and with them the layers at which a
            number format ends; else both are empty.
        overflow_pmf: loop index i -> probability that x first has a non-finite element there.
        all_zero_pmf: loop index i -> probability that x is first all zero there.
        born_dead: the probability that φ, without rounding, makes x all zero within the depth.
        gradient_valid: one sentence that names the law of the gradient and where it holds, or says
            why there is none.
        log2_gradient_rms_quantiles: level -> quantile of log2 rms of δ_k at layers k = 0 … depth,
            loss scale included; empty where no law is known. They go on beyond the format's range.
        log2_gradient_std_quantiles: the same of log2 std of δ; empty where no law is known, and
            where δ has mean 0, so that its std is its rms up to O(1/n).
        gradient_overflow_pmf: layer k -> probability that δ first has a non-finite element there,
            on the way from the last layer down; None where no law is known.
        gradient_all_zero_pmf: layer k -> probability that δ is first all zero there; likewise.
    """

    valid: str
    log2_rms_quantiles: Mapping[float, Array] = field(default_factory=dict)
    log2_std_quantiles: Mapping[float, Array] = field(default_factory=dict)
    ends_known: bool = True
    overflow_pmf: Pmf = field(default_factory=dict)
    all_zero_pmf: Pmf = field(default_factory=dict)
    born_dead: float = 0.0
    gradient_valid: str = ""
    log2_gradient_rms_quantiles: Mapping[float, Array] = field(default_factory=dict)
    gradient_overflow_pmf: Pmf | None = None
    gradient_all_zero_pmf: Pmf | None = None
    log2_gradient_std_quantiles: Mapping[float, Array] = field(default_factory=dict)

    @property
    def gradient_known(self) -> bool:
        """Whether a law of the gradient is known."""
        return bool(self.log2_gradient_rms_quantiles)

    @property
    def known(self) -> bool:
        """Whether a law of the rms is known."""
        return bool(self.log2_rms_quantiles)

    @property
    def std_known(self) -> bool:
        """Whether quantiles of std are given too."""
        return bool(self.log2_std_quantiles)


def predict(
    experiment: Experiment, *, on_progress: Callable[[float], object] | None = None
) -> Prediction:
    """Predict the size of x at every layer, and the iteration at which x leaves its range.

    Quantiles are over weights and inputs; the seed plays no part. The laws are cached; those of a
    positively homogeneous φ serve every scale factor.

    Args:
        experiment: the question.
        on_progress: called with the fraction that is done, after every layer of what takes longest:
            the lower and the upper end of a number format, where the signal is followed by itself.
    """
    e, tell = experiment, on_progress or (lambda done: None)
    known = known_law(e)
    law, valid = known.law() if known.law else known.words, known.words
    if isinstance(law, str):
        return Prediction(law, gradient_valid=law)
    valid += _left_out(e)
    if isinstance(law, BlockLaw):
        return _of_blocks(e, valid, law)
    rms = law.quantiles(LEVELS)
    std = _std_quantiles(e, law, rms) if e.width >= _NARROWEST else rms[:0]
    if e.format.shared_rounding:
        return _without_ends(e, valid, law, (rms, std))
    held_from = None
    if e.format.saturates:
        rms, std, held_from = held(e, rms, std, tell)
        if held_from is not None:
            valid += (
                f" From layer {held_from} on {e.number_format} holds elements at "
                f"{significant(e.format.max)}: there the typical size is drawn, and no spread."
            )
    overflow, all_zero = overflow_pmf(e, law), all_zero_pmf(e, law, tell)
    return Prediction(
        valid,
        dict(zip(LEVELS, rms, strict=True)),
        dict(zip(LEVELS, std, strict=False)),
        True,
        overflow,
        all_zero,
        float(law.dead[-1]),
        *_of_gradient(e, law, overflow, all_zero, is_held=held_from is not None),
    )


def _left_out(e: Experiment) -> str:
    """The rounding that a law leaves out, as a sentence; empty where it hardly matters."""
    if e.format.shared_rounding:
        return f" T{e.format.shared_rounding[1:]} is left out."
    if e.format.is_coarse:
        return " The coarse rounding of 8 bits is left out."
    if e.format.multiplication.terms_per_rounding:
        return " Sums that overflow before their last term is added are left out."
    return ""


def _without_ends(
    e: Experiment, valid: str, law: LengthLaw, sizes: tuple[Array, Array]
) -> Prediction:
    """The prediction for a format in whose runs the size drifts away from the law.

    A drift of some percent in every layer moves the iteration at which x leaves the range.
    """
    far = all(far_from_ends(e, law.shifted(drift)) for drift in (-_DRIFT, _DRIFT))
    if not far:
        valid += f" Where x leaves the range of {e.number_format} is not predicted."
    rms, std = (dict(zip(LEVELS, each, strict=False)) for each in sizes)
    words, back, _, _ = _of_gradient(e, law, {}, {}, is_held=False)
    dead = float(law.dead[-1])
    return Prediction(valid, rms, std, far, {}, {}, dead, words + _left_out(e), back, None, None)


def _of_blocks(e: Experiment, valid: str, law: BlockLaw) -> Prediction:
    """The prediction from a law that was sampled with its std and its gradient.

    Where the law comes near an end of the number format, that end has no known law.
    """
    rms, std = law.rms.quantiles(LEVELS), law.std.quantiles(LEVELS)
    if e.format.saturates and reaches_the_end(e, rms):
        end = f"{e.number_format} holds elements of x at {significant(e.format.max)}"
        words = f"No law is known: {end}."
        return Prediction(words, gradient_valid=words)
    far = far_from_ends(e, law.rms)
    if not far:
        valid += f" Where x leaves the range of {e.number_format} is not predicted."
    words, holds = block_words.of_gradient(e, law)
    words += _left_out(e) if e.format.shared_rounding else ""
    sizes = dict(zip(LEVELS, rms, strict=True)), dict(zip(LEVELS, std, strict=True))
    octaves = float(np.log2(e.loss_scale))
    back, spread = law.gradient.raised(octaves), law.gradient_std.raised(octaves)
    quantiles = back.quantiles(LEVELS)
    if holds and e.format.saturates and reaches_the_end(e, quantiles):
        end = f"{e.number_format} holds elements of δ at {significant(e.format.max)}"
        words, holds = f"No law of the gradient is known: {end}.", False
    if not holds:
        return Prediction(valid, *sizes, far, gradient_valid=words)
    ends: Pmf | None = {} if far and far_from_ends(e, back) else None
    stds = spread.quantiles(LEVELS)
    bands, centred = (dict(zip(LEVELS, each, strict=True)) for each in (quantiles, stds))
    return Prediction(valid, *sizes, far, {}, {}, 0.0, words, bands, ends, ends, centred)


def _of_gradient(
    e: Experiment, law: LengthLaw, overflow: Pmf, all_zero: Pmf, *, is_held: bool
) -> tuple[str, dict[float, Array], Pmf | None, Pmf | None]:
    """The fields of a Prediction on the gradient, given the law of the signal and its ends.

    ``is_held`` says that the format holds elements of the signal at its largest value.
    """
    words, unscaled = law_back(e, law)
    if unscaled is None:
        return words, {}, None, None
    back = unscaled.raised(float(np.log2(e.loss_scale)))
    quantiles = dict(zip(LEVELS, back.quantiles(LEVELS), strict=True))
    if e.format.saturates and (is_held or reaches_the_end(e, quantiles[LEVELS[-1]])):
        end = f"{e.number_format} holds elements of x or δ at {significant(e.format.max)}"
        return f"No law of the gradient is known: {end}.", {}, None, None
    ends = gradient_ends(e, law, back, overflow, all_zero)
    if ends is None:
        words += f" Where x leaves the range of {e.number_format}, the end of δ has no known law."
    return words, quantiles, *(ends or (None, None))


def _std_quantiles(e: Experiment, law: LengthLaw, rms: Array) -> Array:
    """Quantiles of log2 std, shape (levels, depth + 1), from the quantiles of log2 rms.

    If φ is odd, x has mean 0, and its std is its rms up to O(1/n). Otherwise, given the rms of the
    layer before, the variance of n values of φ is nearly lognormal. So the quantiles of rms are
    mapped through the variance of φ, and widened by the spread of that lognormal.
    """
    known = table(e.activation)
    if known.is_odd:
        return rms
    ln_q = e.layer.affine.log_square(2 * _LN2 * rms[:, :-1], LN)
    ln_variance = known.at("variance", ln_q)
    middle = LEVELS.index(0.5)
    with np.errstate(divide="ignore", invalid="ignore"):  # a median that is −inf is passed on
        center = ln_variance[middle]
        relative = np.expm1(known.at("fourth_central", ln_q[middle]) - 2 * center) / e.width
        if e.layer.product.law == "orthogonal":  # lengths do not vary
            relative = relative - 2 * known.variance_slope(ln_q[middle]) ** 2 / e.width
        own = np.log1p(np.maximum(relative, 0.0))
        spread = (ln_variance[-2] - ln_variance[1]) / (2 * 0.6744897501960817)
        widening = np.sqrt(1 + own / spread**2)
        moved = center - own / 2 + (ln_variance - center) * widening
    moved = np.where(np.isfinite(center), moved, ln_variance)
    moved = np.where(np.isneginf(rms[:, 1:]), -np.inf, moved)
    return np.concatenate([rms[:, :1], moved / (2 * _LN2)], axis=1)
