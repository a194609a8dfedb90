"""Many networks at once: the sizes of x over an ensemble, mostly without a matrix.

Sizes are kept as a number near 1 with a power of two apart, so that nothing overflows: this is
exact arithmetic, without a number format's rounding. The run on screen is never taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from ..host.limits import WorkLimit
from ..host.threads import single_threaded
from ..layer.activations import Activation
from ..layer.number_formats import NumberFormat
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from .in_law import Matrices, Product, in_law, log2, powers

_IN_CACHE = 2**21  # elements
_FAR = 40  # octaves from 1 at which φ has become a power of its argument
_STREAM = 2**32  # layers of a run's own streams never get that far


@dataclass(frozen=True)
class Ensemble:
    """The sizes of x in every network and at every layer 0 … depth.

    Attributes:
        experiment: the question; its own seed plays no part.
        exact_in_law: whether matrices were left out; else they were drawn and multiplied.
        log2_rms, log2_std: float64 of shape (ensemble, depth + 1); −inf for an exact zero.
        mean: of x, same shape, true values.
        zero: the fraction of elements that are exactly zero, same shape.
        log2_reach: of the largest value whose overflow would make x non-finite, same shape.
        log2_max_abs: of the largest magnitude, same shape.
    """

    experiment: Experiment
    exact_in_law: bool
    log2_rms: Array
    log2_std: Array
    mean: Array
    zero: Array
    log2_reach: Array
    log2_max_abs: Array

    def at(self, experiment: Experiment) -> Ensemble:
        """The same networks at a smaller depth, or at another scale factor.

        For another scale factor φ must be positively homogeneous, and there must be no bias.
        """
        new, old = experiment.scale, self.experiment.scale
        octaves = 0.0 if new == old else np.log2(new / old)
        layers = experiment.depth + 1
        shift = octaves * np.arange(layers)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = self.mean[:, :layers] * 2.0**shift
        mean[self.mean[:, :layers] == 0] = 0.0  # also times infinity
        sizes = (self.log2_rms, self.log2_std, self.log2_reach, self.log2_max_abs)
        rms, std, reach, largest = (size[:, :layers] + shift for size in sizes)
        zero = self.zero[:, :layers]
        return Ensemble(experiment, self.exact_in_law, rms, std, mean, zero, reach, largest)

    @property
    def first_overflow(self) -> Array:
        """Per network the loop index i at which the number format would overflow; NaN if never."""
        return self.overflow_in(self.experiment.format)

    def overflow_in(self, number_format: NumberFormat) -> Array:
        """The same for another number format."""
        if not number_format.infinity:
            return np.full(len(self.log2_rms), np.nan)
        limit = np.log2(number_format.max) + np.log2(1 + number_format.epsilon / 4)
        return _first(self.log2_reach >= limit)

    @property
    def first_all_zero(self) -> Array:
        """Per network the loop index i at which every element would be zero; NaN if never."""
        return _first(self.log2_max_abs <= np.log2(self.experiment.format.smallest_subnormal) - 1)


def _first(happened: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
    after = happened[:, 1:]
    return np.where(after.any(1), after.argmax(1).astype(float), np.nan)


def is_exact_in_law(experiment: Experiment) -> bool:
    """Whether an ensemble of it needs no matrix."""
    return in_law(experiment) is not None


def ensemble_work(experiment: Experiment, ensemble_size: int) -> float:
    """About how many multiply-adds an ensemble needs."""
    e = experiment
    per_layer = 32.0 * e.width * e.batch_size
    if is_exact_in_law(e):
        if e.weights == "tied":
            per_layer += 2.5 * e.width * e.depth * e.batch_size**2
        per_layer += float(e.width) * e.batch_size**2 + 30.0 * e.batch_size**3
        return ensemble_size * e.depth * per_layer
    drawn = e.depth if e.weights == "fresh" else 1
    draw = 16.0 * e.width**2 + e.rule.multiply_adds(e.width)
    if e.rule.fit is not None:
        draw += 3.0 * e.width**2 * e.batch_size
    return ensemble_size * (e.depth * (e.width**2 * e.batch_size + per_layer) + drawn * draw)


def sample_ensemble(
    experiment: Experiment,
    ensemble_size: int,
    *,
    seed: int = 0,
    on_progress: Callable[[float], object] | None = None,
) -> Ensemble:
    """Sizes in ``ensemble_size`` networks, each with weights and inputs of its own.

    Args:
        experiment: what to run; its number format only sets where it would overflow.
        ensemble_size: how many networks, at least 1.
        seed: of the ensemble; the same seed gives the same numbers.
        on_progress: called with the fraction done after every layer.

    Raises:
        ValueError: ensemble_size is not a whole number of at least 1, or seed none of at least 0.
        WorkLimitError: the ensemble needs more work than the host allows.
    """
    ensemble_size = _whole("ensemble_size", ensemble_size, at_least=1)
    seed = _whole("seed", seed, at_least=0)
    e = experiment
    WorkLimit.from_environment().check_ensemble(ensemble_work(e, ensemble_size), ensemble_size)
    exact, phi = is_exact_in_law(e), _Bent(e.phi)
    at_once = max(1, _IN_CACHE // _elements(e))
    parts = []
    with torch.inference_mode(), single_threaded():
        for done in range(0, ensemble_size, at_once):
            generator = torch.Generator().manual_seed(stream_seed(seed, _STREAM + done))
            count = min(at_once, ensemble_size - done)
            product = (in_law(e) or Matrices)(count)
            layers = _layers(e, phi, count, product, generator)
            if on_progress:
                layers = _told(layers, e.depth, (done, count, ensemble_size), on_progress)
            parts.append(_columns(layers, phi.never_zero))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Ensemble(e, exact, *joined)


def _whole(name: str, value: object, *, at_least: int) -> int:
    """A whole number of any kind as a plain one."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, got {value!r}")
    return int(value)


