"""Signal: how large the elements of one tensor are, forward or backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from ..maths.arrays import Array
from ..statistics.sums import LayerSums, add_up, pooled
from .fields import Count, Octaves, Real, Share, Some, Whole

_PIECE = 2**15  # elements that are counted at once on a CPU: in its cache, by one thread
_LARGE_PIECE = 2**24  # on a GPU
_MOST_OCTAVES = 2200  # as many as float64 has, and more than any other format


@dataclass(frozen=True)
class Signal:
    """The sizes of the elements of a tensor; of several tensors, their means.

    Sizes are logarithms to base 2: no format overflows in them. That of zero is −inf.

    Attributes:
        count: how many elements.
        mean: their mean; infinite or NaN where it is.
        log2_rms: of the root mean square.
        log2_std: of the standard deviation around the mean.
        log2_max_abs: of the largest magnitude.
        zero: the share of the elements that are exactly zero.
        nonfinite: the share that is Inf or NaN.
        first_octave: that of the first entry of ``octaves``.
        octaves: how many elements have 2^k ≤ |x| < 2^(k + 1), from ``first_octave`` on.
    """

    count: Some
    mean: Real
    log2_rms: Octaves
    log2_std: Octaves
    log2_max_abs: Octaves
    zero: Share
    nonfinite: Share
    first_octave: Whole
    octaves: tuple[Count, ...]

    def __post_init__(self) -> None:
        if sum(self.octaves) > self.count:
            raise ValueError("octaves must add up to at most count")

    @classmethod
    def of(cls, x: Tensor) -> Signal:
        """The sizes of the elements of a real floating tensor that is not empty."""
        sums = _sums(x.detach().reshape(-1), format_of(x.dtype))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            counts, edges = sums.histogram.by_octave(_MOST_OCTAVES)
            return cls(
                count=sums.count,
                mean=float(np.ldexp(sums.values["mean"], sums.values["exponent"].astype(int))[0]),
                log2_rms=float(sums.log2_magnitude(sums.mean_square)[0]),
                log2_std=float(
                    sums.log2_magnitude(sums.values["square_deviation"] / sums.count)[0]
                ),
                log2_max_abs=float(np.log2(sums.values["max_abs"])[0]),
                zero=float(sums.fraction("zero")[0]),
                nonfinite=float(sums.fraction("nonfinite")[0]),
                first_octave=int(edges[0]),
                octaves=tuple(int(n) for n in counts[0]),
            )

    @cached_property
    def _octaves(self) -> Array:
        return np.array(self.octaves, dtype=np.float64)

    def share_below(self, log2_size: float) -> float:
        """The share of the elements that are not zero and below 2^log2_size, a whole octave."""
        below = self._octaves[: max(0, int(np.floor(log2_size)) - self.first_octave)]
        return float(below.sum()) / self.count

    def needs(self, log2_size: float, most_lost: float) -> float:
        """By how many octaves it must grow so that at most a share stays below 2^log2_size."""
        below = np.cumsum(self._octaves)
        allowed = np.flatnonzero(below <= most_lost * self.count)
        first_kept = self.first_octave + (int(allowed[-1]) + 1 if allowed.size else 0)
        return log2_size - first_kept


def mean_of(signals: Sequence[Signal]) -> Signal:
    """Several signals as one: means of shares and of logarithms, and all of their elements.

    A logarithm that is infinite or NaN in one of them is so in the mean, and +inf before −inf.
    """
    if len(signals) == 1:
        return signals[0]
    first = min(each.first_octave for each in signals)
    last = max(each.first_octave + len(each.octaves) for each in signals)
    octaves = np.zeros(last - first, dtype=np.int64)
    for each in signals:
        octaves[each.first_octave - first :][: len(each.octaves)] += np.array(each.octaves, int)
    return Signal(
        count=sum(each.count for each in signals),
        mean=_mean([each.mean for each in signals]),
        log2_rms=mean_octaves([each.log2_rms for each in signals]),
        log2_std=mean_octaves([each.log2_std for each in signals]),
        log2_max_abs=max(each.log2_max_abs for each in signals),
        zero=_mean([each.zero for each in signals]),
        nonfinite=_mean([each.nonfinite for each in signals]),
        first_octave=first,
        octaves=tuple(int(n) for n in octaves),
    )


def mean_octaves(values: Sequence[float]) -> float:
    """The mean of logarithms: infinite where one is, and +inf before −inf."""
    return float("inf") if any(value == np.inf for value in values) else _mean(values)


def _mean(values: Sequence[float]) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.mean(values))


def format_of(dtype: torch.dtype) -> NumberFormat:
    """The number format of a dtype; float64, which holds them all, where there is none."""
    return NUMBER_FORMATS.get(str(dtype).removeprefix("torch."), NUMBER_FORMATS["float64"])


def _sums(flat: Tensor, number_format: NumberFormat) -> LayerSums:
    """The sums over a tensor of one axis, piece by piece."""
    pieces = torch.split(flat, _PIECE if flat.device.type == "cpu" else _LARGE_PIECE)
    return pooled([add_up(piece.unsqueeze(0), number_format) for piece in pieces])


def log2_rms_of(x: Tensor) -> float:
    """log2 of the root mean square of a tensor, without all that a Signal has; −inf of zeros."""
    flat = x.detach().reshape(-1)
    flat = flat.float() if flat.element_size() == 1 else flat  # torch lacks functions of 8 bits
    largest = float(flat.abs().max())
    if not 0 < largest < np.inf:
        return float(np.log2(largest)) if largest else -np.inf
    scale = 2.0 ** -max(-1000, int(np.frexp(largest)[1]))
    squares = [float((each.double() * scale).square().sum()) for each in torch.split(flat, _PIECE)]
    return 0.5 * float(np.log2(sum(squares) / len(flat))) - float(np.log2(scale))
