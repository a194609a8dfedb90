"""What a browser needs to follow a slider by itself: plain numbers, ready for JSON.

Two kinds answer for more than the experiment that they come from. A measured run answers for every
shallower one: its first layers are theirs, to the last bit. A scale-free run answers for every
scale factor and every depth up to its own, in exact arithmetic. A gradient begins at the last
layer: measured, it answers for itself alone, and free of scale for its own depth.
"""

from __future__ import annotations

import base64
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..layer.elementwise import IDENTITY
from ..layer.number_formats import NumberFormat
from ..maths.arrays import log2
from ..question.experiment import Experiment
from ..simulation.propagate import Run
from ..simulation.scale_free import ScaleFree
from .diagnosis import layers_in_range

Document = dict[str, Any]
_SCALED_BY_LOSS = ("log2_std", "log2_rms", "log2_max_abs", "log2_reach")


def encoded(values: ArrayLike) -> str:
    """float64 values, little-endian, in base64; no rounding on the way."""
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()


def _range(number_format: NumberFormat) -> Document:
    """A number format: its name, its range as log2, and how a sum of products is rounded."""
    return {
        "name": number_format.name,
        "max": float(np.log2(number_format.max)),
        "smallest_normal": float(np.log2(number_format.smallest_normal)),
        "smallest_subnormal": float(np.log2(number_format.smallest_subnormal)),
        # Half an ulp beyond the largest value rounds to infinity; half the smallest, to zero.
        "overflow": number_format.log2_overflows_from,
        "underflow": number_format.log2_rounds_to_zero_below,
        "rounds_terms": number_format.rounds_every_term,
    }


def measured(run: Run) -> Document:
    """A run, for itself and for every shallower one; or a gradient, as a run that goes back.

    ``states`` has a letter per layer: n if some element is not finite, z if all are zero, else a.
    """
    events, stats = run.events, run.stats
    return {
        "kind": "measured",
        "goes_back": run.goes_back,
        "depth": run.experiment.depth,
        "single_number": run.experiment.is_single_number,
        "step": run.experiment.step,
        "adds_up": run.experiment.layer.adds_up,
        "range": _range(run.experiment.format),
        "log2_std": encoded(stats.log2_std),
        "log2_rms": encoded(stats.log2_rms),
        "log2_max_abs": encoded(log2(stats.max_abs)),
        "first_nonfinite": events.first_nonfinite,
        "first_nan": events.first_nan,
        "all_zero": events.all_zero,
        "states": "".join(np.select([stats.nonfinite > 0, stats.zero == 1], ["n", "z"], "a")),
        "in_range": layers_in_range(run),
    }


def exact(experiment: Experiment, free: ScaleFree) -> Document:
    """A scale-free run, for ``experiment`` at every scale factor and every depth up to its own.

    At another scale factor the size of layer k is ``shifts[k]`` times its log2 larger.
    """
    return {
        "kind": "exact",
        "goes_back": False,
        "depth": len(free.log2_std) - 1,
        "single_number": experiment.is_single_number,
        "step": experiment.step,
        "adds_up": False,
        "range": _range(experiment.format),
    } | _sizes(free)


def exact_gradient(experiment: Experiment, there: ScaleFree, back: ScaleFree) -> Document:
    """A scale-free gradient, for ``experiment`` at every scale factor.

    ``there`` is the signal: once it leaves the range of the number format, exact arithmetic does
    not tell what becomes of the gradient. It is None without an activation: the gradient then does
    not depend on the signal.
    """
    octaves = log2(experiment.loss_scale)
    scaled = {name: getattr(back, name) + octaves for name in _SCALED_BY_LOSS}
    signal = None if experiment.layer.elementwise == IDENTITY else _sizes(there)
    return exact(experiment, replace(back, **scaled)) | {"goes_back": True, "there": signal}


def _sizes(free: ScaleFree) -> Document:
    return {each.name: encoded(getattr(free, each.name)) for each in fields(free)}
