"""How the size of activations changes with depth, from one measured layer to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array
from ..text import significant

_NARROWEST = 4  # widths down to a quarter of the widest are looked at: narrower networks differ
_FEWEST = 5.0  # networks from which a standard error means something
_SURE = 3.0  # standard errors
_SAME = 0.03  # octaves, 2 %: a smaller change of size is none
_MOST_NAMED = 4


@dataclass(frozen=True)
class Step:
    """The change of size from one measured layer to a later one.

    Attributes:
        first, last: the layers.
        factor: the size at ``last`` over that at ``first``, geometric mean over networks.
        standard_error: of log2 of ``factor``; infinite where there are too few networks.
    """

    first: int
    last: int
    factor: float
    standard_error: float

    @property
    def is_held(self) -> bool:
        """Whether the size is the same at both layers, to within 2 % or its error."""
        error = self.standard_error if np.isfinite(self.standard_error) else 0.0
        return bool(abs(np.log2(self.factor)) <= max(_SAME, _SURE * error))

    @property
    def in_words(self) -> str:
        """The change from the size at ``first``: "falls to 0.62 of its size"."""
        if self.is_held:
            return "keeps its size"
        if self.factor < 1:
            return f"falls to {significant(self.factor)} of its size"
        return f"grows to {significant(self.factor)} times its size"


@dataclass(frozen=True)
class OverDepth:
    """The steps between the measured layers, and whether they have one factor per layer.

    Attributes:
        steps: between neighbouring layers at which every network has a size.
        whole: from the first of these layers to the last; None with fewer than two.
        is_steady: whether every step has the same factor per layer, to within its standard error;
            None where there is nothing to compare: one step, or too few networks.
    """

    steps: tuple[Step, ...] = ()
    whole: Step | None = None
    is_steady: bool | None = None

    @property
    def factor_per_layer(self) -> float:
        """The factor by which every layer multiplies the size; NaN unless ``is_steady``."""
        if self.whole is None or not self.is_steady:
            return float("nan")
        return float(self.whole.factor ** (1 / (self.whole.last - self.whole.first)))

    @property
    def in_words(self) -> str:
        """The end of a sentence on width, and what happens with depth."""
        whole = self.whole
        if whole is None:
            return "."
        if self.is_steady:
            if whole.is_held:
                return ", and every layer keeps it."
            verb = "falls" if whole.factor < 1 else "grows"
            factor = significant(self.factor_per_layer)
            return (
                f". But it {verb} with depth: every layer multiplies it by {factor}, at every "
                "width."
            )
        if self.is_steady is None:
            return f". From layer {whole.first} to {whole.last} it {whole.in_words}."
        return f". But it changes with depth: {self._listed}: no constant factor."

    @property
    def _listed(self) -> str:
        """The steps between the layers in words; of many, the first ones and the last."""
        shown = self.steps
        if len(shown) > _MOST_NAMED:
            shown = (*shown[: _MOST_NAMED - 1], shown[-1])
        parts = [f"from {step.first} to {step.last} it {step.in_words}" for step in shown]
        if len(self.steps) > _MOST_NAMED:
            parts.insert(-1, "…")
        return ", ".join(parts).replace("from ", "from layer ", 1)


def over_depth(widths: tuple[int, ...], layers: tuple[int, ...], sizes: Array) -> OverDepth:
    """The change of size with depth, in the widest networks.

    Args:
        widths, layers: ascending.
        sizes: log2, shape (networks, widths, layers); NaN where a size is not known.
    """
    for place in range(len(widths) - 1, -1, -1):
        found = np.flatnonzero(np.isfinite(sizes[:, place]).all(axis=0))
        if len(found) > 1:
            near = [
                at
                for at in range(place + 1)
                if _NARROWEST * widths[at] >= widths[place]
                and np.isfinite(sizes[:, at][:, found]).all()
            ]
            return _of(np.array(layers)[found], np.array(widths)[near], sizes[:, near][..., found])
    return OverDepth()


def _of(layers: Array, widths: Array, sizes: Array) -> OverDepth:
    """The same, where every size is known."""
    weights = np.broadcast_to(widths.astype(float), sizes.shape[:2]).ravel()
    flat = sizes.reshape(-1, len(layers))
    lengths = np.diff(layers)
    changes = np.diff(flat, axis=1)
    whole = flat[:, -1:] - flat[:, :1]
    means, errors = _weighted(changes, weights)
    steps = tuple(
        Step(int(first), int(last), float(2.0**mean), float(error))
        for first, last, mean, error in zip(layers, layers[1:], means, errors, strict=False)
    )
    [mean], [error] = _weighted(whole, weights)
    all_of_it = Step(int(layers[0]), int(layers[-1]), float(2.0**mean), float(error))
    if len(steps) < 2 or not np.isfinite(error):
        return OverDepth(steps, all_of_it)
    # Network by network: what a network's steps have in common is no difference between them.
    apart, errors = _weighted(changes - lengths / lengths.sum() * whole, weights)
    steady = np.abs(apart) <= np.maximum(_SAME, _SURE * errors)
    return OverDepth(steps, all_of_it, bool(steady.all()))


def _weighted(values: Array, weights: Array) -> tuple[Array, Array]:
    """Mean of each column and its standard error, for rows with variances as 1/weight.

    The error is infinite where the rows are too few, counted as Kish 1965 counts weighted ones.
    """
    share = weights / weights.sum()
    count = 1 / (share**2).sum()
    mean = share @ values
    if count < _FEWEST:
        return mean, np.full(len(mean), np.inf)
    variance = (share**2) @ (values - mean) ** 2
    return mean, np.sqrt(variance * count / (count - 1))
