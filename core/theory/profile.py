"""The sizes of a signal and of its gradient at every layer, for width → ∞."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layer.operation import LogMoments
from ..maths.arrays import LOG2, Array, log2
from ..question.experiment import Experiment
from . import batch_norm

_SETTLED = 1e-13  # octaves, or a ratio: a smaller step is rounding


@dataclass(frozen=True)
class Profile:
    """Moments at layers 0 … L for width → ∞, float64 of shape (depth + 1,).

    Attributes:
        second_moment: E x² over units; inf beyond the range of float64.
        mean: E x over units.
        log2_rms: log2 √(E x²), never falsely infinite.
        log2_gradient_rms: log2 √(E δ²) for δ_k = ∂ℓ/∂x_k with E δ_L² = 1, never falsely infinite.
            NaN below the last layer for batch norm of fewer inputs than the mean square needs.
    """

    second_moment: Array
    mean: Array
    log2_rms: Array
    log2_gradient_rms: Array


def profile(experiment: Experiment) -> Profile:
    """The sizes of x and of its gradient at infinite width, by a walk there and back.

    E δ²_{k−1} = χ(q_k) E δ²_k with the q_k that the signal really has at layer k, not that of its
    fixed point. One matrix at every step is taken as a fresh one for every layer. Rounding plays no
    part, and no loss scale. The input of an activation is taken as normal. Batch norm is that of
    many inputs where it stands beside a skip or in an ``mlp`` branch.

    Args:
        experiment: the question; its seed and its number format are not used.

    Reference: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232; Yang &
    Schoenholz 2017, arXiv:1712.08969.
    """
    m = moments_of_layers(experiment)
    log2_rms = m.square / 2
    with np.errstate(over="ignore", invalid="ignore"):
        mean = m.mean * 2.0**log2_rms
    mean[m.mean == 0] = 0.0
    with np.errstate(over="ignore"):
        return Profile(2.0**m.square, mean, log2_rms, _back(experiment, m))


def start(experiment: Experiment) -> LogMoments:
    """The moments of the input, as numbers."""
    e = experiment
    mean, square = e.source.mean(e.width), e.source.square(e.width)
    ratio = mean / square**0.5
    shared = 1.0 if e.input == "ones" else ratio**2
    return LogMoments(float(log2(square) + 2 * log2(e.input_scale)), ratio, shared)


def moments_of_layers(experiment: Experiment, *, couples: bool = False) -> LogMoments:
    """The moments at layers 0 … L, in octaves, each float64 of shape (depth + 1,).

    Args:
        experiment: the question.
        couples: whether ``shared``, the moment of two inputs, is wanted. It is NaN where it is not,
            and no batch norm needs it.
    """
    e, couples = experiment, couples or experiment.norm == "batch"
    found = np.full((3, e.depth + 1), np.nan)
    first = start(e)
    found[:, 0] = first.square, first.mean, first.shared
    for k in range(1, e.depth + 1):
        square, mean, shared = found[:, k - 1 : k]
        with np.errstate(invalid="ignore"):
            m = e.layer.log_moments(LogMoments(square, mean, shared if couples else None), LOG2)
        found[0, k], found[1, k] = m.square[0], m.mean[0]
        if m.shared is not None:
            found[2, k] = m.shared[0]
        if _of_sphere(e):
            _onto_sphere(e, found[:, k])
        with np.errstate(invalid="ignore"):
            step = np.abs(found[:, k] - found[:, k - 1])
        if not np.isfinite(found[0, k]) or np.nanmax(step) < _SETTLED:
            found[:, k:] = found[:, k : k + 1]
            break
    return LogMoments(*found)


def _of_sphere(e: Experiment) -> bool:
    """Whether φ is applied to what batch norm made, and nothing follows."""
    return (e.norm, e.norm_place, e.branch, e.skip) == ("batch", "inside", "product", "none")


def _onto_sphere(e: Experiment, found: Array) -> None:
    """Replace the moments of φ of normal numbers by those of a finite batch."""
    of = batch_norm.on_sphere(e.phi, e.batch_size)
    if of.square > 0 and np.isfinite(found[0]):
        found[:] = log2(of.square), of.mean / of.square**0.5, of.cross / of.square


def _back(e: Experiment, m: LogMoments) -> Array:
    """log2 rms of δ at layers 0 … L."""
    batch = None
    if e.norm == "batch":
        if e.batch_size < batch_norm.LEAST_INPUTS:
            return np.append(np.full(e.depth, np.nan), 0.0)
        square, alike = float(2.0 ** m.square[0]), float(m.shared[0])
        batch = batch_norm.gradients(e, square * (1 - alike), square * alike)
    if batch is None:
        shared = m.shared[:-1] if e.norm == "batch" else None
        before = LogMoments(m.square[:-1], m.mean[:-1], shared)
        with np.errstate(invalid="ignore"):  # −∞ + ∞, of a signal that is zero
            factors = np.broadcast_to(e.layer.log_gradient_factor(before, LOG2), e.depth)
    else:
        factors = np.full(e.depth, log2(batch.inner))
        factors[0], factors[-1] = log2(batch.first), log2(batch.last)
        if e.depth == 1:
            factors[0] = log2(batch.only)
    with np.errstate(invalid="ignore"):
        return np.append(np.cumsum(factors[::-1])[::-1] / 2, 0.0)
