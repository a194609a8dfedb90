"""propagate(): the repeated a @ x with real matrices in the real number format, on CPU or CUDA."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..host.devices import resolve_device
from ..host.limits import WorkLimit, WorkLimitError, chunk_layers
from ..host.memory import room_for
from ..host.threads import keep_freed_memory, single_threaded
from ..layer.arithmetic import Rounded
from ..layer.operation import Parameters, Tape
from ..layer.stack import Layer
from ..question.experiment import Experiment
from ..question.streams import GRADIENT_STREAM, stream_seed
from ..statistics.layer_stats import Events, LayerStats, element_events
from ..statistics.sums import LayerSums, add_up, joined
from ..statistics.torch_checks import torch_statistics
from ..statistics.units import Units

_ALIGNMENT = 64  # bytes; on other addresses a kernel may add in another order and round otherwise


class Stopped(Exception):
    """The run was stopped before its end because ``should_stop`` returned True."""


@dataclass(frozen=True)
class Run:
    """What came out of an Experiment.

    Attributes:
        experiment: the question.
        device: where it was computed, such as "cpu" or "cuda:0".
        stats: every statistic of layers 0 … depth.
        events: what happened first.
        final: the last x, shape (width,) or (width, batch_size); float32 where NumPy lacks
            the format, which holds the values exactly. NumPy's own std of 16-bit numbers overflows
            where a square does; ``stats`` has the std of every layer, this one included.
        log2_branch_rms: log2 of the rms of x_k − x_{k−1}, what a branch adds, at layers 0 … depth
            (NaN at 0); None without a skip, or where a norm follows the sum.
    """

    experiment: Experiment
    device: str
    stats: LayerStats
    events: Events
    final: NDArray[np.floating]
    log2_branch_rms: NDArray[np.float64] | None = None
    symbol: ClassVar[str] = "x"
    goes_back: ClassVar[bool] = False

    @property
    def layers(self) -> NDArray[np.int64]:
        """The layers in the order in which the signal passes through them."""
        return np.arange(len(self.stats))

    def place(self, index: int) -> str:
        """Where an event is, in words: at a loop index i = layer − 1."""
        return f"i = {index}"

    @property
    def size(self) -> NDArray[np.float64]:
        """The size of x at layers 0 … depth: its std; of a single number, which has none, |x|."""
        return self.stats.rms if self.experiment.is_single_number else self.stats.std

    @property
    def log2_size(self) -> NDArray[np.float64]:
        """log2 of ``size``, never falsely infinite."""
        return self.stats.log2_rms if self.experiment.is_single_number else self.stats.log2_std

    @property
    def size_name(self) -> str:
        """What ``size`` is: "std" or "|x|"."""
        return "|x|" if self.experiment.is_single_number else "std"

    @property
    def size_title(self) -> str:
        """``size`` on an axis."""
        return self.size_name if self.experiment.is_single_number else f"std of {self.symbol}"


def layer_generator(experiment: Experiment, layer: int, device: torch.device) -> torch.Generator:
    """The random stream of one layer on a device; layer 0 is the input."""
    generator = torch.Generator(device=device)
    return generator.manual_seed(stream_seed(experiment.seed, layer))


def draw_input(experiment: Experiment, device: torch.device) -> Tensor:
    """x₀ in the number format, shape (width,) or (width, batch_size)."""
    generator = layer_generator(experiment, 0, device)
    shape = experiment.width, experiment.batch_size
    x = experiment.source.draw(shape, generator).view(_signal_shape(experiment))
    if experiment.input_scale != 1:
        x = x * experiment.input_scale
    return experiment.format.cast(x)


def _signal_shape(experiment: Experiment) -> list[int]:
    return [experiment.width, experiment.batch_size][: 1 + (experiment.batch_size > 1)]


def draw_output_gradient(experiment: Experiment, device: torch.device) -> Tensor:
    """δ_L ~ N(0, 1) times the loss scale, in the number format, shaped like x_L."""
    generator = layer_generator(experiment, GRADIENT_STREAM, device)
    shape = _signal_shape(experiment)
    g = torch.randn(shape, generator=generator, device=device, dtype=torch.float32)
    return experiment.format.cast(g * experiment.loss_scale)


def draw_layer(
    experiment: Experiment, layer: int, device: torch.device, x: Tensor | None = None
) -> list[Parameters]:
    """Draw the parameters of one layer, in the order of its operations.

    Args:
        experiment: the question.
        layer: k, from 1 to depth.
        device: the device on which the parameters are drawn and stay.
        x: the layer's input, shape (width,) or (width, batch_size); needed only by an initialiser
            that is fitted to data.

    Raises:
        ValueError: the initialiser is fitted to data, and ``x`` is None.
    """
    stream = layer_generator(experiment, layer, device)
    return experiment.layer.draw(stream, experiment.shape, x, experiment.arithmetic)


def aligned_rows(rows: int, like: Tensor) -> Tensor:
    """An empty tensor of ``rows`` rows shaped like ``like``, each at a multiple of _ALIGNMENT."""
    per_boundary = _ALIGNMENT // like.element_size()
    stride = -(-like.numel() // per_boundary) * per_boundary
    flat = torch.empty(rows, stride, dtype=like.dtype, device=like.device)
    return flat[:, : like.numel()].view(rows, *like.shape)


def propagate(
    experiment: Experiment,
    device: str = "cpu",
    *,
    on_progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Run:
    """Pass an input through the layers, and measure the signal at every layer.

    The same experiment on the same device gives the same numbers to the last bit. The layers of
    a shallower run are the first layers of a deeper one. Subnormal numbers are kept, unless the
    calling thread has switched them off with torch.set_flush_denormal.

    A large run waits until the runs in progress leave enough memory on the host. ``on_progress``
    and ``should_stop`` are called during the wait too.

    Args:
        experiment: the question.
        device: "cpu", "cuda", "cuda:1" or "auto".
        on_progress: called after every layer with the fraction that is done.
        should_stop: called after every layer; the run stops if it returns True.

    Raises:
        ValueError: this host has no such device.
        WorkLimitError: the run needs more memory or work than the host allows or the device has.
        Stopped: ``should_stop`` returned True.
    """
    target = resolve_device(device)
    hooks = Hooks(on_progress, should_stop, experiment.depth)
    with computing(experiment, target, hooks):
        return forward(experiment, target, hooks)


class Hooks:
    """The caller's hooks, which are called after every layer and during a wait.

    Args:
        on_progress: called with the fraction that is done.
        should_stop: the work stops if it returns True.
        layers: how many layers the work passes through.
    """

    def __init__(
        self,
        on_progress: Callable[[float], None] | None,
        should_stop: Callable[[], bool] | None,
        layers: int,
    ) -> None:
        self._tell, self._stops, self._layers = on_progress, should_stop, layers

    def after(self, done: int) -> None:
        """Tell the caller that ``done`` layers are done.

        Raises:
            Stopped: ``should_stop`` returned True.
        """
        if self._stops is not None and self._stops():
            after = f"after {done} of {self._layers} layers" if done else "before the first layer"
            raise Stopped(f"stopped {after}")
        if self._tell is not None:
            self._tell(done / self._layers)


@contextmanager
def computing(
    experiment: Experiment, target: torch.device, hooks: Hooks, *, backward: bool = False
) -> Iterator[None]:
    """A block in which a run computes: within the host's limits, and with room in memory.

    Raises:
        WorkLimitError: the run needs more memory or work than the host allows or the device has.
        Stopped: the caller stopped it while it waited for memory.
    """
    WorkLimit.from_environment().check(experiment, backward=backward)
    keep_freed_memory()
    room = room_for(experiment, target.type, lambda: hooks.after(0), backward=backward)
    try:
        with room, torch.inference_mode(), single_threaded():
            yield
    except torch.OutOfMemoryError as error:
        raise WorkLimitError(f"{target} ran out of memory: lower width or batch_size") from error


Keep: TypeAlias = Callable[[list[Parameters], Tensor, Tape[Tensor]], None]


def forward(
    experiment: Experiment, target: torch.device, hooks: Hooks, keep: Keep | None = None
) -> Run:
    """The run of an experiment on a device, inside of `computing`.

    Args:
        experiment: the question.
        target: the device.
        hooks: called after every layer.
        keep: called for every layer with its parameters, its input and its tape.
    """
    sums: list[LayerSums] = []
    printed: dict[str, int | None] = {}
    x = draw_input(experiment, target)
    layer, units = experiment.layer, Units(experiment.layer)
    arithmetic = experiment.arithmetic.seen_by(units.see)
    rows = chunk_layers(experiment)
    buffer = aligned_rows(rows + 1, x)
    buffer[0] = x
    places = buffer.unbind()
    parameters: list[Parameters] | None = None
    branches, adds = [np.full(1, np.nan)], layer.ends_in_a_sum
    for start in range(0, experiment.depth, rows):
        done = min(rows, experiment.depth - start)
        for row in range(done):
            if parameters is None or experiment.weights == "fresh":
                parameters = None  # frees the old matrix before the new one is drawn
                parameters = draw_layer(experiment, start + row + 1, target, places[row])
            _step(layer, parameters, arithmetic, places[row : row + 2], keep)
            hooks.after(start + row + 1)
        first = 1 if start else 0
        chunk = buffer[first : done + 1]
        part = add_up(chunk, experiment.format)
        units.count(buffer[1 : done + 1], part)
        sums.append(part)
        if adds:
            branches.append(_log2_rms_of_steps(buffer[: done + 1]))
        told = torch_statistics(chunk, part, experiment.format, first_layer=start + first)
        printed = {name: _earlier(printed.get(name), index) for name, index in told.items()}
        buffer[0] = buffer[done]
    stats = LayerStats.of(joined(sums).beside(units.found()))
    events = Events(**element_events(stats), **printed)
    added = np.concatenate(branches) if adds else None
    return Run(experiment, str(target), stats, events, to_numpy(buffer[0]), added)


def _step(
    layer: Layer,
    parameters: list[Parameters],
    arithmetic: Rounded,
    places: Sequence[Tensor],
    keep: Keep | None,
) -> None:
    """One layer from the first of two places to the second."""
    x, out = places
    if keep is None:
        layer.forward(parameters, x, arithmetic, out)
    else:
        x, tape = x.clone(), Tape[Tensor]()  # the places are overwritten later
        layer.forward(parameters, x, arithmetic, out, tape)
        keep(parameters, x, tape)


def _log2_rms_of_steps(x: Tensor) -> NDArray[np.float64]:
    """log2 of the rms of the differences of neighbouring rows, NaN where one is not finite."""
    steps = (x[1:].double() - x[:-1].double()).flatten(1)
    largest = steps.abs().amax(1)
    near = steps / largest.clamp_min(torch.finfo(torch.float64).tiny).unsqueeze(1)
    log2 = near.square().mean(1).log2() / 2 + largest.log2()
    found: NDArray[np.float64] = torch.where(largest == 0, -torch.inf, log2).cpu().numpy()
    return found


def _earlier(known: int | None, new: int | None) -> int | None:
    return new if known is None else known


def to_numpy(x: Tensor) -> NDArray[np.floating]:
    """A copy of x as an array; float32 where NumPy lacks the format."""
    lacking = x.dtype not in (torch.float64, torch.float32, torch.float16)
    array: NDArray[np.floating] = (x.float() if lacking else x).cpu().numpy()
    return array.copy()
