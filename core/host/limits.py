"""Which device, how much memory, how much work is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from ..layer.operation import Cost
from ..question.experiment import Experiment
from ..statistics.histogram import key_count
from . import settings

_GIB = 2**30
_CHUNK_ELEMENTS = 2**19
_BYTES_PER_MEASURED_ELEMENT = 40  # the float64 copies and int64 keys alive while tallying
_OVERHEAD_BYTES = 2**24  # what BLAS keeps for itself
_QUICK_MULTIPLY_ADDS = 2e9
SMALL_BYTES = 2**27
"""A run that needs no more memory waits for no other; 512 × 512 need a sixth of it."""
_MULTIPLY_ADDS_PER_MEASURED_ELEMENT = 64
_PER_SAMPLED_ELEMENT = 32.0  # of an ensemble: drawn, bent and measured


class WorkLimitError(ValueError):
    """A run that this host will not start, because it needs too much memory or work."""


def chunk_layers(experiment: Experiment) -> int:
    """How many layers are measured at once."""
    return min(experiment.depth, max(1, _CHUNK_ELEMENTS // _measured_elements(experiment)))


def _measured_elements(experiment: Experiment) -> int:
    """The larger of a layer's elements and the bins that they are counted into."""
    return max(experiment.width * experiment.batch_size, key_count(experiment.format))


def cost(experiment: Experiment, device_type: str = "cpu") -> Cost:
    """What ``propagate`` needs for it, estimated from above without allocating anything.

    Work is in multiply-adds of float32; what is slower counts for more.
    """
    shape, number_format = experiment.shape, experiment.format
    vector, chunk = shape.width * shape.inputs, chunk_layers(experiment)
    layers = experiment.layer.cost(shape, number_format)
    activations = (chunk + 4) * vector * number_format.sum_dtype.itemsize
    measured = (chunk + 1) * _measured_elements(experiment) * _BYTES_PER_MEASURED_ELEMENT
    statistics = _MULTIPLY_ADDS_PER_MEASURED_ELEMENT * float(vector) * shape.depth
    return Cost(
        layers.bytes + activations + measured + _OVERHEAD_BYTES,
        layers.multiply_adds + statistics,
    )


def ensemble_work(experiment: Experiment, ensemble_size: int) -> float:
    """About how many multiply-adds an ensemble of so many networks needs."""
    shape = experiment.shape
    measured = _PER_SAMPLED_ELEMENT * shape.width * shape.inputs * shape.depth
    return ensemble_size * (experiment.layer.ensemble_cost(shape).multiply_adds + measured)


def is_quick(experiment: Experiment) -> bool:
    """Whether it is done before anyone would look for a progress bar: about half a second.

    What needs much memory is not: it may have to wait for another run's.
    """
    need = cost(experiment)
    return need.multiply_adds < _QUICK_MULTIPLY_ADDS and need.bytes <= SMALL_BYTES


@dataclass(frozen=True)
class WorkLimit:
    """The largest run that this host accepts.

    Attributes:
        bytes: peak memory of one run; GOOD_INIT_MAX_BYTES.
        multiply_adds: work of one run; GOOD_INIT_MAX_MULTIPLY_ADDS.
    """

    bytes: int
    multiply_adds: float

    @classmethod
    def from_environment(cls) -> WorkLimit:
        """The limit that the host's environment sets; ValueError if it is not a positive number."""
        return cls(
            int(settings.value("GOOD_INIT_MAX_BYTES")),
            settings.value("GOOD_INIT_MAX_MULTIPLY_ADDS"),
        )

    def check(self, experiment: Experiment, device_type: str = "cpu") -> None:
        """Raise WorkLimitError, saying how much is needed and what to lower, if it is too much."""
        need = cost(experiment, device_type)
        levers = "width" if experiment.batch_size == 1 else "width or batch_size"
        if need.bytes > self.bytes:
            raise WorkLimitError(
                f"this run needs about {need.bytes / _GIB:.1f} GiB of memory and the host allows "
                f"{self.bytes / _GIB:.1f} GiB: lower {levers} (width is {experiment.width}, "
                f"batch_size {experiment.batch_size})"
            )
        if need.multiply_adds > self.multiply_adds:
            fresh = ", or use tied weights" if experiment.weights == "fresh" else ""
            raise WorkLimitError(
                f"this run needs about {need.multiply_adds:.1e} multiply-adds and the host allows "
                f"{self.multiply_adds:.1e}: lower {levers} or depth{fresh} (width is "
                f"{experiment.width}, depth {experiment.depth}, batch_size {experiment.batch_size})"
            )

    def check_ensemble(self, multiply_adds: float, size: int) -> None:
        """Raise WorkLimitError if an ensemble of ``size`` networks needs too much work."""
        if multiply_adds > self.multiply_adds:
            raise WorkLimitError(
                f"an ensemble of {size} networks needs about {multiply_adds:.1e} multiply-adds and "
                f"the host allows {self.multiply_adds:.1e}: lower width, depth or ensemble_size"
            )
