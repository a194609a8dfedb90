"""The memory and the work of a run, and the limits that a host sets to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..layer.operation import MICROSECOND, Cost
from ..layer.weights import Weights
from ..question.experiment import Experiment
from ..statistics.histogram import key_count
from . import settings

_GIB = 2**30
_CHUNK_ELEMENTS = 2**19  # measured at once: 20 MiB of copies and keys
_BYTES_PER_MEASURED_ELEMENT = 40  # float64 copies and int64 keys that are alive at once
_OVERHEAD_BYTES = 2**24  # buffers of BLAS
_QUICK = 2.5e5 * MICROSECOND  # a quarter of a second on one core
SMALL_BYTES = 2**27
"""Memory up to which a run waits for no other; a run of width 512 needs a sixth of it."""
# Microseconds of a run, a layer and the measurement of an element: of one network, then of many.
_RUN, _LAYER, _MEASURED = 770.0, 10.0, 0.006
_BATCH, _SAMPLED_LAYER, _SAMPLED = 800.0, 70.0, 0.006
# The same going back, and more for the gradients of matrices of several inputs.
_BACK_LAYER, _GRAMS, _BACK = 120.0, 100.0, 0.004
_NEAR, _SAMPLED_NEAR = 2**17, 0.003  # elements that fit the core's own cache, and their time
_HELD, _HELD_ELEMENT = 60.0, 0.003  # the same of a format that holds elements at its largest value
_OUTER = 0.2  # of a unit, for the gradient of a matrix whose elements are not formed
_SUMS = 250.0  # of a layer, for the gradients of a matrix that several inputs add up to
# Of numbers that are alive at once; of a layer x, h, and a copy of h in which units are counted.
_LAYER_COPIES, _HIDDEN_COPIES, _NORM_COPIES, _WIDE_COPIES = 3, 5, 4, 8
_GRADIENTS = 2**26  # bytes of an ensemble with gradients besides what it keeps
_KEPT = 2**24  # elements of an ensemble that are kept for the way back: 64 MiB
IN_CACHE = 2**21
"""Elements of an ensemble that are worked on at once: 8 MiB of float32."""


class WorkLimitError(ValueError):
    """A run needs more memory or work than this host allows, and is not started."""


def chunk_layers(experiment: Experiment) -> int:
    """How many layers of a run are measured at once, at least 1."""
    return min(experiment.depth, max(1, _CHUNK_ELEMENTS // _measured_elements(experiment)))


def _measured_elements(experiment: Experiment) -> int:
    """A layer's elements, or the bins of its histogram where these are more."""
    return max(experiment.width * experiment.batch_size, key_count(experiment.format))


@lru_cache(maxsize=256)
def cost(experiment: Experiment) -> Cost:
    """The memory and work of ``propagate``, estimated from above without allocating anything.

    The estimate is the same on every device. A page, the host's work and the run itself ask for it.

    Args:
        experiment: the question.
    """
    shape, number_format = experiment.shape, experiment.format
    vector, chunk = shape.width * shape.inputs, chunk_layers(experiment)
    layers = experiment.layer.cost(shape, number_format)
    hidden = experiment.layer.widest(shape) - vector  # of units inside a layer
    normed = _NORM_COPIES * vector * (experiment.layer.norm is not None)
    held = (_LAYER_COPIES * chunk + 4) * vector + _HIDDEN_COPIES * hidden + normed
    activations = held * number_format.sum_dtype.itemsize
    measured = (chunk + 1) * _measured_elements(experiment) * _BYTES_PER_MEASURED_ELEMENT
    statistics = _RUN + (_LAYER + _MEASURED * float(vector)) * shape.depth
    return Cost(
        layers.bytes + activations + measured + _OVERHEAD_BYTES,
        layers.multiply_adds + statistics * MICROSECOND,
    )


