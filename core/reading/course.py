"""How the size of x went, in words: the rate per product, the trend, and where it leads."""

from __future__ import annotations

import numpy as np
import torch

from ..question.experiment import Experiment
from ..simulation.propagate import Run
from ..text import products, significant
from .diagnosis import Kind, curve, layers_in_range, level, trend
from .trend import LEAST, Factor, Power

_FAR = 3.0  # octaves beside 1 at which φ is the power of h that it follows further out or in
_BOUNDED = 1e6  # φ of a huge number, if φ is bounded
_SURE = 3.0  # standard deviations of the forecast
_FURTHEST = 10.0  # times the layers that show the factor
_PROMISED = 0.1  # of the number of products, within which a forecast comes true
_SLACK = 0.03  # of the products to go, for a rate that still changes unseen
_TIED_DRIFT = 0.8  # octaves times the depth: one matrix's later rate beside that of so many layers
_NAMED_POWERS = {-1.0: "1/k", -0.5: "1/√k", 0.5: "√k", 1.0: "k"}
_FEWEST = 8  # layers that show that they add alike
_ALIKE = 0.15  # octaves by which the sizes of early and late branches may differ
_ADDS_UP = 0.2  # of the sum of the branches' variances, by which that of x may differ from it
_NEAR = 0.03  # of an exponent that is told by its name


def the_size(run: Run) -> str:
    """The size of x as a sentence names it: "the std", or "|x|" of a single number."""
    return run.size_name if run.experiment.is_single_number else f"the {run.size_name}"


def rate(run: Run) -> str:
    """The factor per product as a sentence of its own; empty where there is none, or it is 1."""
    found = trend(run)
    if not isinstance(found, Factor) or found.is_flat:
        return ""
    e, start = run.experiment, f"Each {run.experiment.step}"
    if found.from_layer:
        start = f"From layer {found.from_layer} on each {e.step}"
    is_product = e.layer.is_one_product and not e.is_single_number
    stretch = ""
    if is_product and e.init != "identity" and e.rule.fit is None:
        stretch = f" (weight std × √n = {significant(e.sigma_w)})"
    factor = significant(found.per_product)
    if factor == "1":  # to three digits
        factor = f"{found.per_product:.5f}"
    return f"{start} multiplies {the_size(run)} by about {factor}{stretch}. "


def _power(found: Power) -> str:
    for exponent, name in _NAMED_POWERS.items():
        if abs(found.exponent - exponent) <= max(_NEAR, 2 * found.error):
            return f"about as {name}"
    error = max(0.01, found.error)
    return f"about as k to the power {found.exponent:z.2f} ± {error:.2f}".replace("-", "−")


def course(run: Run, kind: Kind) -> str:
    """One to three sentences on a run that nothing ended: "settles", "grows", "holds" and so on."""
    size, values = the_size(run), run.size
    first, last = (significant(float(value)) for value in values[[0, -1]])
    e = run.experiment
    after = f"After {products(e.depth, e.step)} {size} is {last}"
    start = f"; it started at {first}"
    if kind == "settles":
        found = level(run)
        assert found is not None
        held = significant(float(2.0**found.log2))
        return f"From layer {max(1, found.layer)} on {size} stays near {held}{start}."
    if kind == "wanders":
        low, high = (significant(float(edge(values))) for edge in (np.min, np.max))
        return f"{after}{start}, and went from {low} to {high} in between."
    if kind == "holds":
        return f"{after}{start}."
    return _changed(run, kind, after, start)


def _changed(run: Run, kind: Kind, after: str, start: str) -> str:
    """On a run whose size grew or shrank, with its trend by the end, which may be the opposite."""
    size, seen = the_size(run), trend(run)
    added = _added_alike(run)
    if kind == "grows" and added is not None:
        return (
            f"{after}{start}. Each layer adds about the same variance, that of a branch of rms "
            f"{significant(added)}; such a sum grows as √k with the number k of layers."
        )
    if isinstance(seen, Power):
        verb = "grows" if seen.exponent > 0 else "falls"
        return f"{after}{start}. By the end it {verb} {_power(seen)} with the layer's number k."
    if seen is None and len(curve(run)) > LEAST:
        return f"{after}{start}. {size[0].upper()}{size[1:]} {kind} by no constant factor."
    if seen is None or seen.is_flat:
        return f"{after}{start}."
    if (seen.octaves > 0) != (kind == "grows"):
        return f"{after}{start}. {rate(run).strip()}"
    return f"{rate(run)}{after}{_forecast(run, seen) or start}."


