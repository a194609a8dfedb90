"""The coordinate check: how the size of activations depends on width, layer by layer.

Yang et al. 2022, arXiv:2203.03466, appendix D.1, at initialisation: the slope of log size against
log width is zero at every layer where the initialisation is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..text import shown
from . import Axis, SweepResult, sweep
from .over_depth import OverDepth, over_depth

MEASURE = "log2_rms"


class Size(NamedTuple):
    """The size whose exponent is fitted.

    Attributes:
        name: on a button or above a column.
        title: on an axis.
        subject: the beginning of a sentence; empty of x.
        help: what it is, in one sentence.
    """

    name: str
    title: str
    subject: str
    help: str

    def at(self, layer: int) -> str:
        """Where it is measured: at a layer, or after the way back through so many."""
        return f"through {layer} layer{'s' * (layer > 1)}" if self.subject else f"at layer {layer}"

    def place(self, layer: int) -> str:
        """The same as a heading."""
        return f"{layer} layer{'s' * (layer > 1)}" if self.subject else f"layer {layer}"


SIZES = {
    MEASURE: Size("x", "rms of x", "", "The activations at this layer."),
    "log2_gradient_rms": Size(
        "gradient",
        "rms of the gradient at the input",
        "The gradient",
        "The gradient at the input of a network of so many layers, of a gradient of rms 1 at its "
        "output.",
    ),
    "log2_weight_gradient_rms": Size(
        "weight gradient",
        "rms of the first weight gradient",
        "The weight gradient",
        "The gradient of the first matrix in a network of so many layers.",
    ),
}
"""Measure of sweeps -> the size that it is, for a coordinate check."""

_FLAT = 0.03  # a slope that is smaller changes the size by less than 16 % over five doublings
_SURE = 3.0  # standard errors
_FEWEST_FOR_A_LINE = 3  # layers: through two exponents there is always a line
_MOST_NAMED = 3
_FOR_FINITE_WIDTH = 4  # widths that are enough to tell a slope from an effect of narrow networks


@dataclass(frozen=True)
class Slope:
    """The exponent of width at a layer: size ~ n^slope.

    Attributes:
        layer: k.
        slope: the exponent.
        standard_error: robust against a spread that differs with width; NaN of two points or fewer.
    """

    layer: int
    slope: float
    standard_error: float

    @property
    def text(self) -> str:
        """The slope, with its standard error where there is one."""
        error = "" if np.isnan(self.standard_error) else f" ± {self.standard_error:.2f}"
        return f"{self.slope:z.2f}{error}".replace("-", "−")

    @property
    def in_words(self) -> str:
        """How the size depends on width at this layer."""
        if self.is_flat:
            return "flat"
        return f"{'grows' if self.slope > 0 else 'falls'} as n^{self.slope:.2f}"

    @property
    def is_flat(self) -> bool:
        """Whether the slope cannot be told from zero, or is too small to matter."""
        return bool(abs(self.slope) <= max(_FLAT, _SURE * np.nan_to_num(self.standard_error)))


@dataclass(frozen=True)
class CoordinateCheck:
    """Sizes over widths and layers, and the slopes fitted to them.

    Attributes:
        base: the Experiment; its own width and depth play no part.
        widths, layers: ascending.
        log2_rms: float64 of shape (networks, widths, layers); NaN where a size is not known, or
            outside the number format's range.
        slopes: one for each layer with sizes at two widths or more.
        over_depth: how the size of the widest networks changes from layer to layer.
        measure: a key of SIZES; ``log2_rms`` then has the sizes of that.
    """

    base: Experiment
    widths: tuple[int, ...]
    layers: tuple[int, ...]
    log2_rms: Array
    slopes: tuple[Slope, ...]
    over_depth: OverDepth
    measure: str = MEASURE

    @property
    def size(self) -> Size:
        """The size whose exponent is fitted."""
        return SIZES[self.measure]

    @property
    def factor_per_layer(self) -> float:
        """The factor by which every layer multiplies the size of the widest networks.

        NaN where the steps between the layers disagree, or where there is nothing to compare.
        """
        return self.over_depth.factor_per_layer

    @property
    def slope_per_layer(self) -> float:
        """How much the exponent grows from layer to layer.

        It is fitted to the layers at which every network has a size: at the others, where wide
        networks are missing, the slope is that of narrow networks. NaN with fewer than three
        layers, and where the exponents do not lie on a line.
        """
        whole = [each for each in self.slopes if each.layer not in self._left_out]
        if len(whole) < _FEWEST_FOR_A_LINE:
            return float("nan")
        layers, slopes = [each.layer for each in whole], [each.slope for each in whole]
        per_layer, start = np.polyfit(layers, slopes, 1)
        apart = np.abs(np.array(slopes) - start - per_layer * np.array(layers))
        errors = np.nan_to_num([each.standard_error for each in whole])
        on_a_line = (apart <= np.maximum(_FLAT, _SURE * errors)).all()
        return float(per_layer) if on_a_line else float("nan")

    @property
    def _left_out(self) -> list[int]:
        """Layers at which some networks have no size."""
        sizes = np.moveaxis(self.log2_rms, -1, 0)
        each = zip(self.layers, sizes, strict=True)
        return [layer for layer, own in each if not np.isfinite(own).all()]

    @property
    def notes(self) -> list[str]:
        """The networks that were left out, and why, in sentences."""
        if not self._left_out:
            return []
        return [
            f"{'Through' if self.size.subject else 'At'} layer "
            f"{', '.join(map(str, self._left_out))} some networks have no size: "
            f"they left the range of {self.base.number_format}, or are zero. The slope is that of "
            "the others."
        ]

    @property
    def sentence(self) -> str:
        """The result in words."""
        if not self.slopes:
            has = (self.size.subject or "x").replace("The", "the")
            return f"There is no slope: it takes two widths at which {has} has a size."
        if all(each.is_flat for each in self.slopes):
            flat = f"{self.size.subject} is flat" if self.size.subject else "Flat"
            return f"{flat}: the size does not depend on width{self.over_depth.in_words}"
        return _steep(self)


def coordinate_check(
    base: Experiment,
    widths: Sequence[int],
    layers: Sequence[int],
    ensemble_size: int = 8,
    *,
    measure: str = MEASURE,
    **hooks: Any,
) -> CoordinateCheck:
    """Measure the rms at some layers of networks of several widths, and fit its exponent.

    Args:
        base: the Experiment; its own width and depth play no part.
        widths: two or more, for a slope to be fitted.
        layers: k, each at least 1; the layers of a network come from one computation.
        ensemble_size: networks for each width.
        measure: a key of SIZES; of a gradient, the layers are the depths of whole networks.
        hooks: ``executor``, ``on_progress``, … of `sweep`.

    Raises:
        ValueError: a width, a layer, ensemble_size or the measure is not allowed.
    """
    if measure not in SIZES:
        raise ValueError(f"measure must be one of {', '.join(SIZES)}, got {shown(measure)}")
    axes = {"width": sorted(set(widths)), "depth": sorted(set(layers))}
    return checked(sweep(base, axes, measure, ensemble_size=ensemble_size, **hooks))


def checked(result: SweepResult) -> CoordinateCheck:
    """The coordinate check from a sweep of one of SIZES over width and depth, as far as it is done.

    The axes may have their values in any order, and more than once.
    """
    (widths, columns), (layers, rows) = (_ascending(axis) for axis in result.axes)
    known = np.isfinite(result.values) & result.done
    sizes = np.where(known, result.values, np.nan)[:, columns][:, :, rows]
    slopes = [_fitted(layer, widths, sizes[:, :, place]) for place, layer in enumerate(layers)]
    return CoordinateCheck(
        result.base,
        widths,
        layers,
        sizes,
        tuple(slope for slope in slopes if slope),
        over_depth(widths, layers, sizes),
        result.question.measure,
    )


def _ascending(axis: Axis) -> tuple[tuple[int, ...], NDArray[np.intp]]:
    """The values of an axis in order, each once, and their places on the axis."""
    values, places = np.unique(np.array(axis.values, dtype=np.int64), return_index=True)
    return tuple(values.tolist()), places


def _fitted(layer: int, widths: tuple[int, ...], sizes: Array) -> Slope | None:
    """Weighted least squares over all networks; sizes: (networks, widths).

    The variance of a log size is proportional to layers/width: hence the weights. Its mean has a
    term of the same order, for the typical narrow network is smaller than the mean square: with
    enough widths, c/n is fitted beside the slope, so that this term does not pass for a slope.
    """
    known = np.isfinite(sizes)
    weight = np.broadcast_to(np.array(widths, dtype=np.float64), sizes.shape)[known]
    seen = len(np.unique(weight))
    if seen < 2:
        return None
    columns = [np.ones_like(weight), np.log2(weight)]
    columns += [1 / weight] if seen >= _FOR_FINITE_WIDTH else []
    design = np.stack(columns, axis=1)
    inverse = np.linalg.inv(design.T @ (design * weight[:, None]))
    fitted = inverse @ (design.T @ (weight * sizes[known]))
    freedom = weight.size - len(columns)
    if freedom < 1:
        return Slope(layer, float(fitted[1]), float("nan"))
    # White 1980: valid for any variance of the sizes.
    scores = design * (weight * (sizes[known] - design @ fitted))[:, None]
    covariance = inverse @ (scores.T @ scores) @ inverse * weight.size / freedom
    return Slope(layer, float(fitted[1]), float(np.sqrt(covariance[1, 1])))


def _steep(check: CoordinateCheck) -> str:
    steepest = max(check.slopes, key=lambda each: abs(each.slope))
    verb = "Grows" if steepest.slope > 0 else "Falls"
    if check.size.subject:
        verb = f"{check.size.subject} {verb.lower()}"
    first = check.slopes[:_MOST_NAMED]
    named = [f"n^{each.slope:.2f} {check.size.at(each.layer)}" for each in first]
    words = f"{verb} with width: as {', as '.join(named)}"
    per_layer = check.slope_per_layer
    if np.isnan(per_layer):
        return f"{words}."
    share = "½" if abs(per_layer - 0.5) < _FLAT else f"{per_layer:.2f}"
    return f"{words}; the exponent grows by {share} per layer."
