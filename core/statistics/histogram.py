"""Histograms of log2|x| per layer, counted by bit pattern.

The upper bits of a float64 are its exponent, followed by its mantissa. A right shift that leaves
one bit of the mantissa gives an integer key with two values per octave. The key is the bin of |x|,
found without a logarithm. The bins begin at 2^e and at 1.5·2^e, and no rounding can move an element
across an edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..layer.number_formats import NumberFormat

MAX_BINS = 256
"""The largest number of bins; more are merged in pairs until they fit."""

_SHIFT = 51  # bits: one of the 52 of the mantissa stays
_KEYS_PER_OCTAVE = 2


@cache
def _key(value: float) -> int:
    return int(np.float64(value).view(np.int64) >> _SHIFT)


def _edge(key: int) -> float:
    """log2 of the smallest magnitude with this key or a larger one."""
    if key < _KEYS_PER_OCTAVE:  # all subnormals of float64 share one bin
        return -1074.0
    octave, part = divmod(key, _KEYS_PER_OCTAVE)
    return octave - 1023 + float(np.log2(1 + part / _KEYS_PER_OCTAVE))


@dataclass(frozen=True)
class Histogram:
    """The finite, non-zero elements of each layer, counted in bins of log2|x|.

    Attributes:
        first_key: the key of the lower edge of the first bin.
        keys_per_bin: how many keys a bin spans, a power of two.
        counts: int32 of shape (layers, bins). The sum of a row is the number of the layer's
            elements that are neither zero nor non-finite.
    """

    first_key: int
    keys_per_bin: int
    counts: NDArray[np.int32]

    @property
    def log2_edges(self) -> NDArray[np.float64]:
        """log2 of the edges of the bins, ascending, shape (bins + 1,)."""
        keys = range(self.counts.shape[1] + 1)
        return np.array([_edge(self.first_key + k * self.keys_per_bin) for k in keys])

    @classmethod
    def joined(cls, parts: Sequence[Histogram]) -> Histogram:
        """Histograms of successive layers as one, whose bins cover all of theirs.

        Args:
            parts: at least one, each with one key per bin.
        """
        used = [part for part in parts if part.counts.shape[1]] or parts[:1]
        low = min(part.first_key for part in used)
        high = max(part.first_key + part.counts.shape[1] for part in used)
        counts = np.zeros((sum(len(part.counts) for part in parts), high - low), np.int32)
        row = 0
        for part in parts:
            layers, bins = part.counts.shape
            counts[row : row + layers, part.first_key - low :][:, :bins] = part.counts
            row += layers
        return cls(low, 1, counts)

    def by_octave(self, most: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Counts in bins of equal width: one octave, or as many as keep the bins few.

        Args:
            most: the largest number of bins.

        Returns:
            Counts, int32 of shape (layers, bins), and log2 of the edges, shape (bins + 1,).
        """
        octave = max(1, _KEYS_PER_OCTAVE // self.keys_per_bin)
        bins = self.counts.shape[1]
        width = octave * max(1, -(-(bins + octave) // (most * octave)))
        before = (self.first_key // self.keys_per_bin) % octave
        after = -(before + bins) % width
        padded = np.pad(self.counts, ((0, 0), (before, after)))
        merged = padded.reshape(len(padded), -1, width).sum(axis=2, dtype=np.int32)
        per_bin = width * self.keys_per_bin / _KEYS_PER_OCTAVE
        low = (self.first_key - before * self.keys_per_bin) / _KEYS_PER_OCTAVE - 1023
        return merged, low + per_bin * np.arange(merged.shape[1] + 1)

    def coarsened(self) -> Histogram:
        """The histogram with neighbouring bins merged until there are at most MAX_BINS."""
        first, per_bin, counts = self.first_key, self.keys_per_bin, self.counts
        while counts.shape[1] > MAX_BINS:
            before = (first // per_bin) % 2
            after = (before + counts.shape[1]) % 2
            padded = np.pad(counts, ((0, 0), (before, after)))
            counts = padded[:, ::2] + padded[:, 1::2]
            first -= before * per_bin
            per_bin *= 2
        return Histogram(first, per_bin, counts)


@dataclass(frozen=True)
class BitCounts:
    """Elements per layer and key, as int64 tensors on the device of x.

    Attributes:
        counts: the finite elements other than zero, shape (layers, keys).
        first_key: the key of the first column.
        zero: the elements that are exactly zero, shape (layers,).
        subnormal: the non-zero elements below the smallest normal value, shape (layers,).
        nonfinite: the elements that are Inf or NaN, shape (layers,).
    """

    counts: Tensor
    first_key: int
    zero: Tensor
    subnormal: Tensor
    nonfinite: Tensor


def key_count(number_format: NumberFormat) -> int:
    """How many keys the finite, non-zero values of a format can have."""
    return _key(number_format.max) - _first_key(number_format) + 1


def _first_key(number_format: NumberFormat) -> int:
    return max(1, _key(number_format.smallest_subnormal))


def bit_counts(magnitude: Tensor, number_format: NumberFormat) -> BitCounts:
    """Count |x| by key.

    Args:
        magnitude: |x| in float64, shape (layers, elements).
        number_format: the format of x, which limits the keys that can occur.
    """
    first = _first_key(number_format)
    columns = key_count(number_format) + 2  # one before for zero, one after for Inf and NaN
    zero_key = first - 1
    column = (magnitude.view(torch.int64) >> _SHIFT).clamp_(zero_key, zero_key + columns - 1)
    starts = torch.arange(0, len(magnitude) * columns, columns, device=magnitude.device)
    column += (starts - zero_key).unsqueeze(1)
    counts = torch.bincount(column.view(-1), minlength=len(starts) * columns).view(-1, columns)
    finite = counts[:, 1:-1]
    zero = counts[:, 0]
    if first == 1:  # float64: the smaller subnormals have the key of zero
        zero = (magnitude == 0).sum(1)
        finite[:, 0] += counts[:, 0] - zero
    subnormal = finite[:, : _key(number_format.smallest_normal) - first].sum(1)
    return BitCounts(finite, first, zero, subnormal, counts[:, -1])


def trimmed(counts: NDArray[np.int64], first_key: int) -> Histogram:
    """A histogram without the empty bins at both ends, from counts of shape (layers, keys)."""
    used = np.flatnonzero(counts.sum(axis=0))
    low, high = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
    return Histogram(first_key + low, 1, counts[:, low:high].astype(np.int32))