def _added_alike(run: Run) -> float | None:
    """The rms of a branch, where all layers add branches of one size whose variances add up.

    So they do where a norm gives every branch its size, weights are new in each layer, and nothing
    that branches add is the same in all of them, as a mean would be.
    """
    e, log2 = run.experiment, run.log2_branch_rms
    if log2 is None or not e.layer.adds_up or e.weights == "tied" or run.goes_back:
        return None
    octaves = log2[1:]
    if len(octaves) < _FEWEST or not np.isfinite(octaves).all():
        return None
    early, late = np.array_split(octaves, 2)
    grown = 4.0 ** run.stats.log2_rms[-1] - 4.0 ** run.stats.log2_rms[0]
    is_steady = abs(early.mean() - late.mean()) <= _ALIKE and float(octaves.std()) <= 2 * _ALIKE
    if not is_steady or abs(grown / (4.0**octaves).sum() - 1) > _ADDS_UP:
        return None
    return float(2.0 ** octaves.mean())


def keeps_small_numbers(e: Experiment) -> bool:
    """Whether φ of the smallest positive numbers is one that the format holds: not so of φ = h²."""
    least = torch.tensor(4 * e.format.smallest_normal, dtype=torch.float64)
    return abs(float(e.phi(least))) >= e.format.smallest_normal


def rounds_small_numbers_off(e: Experiment) -> bool:
    """Whether torch's φ is 0 for numbers whose φ the format holds, as its erf in bfloat16 is."""
    least = torch.full((1,), 4 * e.format.smallest_normal, dtype=e.format.product_dtype)
    return keeps_small_numbers(e) and float(e.phi(least)) == 0


def _keeps_its_law(run: Run, found: Factor) -> bool:
    """Whether the layer does to the sizes to come what it does to the last ones.

    A bias ends a decay, a bounded φ ends a growth, and φ has another slope at other sizes unless
    it is positively homogeneous or x is already far from 1. Rounding to nearest may hold numbers
    of which a product takes less than one unit of their last digit.
    """
    e, stats = run.experiment, run.stats
    if not e.layer.is_plain:  # what a branch adds to x, and a norm, go by other laws than x
        return False
    if e.has_bias and found.octaves < 0:
        return False
    if found.octaves < 0 and rounds_small_numbers_off(e):
        return False
    if -e.format.epsilon <= 2.0**found.octaves - 1 < 0:
        return False
    if e.phi.positively_homogeneous:
        return True
    if found.octaves < 0:
        return bool(stats.max_abs[-1] < 2.0**-_FAR)
    ends = e.phi(torch.tensor([-1e9, 1e9], dtype=torch.float64)).abs().max()
    return bool(float(ends) > _BOUNDED and stats.log2_rms[-1] > _FAR)


def _forecast(run: Run, found: Factor) -> str:
    """After how many products the number format's range would end; empty if that is not sure."""
    if layers_in_range(run) < len(run.stats) or not _keeps_its_law(run, found):
        return ""
    limit, depth = run.experiment.format, run.experiment.depth
    edge = limit.max if found.octaves > 0 else limit.smallest_normal
    octaves = abs(float(np.log2(edge) - np.log2(run.stats.max_abs[-1])))
    pace = abs(found.octaves)
    left = octaves / pace
    later = _TIED_DRIFT / depth if run.experiment.weights == "tied" else 0.0
    of_rate = np.hypot(found.standard_error, later)
    doubt = np.hypot(left * of_rate, np.sqrt(left) * found.scatter) / pace
    if not 0 < left <= _FURTHEST * (depth - found.from_layer):
        return ""
    if _SURE * doubt + _SLACK * left + 1 > _PROMISED * (depth + left):
        return ""
    what = f"stick at {significant(limit.max)}" if limit.saturates else "overflow"
    if found.octaves < 0:
        what = f"sink below {significant(edge)}, {limit.stored_in}'s smallest normal number,"
    return f"; at this rate it would {what} after about {products(round(depth + left))}"
