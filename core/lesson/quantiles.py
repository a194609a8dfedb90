"""Quantiles of a size over many networks, measured and by a law."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..reading.number import Number
from ..theory.finite_width import LEVELS, Prediction

_SCORES = {0.05: -1.6448536269514722, 0.5: 0.0, 0.95: 1.6448536269514722}
_SPAN = _SCORES[0.95] - _SCORES[0.05]  # in standard deviations


def quantile_numbers(
    label: str, log2_sizes: Array, law: Prediction, lesson: float | None
) -> list[Number]:
    """Three rows: the 5 %, 50 % and 95 % quantiles of the last size in many networks.

    Their standard errors are those of a lognormal size.

    Args:
        label: the size.
        log2_sizes: shape (networks,); infinite for networks that overflowed or vanished.
        law: of the same experiment.
        lesson: the size of the lesson's one run, to stand beside the median.
    """
    inside = log2_sizes[np.isfinite(log2_sizes)]
    spread = float(inside.std(ddof=1)) if len(inside) > 1 else 0.0
    root = len(log2_sizes) ** 0.5
    rows = []
    for level, score in _SCORES.items():
        density = np.exp(-(score**2) / 2) / (2 * np.pi) ** 0.5
        error = spread * (level * (1 - level)) ** 0.5 / density / root
        exact = float(2 ** law.log2_std_quantiles[level][-1]) if law.std_known else None
        is_median = level == 0.5
        rows.append(
            Number(
                label=f"{label}: {'median' if is_median else f'{100 * level:.0f} % quantile'}",
                measured=float(2 ** _quantile(log2_sizes, level)),
                standard_error=float(2**error),
                exact=exact,
                formula=rf"Q_{{{level}}}[\operatorname{{std}}]" if law.std_known else "",
                lesson=lesson if is_median else None,
                lesson_error=spread_factor(law, -1) if law.std_known else float(2**spread),
                factor=True,
            )
        )
    return rows


def _quantile(sizes: Array, level: float) -> float:
    """A quantile, interpolated unless some sizes are infinite."""
    if np.isfinite(sizes).all():
        return float(np.quantile(sizes, level))
    return float(np.quantile(sizes, level, method="closest_observation"))


def spread_factor(law: Prediction, layer: int) -> float:
    """The factor by which the rms at a layer is off if its logarithm is off by one std."""
    low, high = (law.log2_rms_quantiles[level][layer] for level in (LEVELS[0], LEVELS[-1]))
    return factor_of_spread(low, high)


def factor_of_spread(low: float, high: float) -> float:
    """The factor of one std of a lognormal size, from log2 of its 5 % and 95 % quantiles."""
    return float(2 ** ((high - low) / _SPAN))
