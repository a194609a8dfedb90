"""A gradient as a run from the output to the input, its law and its ensemble likewise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array
from ..simulation.backward import Backward
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run
from ..statistics.layer_stats import Events, LayerStats
from ..theory.finite_width import Prediction


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
    """The law of the gradient as that of a run from the output to the input.

    A gradient mostly has mean 0, so that its std is its rms up to O(1/n); narrow networks have no
    law of the std.
    """
    rms = _backwards(prediction.log2_gradient_rms_quantiles)
    std = _backwards(prediction.log2_gradient_std_quantiles) or rms
    return Prediction(prediction.gradient_valid, rms, std if prediction.std_known else {})


def _backwards(law: Mapping[float, Array]) -> dict[float, Array]:
    """The quantiles in the order of the way back."""
    return {level: octaves[::-1] for level, octaves in law.items()}


def as_ensemble(ensemble: Ensemble) -> Ensemble:
    """The gradients of an ensemble as signals from the output to the input."""
    sizes, stds = ensemble.log2_gradient_rms, ensemble.log2_gradient_std
    zero = ensemble.gradient_zero
    assert sizes is not None
    assert stds is not None
    assert zero is not None
    rms, std, zero = (column[:, ::-1] for column in (sizes, stds, zero))
    unknown, exact = np.full_like(rms, np.nan), ensemble.exact_in_law
    return Ensemble(ensemble.experiment, exact, rms, std, unknown, zero, unknown, unknown)
