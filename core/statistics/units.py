"""Units: what the units of each layer's activation do, counted some layers at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..layer.activations import Activation
from ..layer.elementwise import Elementwise
from ..layer.stack import Layer
from ..layer.unit_sets import FLAT, flat_set
from ..maths.arrays import Array
from .sums import LayerSums

_AT_ONCE = 2**17  # elements inside of branches that are counted at once: they fit a cache
_FEW = 2  # intervals that are compared with in less time than φ′ takes


class Units:
    """The activation's inputs h and outputs φ(h) of layers 1, 2, …, in this order.

    The units of a layer without an activation are those of its output x.

    Args:
        layer: the operations of every layer.
    """

    def __init__(self, layer: Layer) -> None:
        activations = [op for op in layer.leaves if isinstance(op, Elementwise)]
        self._phi = activations[0].phi if activations else None
        self._inside = bool(activations) and not isinstance(layer.operations[-1], Elementwise)
        self._h: list[Tensor] = []
        self._y: list[Tensor] = []
        self._flat: list[Array] = []
        self._dead: list[Array] = []

    def see(self, h: Tensor, y: Tensor) -> None:
        """Take h and φ(h) of one layer, each of shape (units,) or (units, inputs).

        They are kept until they are counted, and must not be overwritten before.
        """
        self._h.append(h)
        if self._inside:
            self._y.append(y)
            if len(self._y) * y.numel() > _AT_ONCE:
                self._count_inside()

    def count(self, x: Tensor, sums: LayerSums) -> None:
        """Count the layers since the last call.

        Args:
            x: their outputs, shape (layers, width) or (layers, width, inputs).
            sums: of the same layers; of the input before them too, in the first call.
        """
        if self._inside:
            self._count_inside()
            return
        zero = sums.fraction("zero")[-len(x) :]
        dead = _silent(x) if x.dim() == 3 and zero.any() else zero
        self._dead.append(dead)
        self._flat.append(self._counted_flat() if self._phi else np.zeros(len(x)))

    def _count_inside(self) -> None:
        if self._h:
            self._dead.append(_silent(torch.stack(self._y)))
            self._flat.append(self._counted_flat())
            self._y = []

    def _counted_flat(self) -> Array:
        assert self._phi is not None
        found, self._h = flat_share(self._phi, self._h), []
        return found

    def found(self) -> dict[str, Array]:
        """The shares ``flat`` and ``dead`` at layers 0 … L, NaN at 0; float64 (layers + 1,)."""
        unknown = np.full(1, np.nan)
        return {
            "flat": np.concatenate([unknown, *self._flat]),
            "dead": np.concatenate([unknown, *self._dead]),
        }


def flat_share(phi: Activation, layers: Sequence[Tensor]) -> Array:
    """The share of |φ′(h)| < FLAT in each layer, float64 of shape (layers,).

    Args:
        phi: φ.
        layers: h of each, all of one shape.
    """
    h = torch.stack(list(layers)).flatten(1)
    h = h.to(torch.promote_types(h.dtype, torch.float32))  # which holds the ends of intervals
    where = flat_set(phi)
    if len(where.low) > _FEW:
        return _share(phi.derivative(h).abs() < FLAT)
    found = np.zeros(len(h))
    for low, high in zip(where.low, where.high, strict=True):
        found += _share(_between(h, low, high))
    return found


def _between(h: Tensor, low: float, high: float) -> Tensor:
    """Whether low ≤ h ≤ high, with ends that h's own numbers can have."""
    least, most = _rounded_inwards(low, h.dtype, 1.0), _rounded_inwards(high, h.dtype, -1.0)
    if np.isneginf(low):
        return h <= most
    return h >= least if np.isposinf(high) else (h >= least) & (h <= most)


def _rounded_inwards(end: float, dtype: torch.dtype, side: float) -> float:
    """The number of this dtype nearest to an end, above it for side 1, below it for side −1."""
    number = torch.tensor(end, dtype=dtype)
    if side * number.item() < side * end:
        number = torch.nextafter(number, torch.tensor(side * torch.inf, dtype=dtype))
    return float(number.item())


def _silent(y: Tensor) -> Array:
    """The share of units that are exactly zero for every input, float64 of shape (layers,)."""
    y = y.float() if y.element_size() == 1 else y
    return _share((y if y.dim() == 2 else y.abs().amax(2)) == 0)


def _share(holds: Tensor) -> Array:
    found: Array = holds.sum(1).cpu().numpy() / holds.shape[1]
    return found
