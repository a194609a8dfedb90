"""A gradient in words: what becomes of it on its way from the output back to the input."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..question.experiment import Experiment
from ..simulation.backward import Backward
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..statistics.layer_stats import Events, LayerStats
from ..text import significant
from ..theory.finite_width import Prediction
from ..theory.joint_law import joint_law
from .diagnosis import Kind, growth, kind_of, trend
from .trend import Factor

_HEALTHY = ("holds", "settles")
_DEEPEST = 256  # layers that many networks pass in some hundredths of a second
_UNRELATED = 0.05  # three standard errors of a correlation in a joint law's networks


class Gradient(Run):
    """A gradient as a run from the output to the input: its step j is at layer L − j.

    The chart, the bands and the preview of a signal then serve its gradient too.
    """

    symbol: ClassVar[str] = "δ"
    goes_back: ClassVar[bool] = True

    @property
    def layers(self) -> NDArray[np.int64]:
        """The layers from L down to 0."""
        return np.arange(len(self.stats))[::-1]

    def place(self, index: int) -> str:
        """Where an event is, in words."""
        return f"layer {self.experiment.depth - 1 - index}"

    @property
    def size_name(self) -> str:
        """What ``size`` is: "std of δ" or "|δ|"."""
        return "|δ|" if self.experiment.is_single_number else "std of δ"


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


def as_run(back: Backward) -> Gradient:
    """The gradient as a run from the output to the input.

    What is said of the size of a signal, its trend and its level, is then said of the gradient's.
    An event at the output itself has the loop index −1.
    """
    depth, told = back.run.experiment.depth, asdict(back.events)
    values = {name: column[::-1] for name, column in back.stats.values.items()}
    steps = {name: None if layer is None else depth - 1 - layer for name, layer in told.items()}
    events = Events(**dict.fromkeys(Events.__dataclass_fields__) | steps)
    stats = LayerStats(values, back.stats.histogram)
    return Gradient(back.run.experiment, back.run.device, stats, events, back.final)


def as_prediction(prediction: Prediction) -> Prediction:
    """The law of the gradient as that of a run from the output to the input."""
    law = prediction.log2_gradient_rms_quantiles
    steps = {level: octaves[::-1] for level, octaves in law.items()}
    return Prediction(prediction.gradient_valid, steps, steps)


def as_ensemble(ensemble: Ensemble) -> Ensemble:
    """The gradients of an ensemble as signals from the output to the input."""
    e, sizes, zero = ensemble.experiment, ensemble.log2_gradient_rms, ensemble.gradient_zero
    assert sizes is not None
    assert zero is not None
    steps, zero = sizes[:, ::-1], zero[:, ::-1]
    unknown = np.full_like(steps, np.nan)
    exact = ensemble.exact_in_law
    return Ensemble(e, exact, steps, steps, unknown, zero, unknown, unknown)


def gradient_verdict(back: Backward) -> GradientVerdict:
    """The verdict on a gradient."""
    run = as_run(back)
    kind = _kind(back, run)
    layer, label = _event(back)
    return GradientVerdict(kind, _sentence(back, run, kind), layer, label, growth(run))


def _kind(back: Backward, run: Run) -> Kind:
    """The kind of a gradient: a change by a constant factor is an explosion or a vanishing."""
    if back.events.first_nonfinite is not None:
        return "explodes"
    if back.stats.zero[0] == 1:
        arrived = back.stats.zero[-1] < 1
        stopped = arrived and back.run.stats.zero[-1] == 1 and back.stats.zero[-2] == 1
        return "dies" if stopped else "vanishes"
    kind, found = kind_of(run), trend(run)
    if not isinstance(found, Factor) or found.is_flat:
        return kind
    if kind == "grows" and found.octaves > 0:
        return "explodes"
    return "vanishes" if kind == "shrinks" and found.octaves < 0 else kind


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
    if events.first_nonfinite == e.depth:
        return f"Times the loss scale the gradient does not fit {e.number_format} at the output."
    if events.first_nonfinite is not None:
        end = f"{e.number_format} ends at {significant(e.format.max)}"
        growing = going if growth(run) > 1 else ""
        return f"{growing}{end}: at layer {events.first_nonfinite} there is no room left."
    if events.all_zero == e.depth:
        return f"Times the loss scale the gradient is 0 in {e.number_format} at the output already."
    if back.stats.zero[0] == 1:
        shrinking = going if growth(run) < 1 else ""
        return f"{shrinking}From layer {events.all_zero} down every element of it is exactly 0."
    first, last = float(back.stats.log2_rms[0]), float(back.stats.log2_rms[-1])
    share = significant(float(np.exp2(first - last)))
    told = f"{going}The gradient at the input is {share} times that at the output."
    if kind == "saturates":
        told += f" Elements are stuck at {significant(e.format.max)}."
    return told


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


def of_weights(back: Backward) -> str:
    """That no gradient of a matrix is finite; empty where one is."""
    if (back.weights.nonfinite[1:] > 0).all():
        return "Here G has elements that are not finite in every layer."
    return ""


@lru_cache(maxsize=256)
def _correlation(experiment: Experiment) -> float:
    law = joint_law(experiment)
    return law.correlation if law is not None else float("nan")


def together(experiment: Experiment) -> str:
    """A sentence on how large x_L and δ_0 are together; empty where their joint law is unknown."""
    if experiment.depth > _DEEPEST:
        return ""
    correlation = _correlation(experiment.replace(seed=0, number_format="float32", loss_scale=1.0))
    if np.isnan(correlation):
        return ""
    if abs(correlation) < _UNRELATED:
        return (
            "Over networks, the rms of x at the last layer and that of δ at layer 0 hardly depend "
            "on each other."
        )
    return (
        "A network with a larger x at the last layer has a larger δ at layer 0 too: the logarithms "
        f"of their rms have correlation {correlation:.2f} over networks."
    )


def is_healthy(forward: Kind, backward: Kind) -> bool:
    """Whether a signal and its gradient both keep a size."""
    return forward in _HEALTHY and backward in _HEALTHY


def both_ways(forward: Kind, backward: Kind) -> str:
    """One verdict on a signal and its gradient."""
    if is_healthy(forward, backward):
        return "healthy both ways"
    return f"forward it {forward}, its gradient {backward}"
