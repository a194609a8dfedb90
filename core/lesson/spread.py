"""How far single networks lie from the median: the exact law's spread as a factor."""

from __future__ import annotations

from core.finite_width import LEVELS, Prediction

_SPAN = 2 * 1.6448536269514722  # standard deviations from the 5 % to the 95 % quantile


def spread_factor(prediction: Prediction, layer: int) -> float:
    """By what factor one standard deviation of log rms multiplies, from the exact quantiles."""
    low, high = (prediction.log2_rms_quantiles[level][layer] for level in (LEVELS[0], LEVELS[-1]))
    return float(2 ** ((high - low) / _SPAN))
