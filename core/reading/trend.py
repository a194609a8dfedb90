"""The trend of a curve: a constant factor per product, a power of the layer, a level, or none.

The last half of the curve decides on a factor and on a level. Its last three doublings decide on a
power, which the last doubling has to follow too. A claim is made only if the steps between these
layers agree with it to within their own scatter, so that a curve that bends is never told as a
factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array

LEAST = 4  # steps; fewer do not show how much they scatter
_LEAST_FOR_POWER = 24  # steps; over fewer layers a power and a factor look alike
_SURE = 3.0  # standard errors by which a constant may seem to change
_CLEAR = 4.0  # standard errors of a trend that is there
_BEND = 0.02  # of the rate, by which its two halves may differ without being told apart
_POWER_BENDS = 0.1  # of the exponent, likewise: tanh falls as 1/√(2k + c)
_NO_POWER = 0.25  # of the exponent; what differs by more is no power, however large its scatter
_FLAT = 0.002  # octaves per product: a factor this near 1 is told as 1
_PREFERRED = 6.0  # mean squares by which one model's residuals exceed the other's
_STEEPEST = 2.5  # a steeper power of the layer is no power
_WIDE = 0.5  # octaves; what scatters more has no level
_WANDERS = 2.0  # variance of the sizes over that of their steps: 1/2 around a level, m/6 for a walk
_LEVEL = 0.02  # octaves by which both halves of a level may differ in any case
_AROUND = 0.25  # octaves around a level that belong to it in any case


@dataclass(frozen=True)
class Factor:
    """Every product multiplies the size by about the same number.

    Attributes:
        octaves: log2 of that number, the mean of the steps.
        standard_error: of ``octaves``.
        scatter: standard deviation of a single step, in octaves.
        from_layer: the layer at which these steps begin: 0 if they are all steps of the curve.
    """

    octaves: float
    standard_error: float
    scatter: float
    from_layer: int

    @property
    def per_product(self) -> float:
        """The factor."""
        return float(2.0**self.octaves)

    @property
    def is_flat(self) -> bool:
        """Whether the factor cannot be told from 1."""
        return abs(self.octaves) <= max(_FLAT, _CLEAR * self.standard_error)

    @property
    def slack(self) -> float:
        """Octaves by which two parts of a curve may differ in any case."""
        return _FLAT if self.is_flat else 0.0


@dataclass(frozen=True)
class Power:
    """The size goes as a power of the layer's number, size ~ k^exponent.

    Attributes:
        exponent: fitted to the last seven eighths of the layers.
        error: the larger of its standard error and half the range of its early, late and last
            values.
    """

    exponent: float
    error: float


@dataclass(frozen=True)
class Level:
    """The size has settled.

    Attributes:
        log2: log2 of the level.
        layer: from this layer on the curve stays at the level.
    """

    log2: float
    layer: int


def _halves(values: Array) -> tuple[Array, Array]:
    middle = len(values) // 2
    return values[:middle], values[middle:]


def _window(steps: Array) -> Array:
    """The steps of the last half; all of them where that would be too few."""
    return steps[min(len(steps) // 2, max(0, len(steps) - 2 * LEAST)) :]


def _scatter(steps: Array) -> float:
    """The standard deviation of a step, pooled over both halves."""
    early, late = _halves(steps)
    square = np.square(early - early.mean()).sum() + np.square(late - late.mean()).sum()
    return float(np.sqrt(square / max(1, len(steps) - 2)))


def _logarithmic(steps: Array, layers: int) -> Array:
    """The steps of log2(k + 1) over the same layers: layer 0, the input, has a size too."""
    k = np.arange(layers - len(steps), layers + 1, dtype=np.float64)
    return np.diff(np.log2(k + 1))


def _residual(steps: Array, shape: Array) -> float:
    """The mean square of what is left of the steps after ``shape`` is fitted to them."""
    fitted = shape * (steps @ shape) / (shape @ shape)
    return float(np.square(steps - fitted).mean())


def factor_of(log2: Array) -> Factor | None:
    """The constant factor of a curve, if it has one.

    Args:
        log2: log2 of the size at layers 0, 1, …, all finite.

    Returns:
        That of all steps, if the first half agrees with the last one, else that of the last half.
        None if the last half bends, if its steps scatter too much to tell, or if a power of the
        layer describes them as well.
    """
    steps = np.diff(log2)
    if len(steps) < LEAST:
        return None
    last = _window(steps)
    found = _mean(last, from_layer=len(steps) - len(last))
    early, late = _halves(last)
    bend = abs(early.mean() - late.mean())
    if bend > max(_BEND * abs(found.octaves), 2 * _SURE * found.standard_error, found.slack):
        return None
    if found.is_flat:
        return found if found.standard_error <= _FLAT else None
    if not _is_clearer_than_a_power(last, len(steps)):
        return None
    whole = _mean(steps, from_layer=0)
    before = steps[: len(steps) - len(last)]
    return whole if _agrees(before, found, len(last)) and not whole.is_flat else found


def _mean(steps: Array, from_layer: int) -> Factor:
    scatter = _scatter(steps)
    return Factor(float(steps.mean()), scatter / len(steps) ** 0.5, scatter, from_layer)


def _agrees(steps: Array, found: Factor, count: int) -> bool:
    """Whether earlier steps go by the factor of the last ``count``."""
    if not steps.size:
        return True
    apart = abs(float(steps.mean()) - found.octaves)
    error = found.scatter * (1 / len(steps) + 1 / count) ** 0.5
    return apart <= max(_BEND * abs(found.octaves), _SURE * error)


def _is_clearer_than_a_power(steps: Array, layers: int) -> bool:
    """Whether the steps are told apart from those of a power of the layer's number."""
    if abs(float(steps.sum())) > _STEEPEST:  # more than any power makes of the last doubling
        return True
    straight = _residual(steps, np.ones_like(steps))
    bent = _residual(steps, _logarithmic(steps, layers))
    return (bent - straight) * len(steps) > _PREFERRED * straight


