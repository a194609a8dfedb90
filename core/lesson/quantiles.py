"""The quantiles of a size over many networks, beside those of a law."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..reading.number import Number
from ..theory.finite_width import LEVELS, Prediction

_SPAN = 2 * 1.6448536269514722  # standard deviations from the 5 % to the 95 % quantile
_SCORES = {0.05: -1.6448536269514722, 0.5: 0.0, 0.95: 1.6448536269514722}


def quantile_numbers(
    label: str, log2_sizes: Array, law: Prediction, lesson: float | None
) -> list[Number]:
    """The 5 %, 50 % and 95 % quantile of a size in many networks, beside the law's.

    Their standard errors are those of a lognormal size.

    Args:
        label: of what.
        log2_sizes: shape (networks,).
        law: of the same experiment; the last layer is meant.
        lesson: a single run's size, to set beside the median.
    """
    spread, root = float(log2_sizes.std(ddof=1)), len(log2_sizes) ** 0.5
    rows = []
    for level, score in _SCORES.items():
        density = np.exp(-(score**2) / 2) / (2 * np.pi) ** 0.5
        error = spread * (level * (1 - level)) ** 0.5 / density / root
        exact = float(2 ** law.log2_std_quantiles[level][-1]) if law.std_known else None
        middle = level == 0.5
        depth = len(law.log2_std_quantiles[level]) - 1 if law.std_known else 0
        rows.append(
            Number(
                label=f"{label}: {'median' if middle else f'{100 * level:.0f} % quantile'}",
                measured=float(2 ** np.quantile(log2_sizes, level)),
                standard_error=float(2**error),
                exact=exact,
                formula=rf"Q_{{{level}}}[\operatorname{{std}}]" if law.std_known else "",
                lesson=lesson if middle else None,
                lesson_error=spread_factor(law, depth) if law.std_known else float(2**spread),
                factor=True,
            )
        )
    return rows


def spread_factor(prediction: Prediction, layer: int) -> float:
    """By what factor one standard deviation of log rms multiplies, from the exact quantiles."""
    low, high = (prediction.log2_rms_quantiles[level][layer] for level in (LEVELS[0], LEVELS[-1]))
    return float(2 ** ((high - low) / _SPAN))
