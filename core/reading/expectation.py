"""A Run beside what was expected: the iteration, how likely its size was, tied against fresh."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from scipy import special

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..text import significant
from ..theory.finite_width import LEVELS, Prediction, predict
from .diagnosis import last_sound_size

_MOST_NAMED = 3  # outcomes of a law that are listed; a law with more is told as a range
_COVERED = 0.9  # of the probability, by the list or by the range
_RARE = 0.01
_CRITICAL = 0.03  # octaves per product: a scale this near keeps the second moment


@dataclass(frozen=True)
class Bands:
    """How the size of x spreads over networks, to be drawn around that of one run.

    Attributes:
        quantiles: level -> log2 of std (or of |x|, where x is a single number) per layer.
        source: one sentence: the law, or how many networks were measured.
        is_theory: whether the quantiles are a law's, and not measured.
    """

    quantiles: Mapping[float, Array]
    source: str
    is_theory: bool


def bands(prediction: Prediction, ensemble: Ensemble | None, *, single: bool) -> Bands | None:
    """The law's bands; where no law is known, those of the ensemble; None without either.

    Args:
        prediction: of theory.
        ensemble: networks that were measured, if any.
        single: whether x is a single number, whose size is |x|.
    """
    law = prediction.log2_rms_quantiles if single else prediction.log2_std_quantiles
    if law:
        return Bands(law, prediction.valid, True)
    if ensemble is None:
        return None
    sizes = ensemble.log2_rms if single else ensemble.log2_std
    found = np.quantile(sizes, LEVELS, axis=0, method="closest_observation")
    how = "Sampled" if ensemble.exact_in_law else "Measured"
    rounding = ensemble.experiment.format.shared_rounding
    without = f", without {rounding}" if rounding else ""
    source = f"{prediction.valid} {how} in {len(sizes)} networks{without}."
    return Bands(dict(zip(LEVELS, found, strict=True)), source, False)


def percent(share: float) -> str:
    """A probability in whole percent; "< 1 %" and "> 99 %" at the ends."""
    if share > 0.995:
        return "> 99 %"
    return f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"


def in_words(pmf: Mapping[int, float]) -> str:
    """A law of a loop index in a few words: "28 (89 %), 27 (11 %)", or a range.

    Args:
        pmf: loop index -> probability; the rest to 1 is "never".
    """
    missing = 1 - sum(pmf.values())
    if missing > 1 - _RARE / 10:
        return "never"
    likely = sorted(pmf.items(), key=lambda pair: -pair[1])
    outcomes = [(str(index), share) for index, share in likely if share >= _RARE]
    if missing >= _RARE or not outcomes:
        outcomes.append(("never", missing))
        outcomes.sort(key=lambda pair: -pair[1])
    listed = outcomes[:_MOST_NAMED]
    if sum(share for _, share in listed) >= _COVERED:
        return ", ".join(f"{name} ({percent(share)})" for name, share in listed)
    never = f", never ({percent(missing)})" if missing >= _RARE else ""
    low, high = _central(pmf)
    share = percent(_COVERED * (1 - missing))
    return f"{low} to {high} ({share}), likeliest {likely[0][0]}{never}"


def _central(pmf: Mapping[int, float]) -> tuple[int, int]:
    """The indices between which all but a twentieth of the law at either end lies."""
    indices = sorted(pmf)
    below = list(accumulate(pmf[index] for index in indices))
    tail = (1 - _COVERED) / 2 * below[-1]
    low = bisect_right(below, tail)
    high = bisect_left(below, below[-1] - tail)
    return indices[low], indices[high]


def predicted_iteration(prediction: Prediction) -> str:
    """The iteration at which the range was expected to end; empty where no law is known."""
    if not prediction.known or not prediction.ends_known:
        return ""
    broken, zero = prediction.overflow_pmf, prediction.all_zero_pmf
    explodes, vanishes = sum(broken.values()), sum(zero.values())
    if explodes >= max(_RARE, vanishes):
        return f"predicted {in_words(broken)}"
    if vanishes >= _RARE:
        return f"predicted all zero at {in_words(zero)}"
    return "predicted none"


def _rank(size: float, at_levels: Array) -> float:
    """The share of networks below a size: between the known quantiles, and extrapolated beyond."""
    scores = special.ndtri(LEVELS)
    inner = np.interp(size, at_levels, scores)
    for end, step in ((0, 1), (-1, -2)):
        outside = size < at_levels[0] if end == 0 else size > at_levels[-1]
        slope = (scores[step] - scores[end]) / (at_levels[step] - at_levels[end])
        inner = scores[end] + slope * (size - at_levels[end]) if outside else inner
    return float(special.ndtr(inner))


def _size(octaves: float) -> str:
    """A size, given as log2, in words."""
    return significant(float(2.0 ** np.clip(octaves, -1070, 1020)))


def _spread(found: Bands, layer: int) -> str:
    """The 90 % band at a layer, in words."""
    low, high = (float(found.quantiles[level][layer]) for level in (LEVELS[0], LEVELS[-1]))
    return f"between {_size(low)} and {_size(high)}"


def luck(run: Run, found: Bands | None) -> str:
    """How likely the size at the last sound layer was; empty where no spread is known."""
    if found is None:
        return ""
    layer, size = last_sound_size(run)
    at = np.array([found.quantiles[level][layer] for level in LEVELS])
    if layer == 0 or not np.isfinite(at).all() or at[-1] - at[0] < 1e-9 or not size > 0:
        return ""
    rank = _rank(float(run.log2_size[layer]), at)
    spread = _spread(found, layer)
    rounding = run.experiment.format.shared_rounding
    where, whole = f"At layer {run.layers[layer]}", "all"
    if rounding:
        where, whole = f"Without {rounding}, at layer {run.layers[layer]}", "these"
    return (
        f"{where} nine networks in ten have a {run.size_name} {spread}; "
        f"{percent(rank)} of {whole} networks lie below this one's {significant(size)}."
    )


def tied_against_fresh(run: Run, predicted: Callable[[Experiment], Prediction] = predict) -> str:
    """Why a scale that keeps the second moment need not end near 1 with tied weights.

    Args:
        run: the text is empty unless its weights are tied and its scale keeps the second moment.
        predicted: theory's prediction for an Experiment; it is asked for fresh weights.
    """
    e = run.experiment
    if (
        not e.layer.is_plain
        or e.weights == "fresh"
        or e.has_bias
        or e.weight_std == 0
        or e.is_single_number
    ):
        return ""
    if abs(np.log2(e.sigma_w / e.phi.gain)) > _CRITICAL or not np.isfinite(run.stats.log2_std[-1]):
        return ""
    fresh = bands(predicted(e.replace(weights="fresh")), None, single=False)
    if fresh is None:
        return ""
    return (
        "This scale keeps the second moment when every layer has weights of its own: nine "
        f"networks in ten would then end with a std {_spread(fresh, e.depth)}. Here one matrix "
        "acts at every step, as in the lesson, and its effect on x repeats."
    )
