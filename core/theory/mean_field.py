"""Infinite-width theory: how lengths and correlations change from layer to layer.

A network h = W x + b, x = φ(h), with iid weights of variance σ_w²/fan_in and biases of variance
σ_b², at width → ∞ and fixed depth; at finite width the corrections are O(depth/width). q = E[h²] is
the second moment of the pre-activation.

This module is the door: moments of φ come from `layer.moments`, lengths from `fixed_points`,
correlations and depth scales from `correlations`, criticality from `edge`. Everywhere phi
is an `Activation` or its registry name. Where every number that is given is a scalar the result is
a float; else all broadcast, and it is a float64 array.
"""

from __future__ import annotations

from ..layer.moments import (
    Phi,
    activation,
    cross_moment,
    derivative_cross_moment,
    derivative_second_moment,
    fourth_moment,
    mean,
    second_moment,
    second_moment_slope,
)
from .correlations import chi_1, correlation_map, depth_scales, stable_correlation
from .edge import edge_curve, edge_of_chaos
from .fixed_points import FixedPoint, fixed_point, fixed_points, length_map

__all__ = [
    "FixedPoint",
    "chi_1",
    "correlation_map",
    "cross_moment",
    "depth_scales",
    "derivative_cross_moment",
    "derivative_second_moment",
    "edge_curve",
    "edge_of_chaos",
    "fixed_point",
    "fixed_points",
    "fourth_moment",
    "gain",
    "length_map",
    "mean",
    "second_moment",
    "second_moment_slope",
    "stable_correlation",
]


def gain(phi: Phi) -> float:
    """1/√E[φ(z)²], the σ_w that keeps the second moment of a unit signal at σ_b = 0.

    He et al. 2015, arXiv:1502.01852, eq. 10, for any φ; √2 for ReLU.

    Raises:
        ValueError: phi is unknown.
    """
    return activation(phi).gain