class _Layer(NamedTuple):
    """x of several networks, without the power of two of each, and its log2_reach."""

    x: Tensor
    exponent: Tensor
    reach: Tensor


def _elements(e: Experiment) -> int:
    """How many numbers a network keeps at hand."""
    vectors = e.width * e.batch_size
    if not is_exact_in_law(e):
        return e.width**2
    return 2 * e.depth * vectors if e.weights == "tied" else vectors


def _layers(
    e: Experiment, phi: _Bent, count: int, product: Product, generator: Generator
) -> Iterator[_Layer]:
    """Layers 0 … depth of a few networks."""
    x = torch.randn(count, e.width, e.batch_size, generator=generator)
    exponent = torch.zeros(count, dtype=torch.float64)
    yield _Layer(x, exponent, x.abs().amax((1, 2)).double().log2())
    b: Tensor | None = None
    refitted = e.rule.fit is not None and e.weights == "fresh"
    for _ in range(e.depth):
        if refitted:  # the weights are fitted to x itself
            x, exponent = x * powers(exponent), torch.zeros_like(exponent)
        h, apart = product(e, x, generator)
        if e.bias_std and (b is None or e.weights == "fresh"):
            b = torch.randn(count, e.width, 1, generator=generator)
        h, exponent = _with_bias(e, h, exponent + apart, b)
        reach = phi.reach(h).log2() + exponent
        x, exponent = phi(h, exponent)
        yield _Layer(x, exponent, reach)


def _told(
    layers: Iterator[_Layer],
    depth: int,
    networks: tuple[int, int, int],
    on_progress: Callable[[float], object],
) -> Iterator[_Layer]:
    done, count, of = networks
    for k, layer in enumerate(layers):
        yield layer
        on_progress((done + count * (k + 1) / (depth + 1)) / of)


