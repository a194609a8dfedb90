"""The sizes of x in an ensemble of networks, mostly sampled without drawing their matrices.

Every signal is kept as numbers near 1 times a power of two, so that nothing overflows, and without
the rounding of a number format; a format that saturates holds its elements at its largest value.
The run on screen never comes from here: it multiplies real matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral

import numpy as np
import torch

from ..host.limits import (
    WorkLimit,
    ensemble_work,
    gradients_memory,
    networks_at_once,
    networks_there_and_back,
)
from ..host.threads import single_threaded
from ..layer.number_formats import NumberFormat
from ..layer.stack import shifts
from ..maths.arrays import Array, log2
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from .walk import Part, Walk, columns

_THERE = 0.4  # of the time of networks with gradients, on the way there
_STREAM = 2**32  # first "layer" of an ensemble's streams, beyond every layer of a run


@dataclass(frozen=True)
class Ensemble:
    """The sizes of x in every network, at layers 0 … depth.

    All arrays are float64 of shape (ensemble, depth + 1). A logarithm is −inf for an exact zero.

    Attributes:
        experiment: the question; its seed is not used.
        exact_in_law: whether the products were sampled from their law without drawing matrices.
        log2_rms: log2 of the root mean square of x.
        log2_std: log2 of the standard deviation of x.
        mean: the mean of x.
        zero: the fraction of elements of x that are exactly zero.
        log2_reach: log2 of the largest value whose overflow would make x non-finite: of the
            pre-activations where φ could overflow.
        log2_max_abs: log2 of the largest |x|.
        log2_gradient_rms: log2 of the root mean square of δ; None if no gradient was asked for, as
            the two that follow.
        gradient_zero: the fraction of elements of δ that are exactly zero.
        log2_weight_gradient_rms: of the gradient of each layer's matrix, for tied weights the share
            of that step; NaN at layer 0.
        log2_gradient_max_abs: log2 of the largest element of δ; None as above.
        log2_gradient_std: log2 of the standard deviation of δ; None as above.
    """

    experiment: Experiment
    exact_in_law: bool
    log2_rms: Array
    log2_std: Array
    mean: Array
    zero: Array
    log2_reach: Array
    log2_max_abs: Array
    log2_gradient_rms: Array | None = None
    gradient_zero: Array | None = None
    log2_weight_gradient_rms: Array | None = None
    log2_gradient_max_abs: Array | None = None
    log2_gradient_std: Array | None = None

    def at(self, experiment: Experiment) -> Ensemble:
        """The same networks with fewer layers, or with another scale factor or loss scale.

        A gradient begins at the last layer, so that fewer layers have no gradients.

        Args:
            experiment: this ensemble's, at the same or a smaller depth, at any scale factor and
                loss scale and in any number format; a format that saturates has an ensemble of
                its own.

        Raises:
            ValueError: the scale factor differs, and scales do not separate from the signal; or
                one of two number formats saturates.
        """
        self._check_format(experiment)
        new, old = experiment.scale, self.experiment.scale
        layers = experiment.depth + 1
        octaves, powers = 0.0, np.zeros(layers)
        if new != old:
            octaves = float(log2(new / old))
            powers = shifts(experiment.layer, experiment.depth)
        shift = _raised(octaves, powers)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = self.mean[:, :layers] * 2.0**shift
        mean[self.mean[:, :layers] == 0] = 0.0  # 0·∞ would be NaN
        sizes = (self.log2_rms, self.log2_std, self.log2_reach, self.log2_max_abs)
        rms, std, reach, largest = (size[:, :layers] + shift for size in sizes)
        zero = np.where(np.isneginf(largest), 1.0, self.zero[:, :layers])
        found = Ensemble(experiment, self.exact_in_law, rms, std, mean, zero, reach, largest)
        return self._with_gradients(found, octaves, powers)

    def _with_gradients(self, found: Ensemble, octaves: float, powers: Array) -> Ensemble:
        """``found`` with these gradients, where layer k of x is larger by 2^(octaves·powers[k])."""
        gradient, zero = self.log2_gradient_rms, self.gradient_zero
        weights = self.log2_weight_gradient_rms
        if gradient is None or zero is None or weights is None or len(powers) < gradient.shape[1]:
            return found
        loss = float(log2(found.experiment.loss_scale / self.experiment.loss_scale))
        back = powers[-1] - powers  # the gradient at layer k passes through the layers above it
        of_weights = back + np.append(0.0, powers[:-1])
        shift = _raised(octaves, back) + loss
        sizes, largest, std = gradient + shift, self.log2_gradient_max_abs, self.log2_gradient_std
        return replace(
            found,
            log2_gradient_rms=sizes,
            gradient_zero=np.where(np.isneginf(sizes), 1.0, zero),
            log2_weight_gradient_rms=weights + _raised(octaves, of_weights) + loss,
            log2_gradient_max_abs=None if largest is None else largest + shift,
            log2_gradient_std=None if std is None else std + shift,
        )

    def _check_format(self, experiment: Experiment) -> None:
        """Raise ValueError where the largest value of one of the formats holds the elements."""
        own = self.experiment
        same = experiment.replace(depth=own.depth, seed=own.seed, loss_scale=own.loss_scale)
        formats = self.experiment.format, experiment.format
        if any(each.saturates for each in formats) and same != self.experiment:
            raise ValueError(
                "number_format must be that of the ensemble, and the scale factor too, where a "
                f"format saturates, got {experiment.number_format} for an ensemble of "
                f"{self.experiment.number_format}"
            )

    @property
    def first_overflow(self) -> Array:
        """Per network, the first loop index i at which x would overflow; NaN if never."""
        return self.overflow_in(self.experiment.format)

    def overflow_in(self, number_format: NumberFormat) -> Array:
        """``first_overflow`` in another number format, float64 of shape (ensemble,)."""
        if number_format.saturates:
            return np.full(len(self.log2_rms), np.nan)
        return _first(self.log2_reach >= np.log2(number_format.overflows_from))

    @property
    def first_all_zero(self) -> Array:
        """Per network, the first loop index i at which all of x would be zero; NaN if never."""
        return _first(self.log2_max_abs <= self.experiment.format.log2_rounds_to_zero_below)


def _raised(octaves: float, powers: Array) -> Array:
    """octaves·powers, where −∞·0 is 0: at scale 0, what no product has touched stays."""
    with np.errstate(invalid="ignore"):
        return np.where(powers == 0, 0.0, octaves * powers)


def _first(happened: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
    """The first loop index at which an event happens, from booleans per network and layer."""
    after = happened[:, 1:]
    return np.where(after.any(1), after.argmax(1).astype(float), np.nan)


def is_exact_in_law(experiment: Experiment, *, backward: bool = False) -> bool:
    """Whether an ensemble of this experiment, or one with gradients, needs no matrices."""
    return not experiment.layer.needs_matrices(experiment.shape, backward=backward)


def sample_ensemble(
    experiment: Experiment,
    ensemble_size: int,
    *,
    seed: int = 0,
    backward: bool = False,
    on_progress: Callable[[float], object] | None = None,
) -> Ensemble:
    """Sample the sizes of x in ``ensemble_size`` networks, each with its own weights and input.

    Args:
        experiment: the question. Its number format decides only where x would overflow; one that
            saturates holds the elements at its largest value.
        ensemble_size: the number of networks, at least 1.
        seed: the seed of the ensemble, at least 0; the same seed gives the same numbers.
        backward: whether a gradient goes back through each network too. Its networks are others
            than without.
        on_progress: called after every layer with the fraction that is done.

    Raises:
        ValueError: ensemble_size is not a whole number of at least 1, or seed is not a whole
            number of at least 0.
        WorkLimitError: the ensemble needs more work than the host allows.
    """
    ensemble_size = _whole("ensemble_size", ensemble_size, at_least=1)
    seed = _whole("seed", seed, at_least=0)
    e = experiment
    what = f"an ensemble of {ensemble_size} networks"
    work = ensemble_work(e, ensemble_size, backward=backward)
    limit = WorkLimit.from_environment()
    limit.check_work(what, work, "width, depth or ensemble_size")
    if backward:
        limit.check_memory(what, gradients_memory(e), "width, depth or batch_size")
    at_once = networks_there_and_back(e) if backward else networks_at_once(e)
    parts = []
    with torch.inference_mode(), single_threaded():
        for done in range(0, ensemble_size, at_once):
            generator = torch.Generator().manual_seed(stream_seed(seed, _STREAM + done))
            count = min(at_once, ensemble_size - done)
            walk = Walk(e, count, generator, backward=backward)
            part = Part(done, count, ensemble_size, on_progress)
            half = _THERE if backward else 1.0
            layers = part.watched(walk.there(), e.depth, (0.0, half))
            found = columns(layers, _never_zero(e))
            if backward:
                found += walk.back(partial(part.watched, depth=e.depth, span=(_THERE, 1.0)))
            parts.append(found)
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Ensemble(e, is_exact_in_law(e, backward=backward), *joined)


def _whole(name: str, value: object, *, at_least: int) -> int:
    """``value``, a whole number of any type, as an int."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, got {value!r}")
    return int(value)


def _never_zero(e: Experiment) -> bool:
    """Whether no single element is zero in a network that is alive.

    Numbers of 0 beside others then stand for what float32 does not hold beside them.
    """
    silent = e.rule.has_zero_rows and not e.has_bias and e.batch_size == 1
    return e.layer.elementwise.never_zero and not silent