def power_of(log2: Array) -> Power | None:
    """The power of the layer's number that a curve follows, if it does.

    Args:
        log2: log2 of the size at layers 0, 1, …, all finite.
    """
    steps = np.diff(log2)
    if len(steps) < _LEAST_FOR_POWER:
        return None
    window = steps[len(steps) // 8 :]
    shape = _logarithmic(window, len(steps))
    straight, bent = _residual(window, np.ones_like(window)), _residual(window, shape)
    if (straight - bent) * len(window) <= _PREFERRED * bent:
        return None
    exponent = float(window @ shape / (shape @ shape))
    standard_error = float(np.sqrt(bent / (shape @ shape)))
    middle = int(np.searchsorted(shape.cumsum(), shape.sum() / 2))  # as many octaves on either side
    doubled = len(window) - len(steps) // 2  # where the last doubling of the layers begins
    parts = np.s_[:middle, middle:, doubled:]
    apart = float(np.ptp([window[part].sum() / shape[part].sum() for part in parts]))
    sure = max(_POWER_BENDS * abs(exponent), 2 * _SURE * standard_error)
    if apart > min(sure, _NO_POWER * abs(exponent)):
        return None
    if not _CLEAR * standard_error < abs(exponent) <= _STEEPEST:
        return None
    return Power(exponent, float(max(standard_error, apart / 2)))


def level_of(log2: Array) -> Level | None:
    """The level at which a curve has settled, if it has.

    Args:
        log2: log2 of the size at layers 0, 1, …, all finite.
    """
    if len(log2) <= 2 * LEAST:
        return None
    last = log2[len(log2) // 2 :]
    early, late = _halves(last)
    spread = float(last.std())
    # Around a level the layers scatter by themselves; a curve that wanders drifts by far more.
    wanders = last.var() > _WANDERS * np.diff(last).var() and np.ptp(last) > _LEVEL
    drifts = abs(early.mean() - late.mean()) > max(_LEVEL, 2 * _SURE * spread / np.sqrt(len(last)))
    if wanders or drifts or spread > _WIDE:
        return None
    level = float(last.mean())
    outside = np.flatnonzero(np.abs(log2 - level) > max(_AROUND, _CLEAR * spread))
    layer = int(outside[-1]) + 1 if outside.size else 0
    return Level(level, layer) if layer <= len(log2) // 2 else None
