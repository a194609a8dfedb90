"""Infinite-width theory: how lengths and correlations change from layer to layer.

The network is h = W x + b, x = φ(h), with iid weights of variance σ_w²/fan_in and biases of
variance σ_b², at width → ∞ and fixed depth. At finite width, the corrections are O(depth/width).
q = E[h²] is the second moment of the pre-activation.

This module collects the public functions: moments of φ from `layer.moments`, lengths from
`fixed_points`, correlations and depth scales from `correlations`, criticality from `edge`.
Throughout, phi is an `Activation` or its registry name. If all numbers given are scalars, the
result is a float. Otherwise they broadcast, and the result is a float64 array of the common shape.
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
from .basins import Basin
from .correlations import chi_1, correlation_map, depth_scales, stable_correlation
from .edge import edge_curve, edge_of_chaos, edge_points
from .fixed_points import FixedPoint, fixed_point, fixed_points, length_map
from .profile import Profile, profile
from .shares import Shares, shares

__all__ = [
    "Basin",
    "FixedPoint",
    "Profile",
    "Shares",
    "chi_1",
    "correlation_map",
    "cross_moment",
    "depth_scales",
    "derivative_cross_moment",
    "derivative_second_moment",
    "edge_curve",
    "edge_of_chaos",
    "edge_points",
    "fixed_point",
    "fixed_points",
    "fourth_moment",
    "gain",
    "length_map",
    "mean",
    "profile",
    "second_moment",
    "second_moment_slope",
    "shares",
    "stable_correlation",
]


def gain(phi: Phi) -> float:
    """1/√E[φ(z)²]: the σ_w that keeps the second moment of a unit signal at σ_b = 0; √2 for ReLU.

    Args:
        phi: the activation, or its registry name.

    Raises:
        ValueError: phi is unknown.

    Reference: He et al. 2015, arXiv:1502.01852, eq. 10, here for any φ.
    """
    return activation(phi).gain
