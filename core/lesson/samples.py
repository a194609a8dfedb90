"""Samples of a single product a·x, and averages of few and of many of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..host.threads import single_threaded
from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..reading.number import Number, average
from .result import Counts
from .setting import Setting

_FEW = 100  # samples that the lesson drew
_BINS = 40


def samples(setting: Setting) -> Tensor:
    """a·x for independent a and x from N(0, 1), float32 of shape (repetitions,)."""
    stream = torch.Generator().manual_seed(stream_seed(setting.seed, 0))
    with torch.inference_mode(), single_threaded():
        x = torch.randn(setting.repetitions, generator=stream)
        return x.mul_(torch.randn(setting.repetitions, generator=stream))


def work_of_samples(setting: Setting, per_sample: float) -> float:
    """The multiply-adds of samples and their averages, at so many microseconds for one."""
    return (350 + per_sample * setting.repetitions) * MICROSECOND


def averages_of_all_and_few(
    label: str,
    values: Array,
    exact: float,
    formula: str,
    variance: float,
    lesson: float,
) -> tuple[Number, Number]:
    """Two rows: the average of all values, and that of as few as the lesson had.

    Args:
        label: what is averaged.
        values: independent, shape (repetitions,).
        exact: their expectation.
        formula: ``exact`` in LaTeX.
        variance: of one value.
        lesson: the average that the lesson printed.
    """
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


def averages_of_few(label: str, values: Array, lesson: float) -> tuple[Counts, ...]:
    """A histogram of the averages of 100 values each; none of fewer than 200 values."""
    groups = len(values) // _FEW
    if groups < 2:
        return ()
    means = values[: groups * _FEW].reshape(groups, _FEW).mean(1)
    marks = {f"the notebook: {lesson}": lesson}
    return (Counts.of(label, f"average over {_FEW} samples", means, _BINS, marks=marks),)


def as_experiment(setting: Setting) -> Experiment:
    """The Experiment of a single product of two numbers."""
    return Experiment(width=1, depth=1, weights="fresh", seed=setting.seed)
