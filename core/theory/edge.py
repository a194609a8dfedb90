"""The edge of chaos: the networks with χ₁ = 1 at their fixed point."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..layer.activations import Activation
from ..layer.moments import (
    Phi,
    activation,
    arrays,
    derivative_second_moment,
    plain,
    second_moment,
)
from ..maths.arrays import Array, Numbers
from ..maths.roots import bracketed_roots
from .correlations import chi_1
from .fixed_points import GRID, fixed_point

_ROUNDING = 1e-12  # of q: a smaller σ_b² may be rounding of 0
_CLOSE = 1e-6  # |χ₁ − 1| up to which a point counts as on the edge


def edge_curve(phi: Phi, q: Numbers) -> tuple[Numbers, Numbers]:
    """(σ_w, σ_b) of the network with the fixed point q and with χ₁ = 1 there.

    σ_w² = 1/E[φ′(√q z)²] and σ_b² = q − σ_w² E[φ(√q z)²]. This needs no root, so it also gives the
    branches with V′(q) > 1, whose fixed point no signal approaches.

    Args:
        phi: the activation, or its registry name.
        q: fixed points, ≥ 0; the result at 0 is the limit from above.

    Returns:
        σ_w and σ_b, of the shape of q; both are nan where no such network exists, for σ_b² would be
        negative.

    Raises:
        ValueError: phi is unknown, or q is not a number of at least 0.

    Reference: Hayou et al. 2019, arXiv:1902.06853.
    """
    phi = activation(phi)
    (fixed,) = arrays(q=q)
    weight_variance, bias_variance = _edge_variances(phi, fixed)
    bias_variance = np.where(bias_variance < -_ROUNDING * fixed, np.nan, bias_variance)
    sigma_b = np.sqrt(np.maximum(bias_variance, 0.0))
    return plain(np.sqrt(weight_variance) + 0 * sigma_b), plain(sigma_b)


def edge_of_chaos(phi: Phi, sigma_b: Numbers) -> Numbers:
    """The σ_w with χ₁ = 1 at the fixed point that a signal of unit variance approaches.

    It is a point of `edge_curve`. If the curve has several points at this σ_b, it is the one with
    the least σ_w among those whose q a signal of unit variance approaches.

    Args:
        phi: the activation, or its registry name.
        sigma_b: the biases' standard deviation, ≥ 0.

    Returns:
        σ_w: a float for a scalar; for an array, an array with nan where there is no such point.

    Raises:
        ValueError: phi is unknown; sigma_b is not a number of at least 0; or sigma_b is a scalar
            and there is no such point.
    """
    phi = activation(phi)
    (bias,) = arrays(sigma_b=sigma_b)
    crossings = [_crossings(phi, value) for value in bias.flat]
    least = [min(sigma_w[reached], default=np.nan) for sigma_w, reached in crossings]
    sigma_w = np.array(least).reshape(bias.shape)
    if bias.ndim == 0 and np.isnan(sigma_w):
        raise ValueError(_no_such_point(phi, float(bias), crossings[0][0]))
    return plain(sigma_w)


def _no_such_point(phi: Activation, sigma_b: float, unreached: Array) -> str:
    words = (
        f"{phi.name} has no edge of chaos at sigma_b = {sigma_b:g}:"
        " no sigma_w brings a unit signal to a fixed point with chi_1 = 1"
    )
    if unreached.size:
        places = " and ".join(f"{value:.6g}" for value in unreached)
        words += f"; at sigma_w = {places} there is one, but the signal does not come to it"
    if phi.positively_homogeneous:
        only = edge_of_chaos(phi, 0.0)
        words += f"; its edge is the single point sigma_w = {only:.6g}, sigma_b = 0"
    return words


def _crossings(phi: Activation, sigma_b: float) -> tuple[Array, NDArray[np.bool_]]:
    """The σ_w at which `edge_curve` passes σ_b, and whether a unit signal approaches that point.

    Both have the shape (points,), in ascending order of σ_w.
    """
    beyond = (_edge_on_grid(phi)[1] - sigma_b**2) / GRID
    (certain,) = np.nonzero(np.abs(beyond) > _ROUNDING)
    (changes,) = np.nonzero(np.diff(np.sign(beyond[certain])))

    def excess(log_q: Array, _: NDArray[np.intp]) -> Array:
        q = np.exp(log_q)
        return (_edge_variances(phi, q)[1] - sigma_b**2) / q

    low, high = np.log(GRID[certain[changes]]), np.log(GRID[certain[changes + 1]])
    q = np.exp(bracketed_roots(excess, low, high))
    q = np.append(q, 0.0) if sigma_b == 0 else q
    sigma_w = np.sqrt(_edge_variances(phi, q)[0])
    sigma_w = np.sort(sigma_w[np.isfinite(sigma_w)])
    rests = ~np.isnan(fixed_point(phi, sigma_w, sigma_b))
    return sigma_w, rests & (np.abs(chi_1(phi, sigma_w, sigma_b) - 1) < _CLOSE)


def _edge_variances(phi: Activation, q: Array) -> tuple[Array, Array]:
    """σ_w² and σ_b² for χ₁ = 1 and the fixed point q; σ_b² may come out negative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weight_variance = 1 / np.asarray(derivative_second_moment(phi, q))
        return weight_variance, q - weight_variance * second_moment(phi, q)


@lru_cache(maxsize=64)
def _edge_on_grid(phi: Activation) -> tuple[Array, Array]:
    return _edge_variances(phi, GRID)
