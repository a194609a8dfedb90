"""Samples of a single product a·x, and their averages."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..host.threads import single_threaded
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..reading.number import Number, average
from .step import Counts, Setting

_FEW = 100  # samples that the lesson drew
_BINS = 40


def samples(setting: Setting) -> Tensor:
    """a·x for independent a and x from N(0, 1), float32, shape (repetitions,)."""
    stream = torch.Generator().manual_seed(stream_seed(setting.seed, 0))
    with torch.inference_mode(), single_threaded():
        x = torch.randn(setting.repetitions, generator=stream)
        return x.mul_(torch.randn(setting.repetitions, generator=stream))


def wide(y: Tensor) -> Array:
    """A tensor as float64 numpy."""
    return np.asarray(y.double().numpy())


def pair(
    label: str,
    values: Array,
    exact: float,
    formula: str,
    variance: float,
    lesson: float,
) -> tuple[Number, Number]:
    """An average over all samples, and over as few as the lesson's with what it printed."""
    few = values[:_FEW]
    return (
        average(f"{label}, {len(values):,} samples", values, exact=exact, formula=formula),
        Number(
            label=f"{label}, the first {len(few)}",
            measured=float(few.mean()),
            standard_error=(variance / len(few)) ** 0.5,
            exact=exact,
            formula=formula,
            lesson=lesson,
            lesson_error=(variance / _FEW) ** 0.5,
        ),
    )


def averages(label: str, values: Array, lesson: float) -> tuple[Counts, ...]:
    """The averages of a hundred samples each, as a histogram; nothing of fewer than two hundred."""
    groups = len(values) // _FEW
    if groups < 2:
        return ()
    means = values[: groups * _FEW].reshape(groups, _FEW).mean(1)
    edges = np.linspace(means.min(), means.max(), _BINS + 1)
    found = np.histogram(means, edges)[0].astype(float)
    middles, marks = (edges[:-1] + edges[1:]) / 2, {f"the lesson: {lesson}": lesson}
    return (Counts(label, f"average over {_FEW} samples", middles, found, marks=marks),)


def as_experiment(setting: Setting) -> Experiment:
    """One of the products: a single number."""
    return Experiment(width=1, depth=1, weights="fresh", seed=setting.seed)