@lru_cache(maxsize=256)
def backward_cost(experiment: Experiment) -> Cost:
    """The memory and work of ``backpropagate``: the run, what it keeps, and the way back."""
    shape, number_format = experiment.shape, experiment.format
    elements = float(shape.width) * shape.inputs
    item = number_format.product_dtype.itemsize
    inside = experiment.layer.kept_elements(shape)
    kept = shape.depth * (elements * (number_format.bits // 8) + item * inside)
    matrices = [w.fan_in * w.fan_out for w in _matrices(experiment)]
    largest = sum(matrices) if experiment.weights == "tied" else max(matrices)
    # Copies that are measured, with room for what the allocator keeps between pieces of them.
    rows = 7 * (chunk_layers(experiment) + 1) * elements * 8
    wider = experiment.layer.widest(shape) - elements  # measured as gradients of matrices are
    rows += _WIDE_COPIES * 8 * wider
    rows += _NORM_COPIES * 8 * elements * (experiment.layer.norm is not None)
    matrix = 0 if shape.inputs == 1 and experiment.weights == "fresh" else 3 * 8 * largest
    measured = (_LAYER + _MEASURED * elements + _OUTER * shape.width) * shape.depth
    measured += sums_work(experiment) / MICROSECOND
    back = experiment.layer.backward_cost(shape, number_format)
    there = cost(experiment)
    here = Cost(int(kept + rows + matrix), (_RUN + measured) * MICROSECOND)
    return there + back + here


def sums_work(experiment: Experiment) -> float:
    """The work of measuring gradients of matrices that several inputs add up to."""
    return _SUMS * experiment.depth * MICROSECOND if experiment.batch_size > 1 else 0.0


def kept_matrices(experiment: Experiment) -> int:
    """The bytes of all layers' matrices, if ``backpropagate`` keeps them for the way back, else 0.

    It does if the run with them takes at most a quarter of the host's memory. Else it draws each of
    them again.
    """
    if experiment.weights == "tied":
        return 0
    item = max(4, experiment.format.sum_dtype.itemsize)
    elements = sum(w.fan_in * w.fan_out for w in _matrices(experiment))
    matrices = item * elements * experiment.depth * experiment.format.multiplication.matrices
    most = WorkLimit.from_environment().bytes / 4
    return matrices if backward_cost(experiment).bytes + matrices <= most else 0


def _matrices(experiment: Experiment) -> list[Weights]:
    """How the matrices of one layer are drawn."""
    return [product.drawn for product in experiment.layer.products]


def memory_there_and_back(experiment: Experiment) -> int:
    """The bytes that ``backpropagate`` takes at most on this host, with the matrices it keeps."""
    return backward_cost(experiment).bytes + kept_matrices(experiment)


def networks_at_once(experiment: Experiment) -> int:
    """How many networks of an ensemble are sampled at once: as many as fit a cache, at least 1."""
    kept = experiment.layer.ensemble_elements(experiment.shape)
    return max(1, IN_CACHE // (kept or experiment.width * experiment.batch_size))


def networks_there_and_back(experiment: Experiment) -> int:
    """How many networks of an ensemble are sampled at once where the way there is kept."""
    return max(1, min(networks_at_once(experiment), _KEPT // _kept(experiment)))


def _kept(experiment: Experiment) -> int:
    """The elements that one network of an ensemble keeps for the way back.

    An operation keeps its input, and about as much again; so does the layer.
    """
    e = experiment
    return e.depth * (2 * e.layer.kept_elements(e.shape) + e.shape.elements)


def gradients_memory(experiment: Experiment) -> int:
    """The bytes that an ensemble with gradients takes at most, in float32."""
    return _GRADIENTS + 4 * _kept(experiment) * networks_there_and_back(experiment)


def ensemble_work(experiment: Experiment, ensemble_size: int, *, backward: bool = False) -> float:
    """The work of an ensemble of ``ensemble_size`` networks, in multiply-adds, estimated.

    Args:
        experiment: the question.
        ensemble_size: the number of networks.
        backward: whether a gradient goes back through each of them too.
    """
    at_once = (networks_there_and_back if backward else networks_at_once)(experiment)

    def of(networks: int) -> float:
        measured = _sampled(experiment, networks)
        if backward:
            measured += _sampled_back(experiment, networks)
        made = experiment.layer.ensemble_cost(experiment.shape, networks, backward=backward)
        return made + measured * MICROSECOND

    whole, rest = divmod(ensemble_size, at_once)
    return whole * of(at_once) + (rest and of(rest))


def _sampled(experiment: Experiment, networks: int) -> float:
    """Microseconds of measuring networks that are sampled at once."""
    shape = experiment.shape
    elements = float(networks) * shape.width * shape.inputs
    held = _HELD + _HELD_ELEMENT * elements if experiment.format.saturates else 0.0
    each = _SAMPLED_NEAR if elements <= _NEAR else _SAMPLED
    return _BATCH + (_SAMPLED_LAYER + each * elements + held) * shape.depth


def _sampled_back(experiment: Experiment, networks: int) -> float:
    """Microseconds of measuring their gradients."""
    shape = experiment.shape
    elements = float(networks) * shape.width * shape.inputs
    calls = _BACK_LAYER + (_GRAMS if shape.inputs > 1 else 0.0)
    return (calls + _BACK * elements) * shape.depth


def is_quick(experiment: Experiment, *, backward: bool = False) -> bool:
    """Whether a run takes less than about a quarter of a second, and so needs no progress bar.

    A run that needs more than SMALL_BYTES is not quick: it may wait for another run's memory.

    Args:
        experiment: the question.
        backward: whether its gradient is computed too.
    """
    work = (backward_cost if backward else cost)(experiment).multiply_adds
    if not is_quick_work(work):
        return False
    memory = memory_there_and_back(experiment) if backward else cost(experiment).bytes
    return memory <= SMALL_BYTES


def is_quick_work(multiply_adds: float) -> bool:
    """Whether work takes less than about a quarter of a second, so that it waits for no other."""
    return multiply_adds < _QUICK


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
        """The limit that the host's environment sets.

        Raises:
            ValueError: a variable is not a positive number.
        """
        return cls(
            int(settings.value("GOOD_INIT_MAX_BYTES")),
            settings.value("GOOD_INIT_MAX_MULTIPLY_ADDS"),
        )

    def check(self, experiment: Experiment, *, backward: bool = False) -> None:
        """Check that a run is within the limit.

        Args:
            experiment: the question.
            backward: whether the gradient is computed too.

        Raises:
            WorkLimitError: it is not; says how much is needed and allowed, and what to lower.
        """
        need = (backward_cost if backward else cost)(experiment)
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

    def check_memory(self, what: str, need: int, levers: str) -> None:
        """Check that a piece of work keeps no more than the limit.

        Args:
            what: the work, as "an ensemble of 256 networks".
            need: the bytes.
            levers: the fields that make them fewer.

        Raises:
            WorkLimitError: it does; says how much is needed and allowed, and what to lower.
        """
        if need > self.bytes:
            raise WorkLimitError(
                f"{what} needs about {need / _GIB:.1f} GiB of memory and the host allows "
                f"{self.bytes / _GIB:.1f} GiB: lower {levers}"
            )

    def check_work(self, what: str, multiply_adds: float, levers: str) -> None:
        """Check that a piece of work is within the limit.

        Args:
            what: the work, as "an ensemble of 256 networks".
            multiply_adds: its estimate.
            levers: the fields that make it less.

        Raises:
            WorkLimitError: it is not; says how much is needed and allowed, and what to lower.
        """
        if multiply_adds > self.multiply_adds:
            raise WorkLimitError(
                f"{what} needs about {multiply_adds:.1e} multiply-adds and the host allows "
                f"{self.multiply_adds:.1e}: lower {levers}"
            )