def _columns(layers: Iterator[_Layer], never_zero: bool) -> list[Array]:
    """The columns of an Ensemble; of small layers, several are measured at a time."""
    parts: list[tuple[Tensor, ...]] = []
    waiting: list[_Layer] = []
    for layer in layers:
        waiting.append(layer)
        if len(waiting) * layer.x.numel() >= _IN_CACHE:
            parts.append(_measured(waiting, never_zero))
            waiting = []
    if waiting:
        parts.append(_measured(waiting, never_zero))
    return [torch.cat(column, dim=1).numpy() for column in zip(*parts, strict=True)]


def _with_bias(
    e: Experiment, h: Tensor, exponent: Tensor, b: Tensor | None
) -> tuple[Tensor, Tensor]:
    """h + bias_std·b; b of std 1."""
    if b is None:
        return h, exponent
    own = log2(e.bias_std)
    common = exponent.clamp_min(own)
    return h * powers(exponent - common) + b * powers(own - common), common


class _Bent:
    """φ of a tensor with a power of two apart."""

    def __init__(self, phi: Activation) -> None:
        self.phi = phi
        u = torch.linspace(-1, 1, 998, dtype=torch.float64)
        ends = phi(torch.tensor([-torch.inf, torch.inf]))
        self.below, self.above = (~ends.isfinite()).tolist()
        self.never_zero = bool((phi(u) != 0).all())
        self.low, self.high = (self._degree(u, octave) for octave in (-_FAR, _FAR))

    def _degree(self, u: Tensor, octave: int) -> float:
        """The power of h that |φ(h)| follows beyond 2^octave."""
        outwards = 1 if octave > 0 else -1
        near, far = (
            self.phi(u * 2.0 ** (octave + k)).square().mean().item() for k in (0, outwards)
        )
        return float(np.rint(0.5 * np.log2(far / near) * outwards))

    def __call__(self, h: Tensor, exponent: Tensor) -> tuple[Tensor, Tensor]:
        if self.phi.positively_homogeneous:
            return self.phi(h), exponent
        near = exponent.clamp(-_FAR, _FAR)
        above, below = (exponent - _FAR).clamp_min(0), (exponent + _FAR).clamp_max(0)
        moved = (self.high * above if self.high else 0) + (self.low * below if self.low else 0)
        return self.phi(h * powers(near)), torch.zeros_like(exponent) + moved

    def reach(self, h: Tensor) -> Tensor:
        """The largest |h| on the sides on which an infinite h makes φ non-finite."""
        reach = torch.zeros(len(h), dtype=torch.float64)
        if self.above:
            reach = torch.maximum(reach, h.amax((1, 2)).double())
        if self.below:
            reach = torch.maximum(reach, -h.amin((1, 2)).double())
        return reach


def _measured(layers: list[_Layer], never_zero: bool) -> tuple[Tensor, ...]:
    """The columns of an Ensemble, each of shape (networks, layers), in the order of its fields."""
    x, exponent, reach = (torch.stack(each, dim=1) for each in zip(*layers, strict=True))
    flat = x.flatten(2)
    count = flat.shape[2]
    mean = flat.mean(2).double()
    square = torch.linalg.vector_norm(flat, dim=2).double().square() / count
    variance = (square - mean**2).clamp_min(0)
    narrow = variance < 1e-4 * square  # two nearly equal numbers: subtract before squaring
    if bool(narrow.any()):
        variance[narrow] = flat[narrow].double().var(1, correction=0)
    variance = variance * (count / (count - 1) if count > 1 else torch.nan)
    largest = torch.maximum(flat.amax(2), -flat.amin(2)).double().log2() + exponent
    zero = torch.zeros_like(mean)
    if not never_zero:
        zero = 1 - torch.count_nonzero(flat, dim=2) / count
    return (
        square.log2() / 2 + exponent,
        variance.log2() / 2 + exponent,
        mean * torch.exp2(exponent),
        zero.double(),
        reach,
        largest,
    )
