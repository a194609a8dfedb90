"""A gradient in words: what becomes of it on its way from the output back to the input."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ..layer.activations import Activation
from ..simulation.backward import Backward
from ..simulation.propagate import Run
from ..statistics.layer_stats import STUCK
from ..text import significant
from .diagnosis import Kind, growth, kind_of, stuck_share, trend
from .gradient_run import as_run
from .trend import Factor

_HEALTHY = ("holds", "settles")
_AT_MOST = 64.0  # times σ_w·|δ|: the largest of many sums, with slopes of φ
_LOSES = 4.0  # times the smallest number: of normal values of this rms a tenth rounds to zero
_SURELY = 0.125  # times σ_w·|δ|: some sum is as large


class GradientVerdict(NamedTuple):
    """What became of a gradient.

    Attributes:
        kind: one word, such as "explodes" or "holds".
        sentence: one to three plain sentences with the numbers.
        layer: the layer k of the first non-finite element or of all zeros, going back, as text.
        layer_label: the name of ``layer``.
        growth: the factor by which a layer multiplies the size going back; NaN if none is constant.
    """

    kind: Kind
    sentence: str
    layer: str
    layer_label: str
    growth: float


def gradient_verdict(back: Backward) -> GradientVerdict:
    """The verdict on a gradient."""
    run = as_run(back)
    kind = _kind(back, run)
    layer, label = _event(back)
    return GradientVerdict(kind, _sentence(back, run, kind), layer, label, growth(run))


def _kind(back: Backward, run: Run) -> Kind:
    """The kind of a gradient: a change by a constant factor is an explosion or a vanishing."""
    if back.events.first_nonfinite is not None:
        return "explodes" if _broken_by(back) is None else "breaks"
    if back.stats.zero[0] == 1:
        return "dies" if _is_stopped(back) else "vanishes"
    if stuck_share(run)[0] >= STUCK:
        return "saturates"
    kind, found = kind_of(run), trend(run)
    if kind in _HEALTHY and _is_among_the_smallest(back):
        return "stuck"
    if not isinstance(found, Factor) or found.is_flat:
        return kind
    if kind == "grows" and found.octaves > 0:
        return "explodes"
    return "vanishes" if kind == "shrinks" and found.octaves < 0 else kind


def _is_among_the_smallest(back: Backward) -> bool:
    """Whether rounding makes more than about a tenth of the elements at the input zero."""
    smallest = back.run.experiment.format.smallest_subnormal
    return bool(back.stats.rms[0] < _LOSES * smallest)


def _is_stopped(back: Backward) -> bool:
    """Whether φ, which makes all of x zero, stops the gradient at the last layer."""
    e, zero = back.run.experiment, back.stats.zero
    arrived = zero[-1] < 1 and back.run.stats.zero[-1] == 1 and zero[-2] == 1
    return bool(arrived and e.phi.derivative(torch.zeros(1, dtype=torch.float64)) == 0)


def _broken_by(back: Backward) -> int | None:
    """The layer of x whose elements that are not finite break the gradient; None if it overflows.

    φ′(h) of such an element may be NaN. A product may overflow if the gradient before it comes near
    the format's largest value. Sums of a wider range than the format's then give Inf, and no NaN.
    """
    e, layer, x = back.run.experiment, back.events.first_nonfinite, back.run.stats.nonfinite
    if layer is None or layer == e.depth or not (x[layer] or x[layer + 1]):
        return None
    with np.errstate(over="ignore"):
        size = float(back.stats.max_abs[layer + 1]) * e.weight_std * e.width**0.5
    is_nan = back.stats.nan[layer] == back.stats.nonfinite[layer]
    by_x = is_nan and _makes_nan(e.phi) and e.format.max < torch.finfo(e.format.sum_dtype).max / 2
    if size * (_SURELY if by_x else _AT_MOST) >= e.format.max:
        return None
    return layer + 1 if x[layer + 1] else layer


def _makes_nan(phi: Activation) -> bool:
    """Whether φ′ is NaN somewhere beyond the finite numbers."""
    h = torch.tensor([-torch.inf, torch.inf, torch.nan])
    return bool(phi.backward(h, torch.ones(3)).isnan().any())


def _event(back: Backward) -> tuple[str, str]:
    """The layer of the first failure on the way back, as text, and its name."""
    broken, zero = back.events.first_nonfinite, back.events.all_zero
    if broken is not None:
        return str(broken), "Gradient breaks at layer"
    if zero is not None:
        return str(zero), "Gradient is zero from layer"
    return "none", "Gradient breaks at layer"


def _sentence(back: Backward, run: Run, kind: Kind) -> str:
    e, events = run.experiment, back.events
    if kind == "dies":
        return "Every element of x is 0 at the last layer, so no gradient comes back."
    going = _rate(run)
    if events.first_nonfinite is not None:
        return _break(back, kind, going if growth(run) > 1 else "")
    if events.all_zero == e.depth:
        return f"Times the loss scale the gradient is 0 in {e.number_format} at the output already."
    if back.stats.zero[0] == 1 and e.weight_std == 0:
        return "Every weight is 0, so no gradient comes back through the last layer."
    if back.stats.zero[0] == 1:
        shrinking = going if growth(run) < 1 else ""
        return f"{shrinking}From layer {events.all_zero} down every element of it is exactly 0."
    if kind == "saturates" and stuck_share(run)[0] >= STUCK:
        return (
            f"Times the loss scale the gradient does not fit {e.number_format} at the output: "
            f"{stuck_share(run)[0]:.0%} of its elements other than zero are held at "
            f"{significant(e.format.max)}."
        )
    if kind == "stuck" and _is_among_the_smallest(back):
        lost = [f"{back.stats.zero[layer]:.0%}" for layer in (-1, 0)]
        return (
            f"The gradient ends among the smallest numbers of {e.number_format}: {lost[0]} of its "
            f"elements are 0 at the output, {lost[1]} at the input."
        )
    first, last = float(back.stats.log2_rms[0]), float(back.stats.log2_rms[-1])
    share = significant(float(np.exp2(first - last)))
    told = f"{going}The gradient at the input is {share} times that at the output."
    if kind == "saturates":
        told += f" Elements are stuck at {significant(e.format.max)}."
    return told


def _break(back: Backward, kind: Kind, growing: str) -> str:
    """Why an element of a gradient became Inf or NaN, after the factor by which it grew."""
    e, layer = back.run.experiment, back.events.first_nonfinite
    if layer == e.depth:
        return f"Times the loss scale the gradient does not fit {e.number_format} at the output."
    if kind == "breaks":
        return (
            f"x is not finite at layer {_broken_by(back)}, and neither is what comes back through "
            f"it: the gradient breaks at layer {layer}."
        )
    end = f"{e.number_format} ends at {significant(e.format.max)}"
    return f"{growing}{end}: at layer {layer} there is no room left."


def _rate(run: Run) -> str:
    """The factor per layer as a sentence of its own; empty where there is none, or it is 1."""
    found = trend(run)
    if not isinstance(found, Factor) or found.is_flat:
        return ""
    below = f" below layer {run.experiment.depth - found.from_layer}" if found.from_layer else ""
    factor = significant(found.per_product)
    if factor == "1":  # to three digits
        factor = f"{found.per_product:.5f}"
    return f"Going back, each layer{below} multiplies it by about {factor}. "


def is_healthy(forward: Kind, backward: Kind) -> bool:
    """Whether a signal and its gradient both keep a size."""
    return forward in _HEALTHY and backward in _HEALTHY


def both_ways(forward: Kind, backward: Kind) -> str:
    """One verdict on a signal and its gradient."""
    if is_healthy(forward, backward):
        return "healthy both ways"
    return f"forward it {forward}, its gradient {backward}"
