"""The edge of chaos: the networks with χ₁ = 1 at a fixed point of their length map."""

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
from ..layer.operation import MICROSECOND
from ..maths.arrays import Array, Numbers
from ..maths.roots import bracketed_roots
from .basins import Basin, basin
from .fixed_points import GRID

_ROUNDING = 1e-12  # of q: a smaller σ_b² may be rounding of 0


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


def work_of_points(phi: Phi, sigma_b: float) -> float:
    """The multiply-adds of `edge_points`."""
    phi = activation(phi)
    if phi.positively_homogeneous:
        return 400 * MICROSECOND
    first, root, at_zero = (250, 1100, 800) if _is_closed(phi) else (800, 4000, 1200)
    roots = len(_brackets(phi, sigma_b)[0])
    is_at_zero = _begins_at_zero(phi, sigma_b) and np.isfinite(_edge_variances(phi, np.zeros(1))[0])
    return (first + root * roots + at_zero * bool(is_at_zero)) * MICROSECOND


def work_of_curve(phi: Phi) -> float:
    """The multiply-adds of `edge_curve` at some hundred q, and of the signals that come to them."""
    phi = activation(phi)
    if phi.positively_homogeneous:
        return 300 * MICROSECOND
    return (5000 if _is_closed(phi) else 11000) * MICROSECOND


def _is_closed(phi: Activation) -> bool:
    return getattr(phi.closed_form, "second_moment", None) is not None


def edge_points(phi: Phi, sigma_b: float) -> list[Basin]:
    """All points of `edge_curve` at one σ_b, ascending in σ_w, and the signals that come to each.

    Args:
        phi: the activation, or its registry name.
        sigma_b: the biases' standard deviation, ≥ 0, a scalar.

    Raises:
        ValueError: phi is unknown, or sigma_b is not a number of at least 0.
    """
    phi = activation(phi)
    (bias,) = arrays(sigma_b=sigma_b)
    q = _crossings(phi, float(bias))
    found = [(float(np.sqrt(_edge_variances(phi, each)[0])), float(each)) for each in q]
    known = sorted(pair for pair in found if np.isfinite(pair[0]))
    return [basin(phi, sigma_w, float(bias), q) for sigma_w, q in known]


def edge_of_chaos(phi: Phi, sigma_b: Numbers) -> Numbers:
    """The σ_w with χ₁ = 1 at a fixed point.

    It is a point of `edge_curve`. If the curve has several points at this σ_b, it is the first in
    this order: points that a signal of unit variance approaches; points that some other signal
    approaches; unstable points, which no signal approaches. Among equals it is the one with the
    least σ_w. `edge_points` tells which signals approach it.

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
    points = [edge_points(phi, float(value)) for value in bias.flat]
    first = [min(at, key=_order).sigma_w if at else np.nan for at in points]
    sigma_w = np.array(first).reshape(bias.shape)
    if bias.ndim == 0 and np.isnan(sigma_w):
        raise ValueError(_no_such_point(phi, float(bias)))
    return plain(sigma_w)


def _order(point: Basin) -> tuple[bool, bool, float]:
    return not point.holds(1.0), not point.attracts, point.sigma_w


def _no_such_point(phi: Activation, sigma_b: float) -> str:
    words = (
        f"{phi.name} has no edge of chaos at sigma_b = {sigma_b:g}:"
        " no sigma_w has a fixed point with chi_1 = 1"
    )
    if phi.positively_homogeneous:
        only = edge_of_chaos(phi, 0.0)
        words += f"; its edge is the single point sigma_w = {only:.6g}, sigma_b = 0"
    return words


def _crossings(phi: Activation, sigma_b: float) -> Array:
    """The q at which `edge_curve` passes σ_b, shape (points,)."""

    def excess(log_q: Array, _: NDArray[np.intp]) -> Array:
        q = np.exp(log_q)
        return (_edge_variances(phi, q)[1] - sigma_b**2) / q

    q = np.exp(bracketed_roots(excess, *_brackets(phi, sigma_b)))
    return np.append(q, 0.0) if _begins_at_zero(phi, sigma_b) else q


def _brackets(phi: Activation, sigma_b: float) -> tuple[Array, Array]:
    """The ln q between which `edge_curve` passes σ_b."""
    beyond = (_edge_on_grid(phi)[1] - sigma_b**2) / GRID
    (certain,) = np.nonzero(np.abs(beyond) > _ROUNDING)
    (changes,) = np.nonzero(np.diff(np.sign(beyond[certain])))
    return np.log(GRID[certain[changes]]), np.log(GRID[certain[changes + 1]])


def _begins_at_zero(phi: Activation, sigma_b: float) -> bool:
    """Whether q = 0 is a fixed point."""
    return sigma_b == 0 and bool(second_moment(phi, 0.0) == 0)


def _edge_variances(phi: Activation, q: Array) -> tuple[Array, Array]:
    """σ_w² and σ_b² for χ₁ = 1 and the fixed point q; σ_b² may come out negative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weight_variance = 1 / np.asarray(derivative_second_moment(phi, q))
        return weight_variance, q - weight_variance * second_moment(phi, q)


@lru_cache(maxsize=64)
def _edge_on_grid(phi: Activation) -> tuple[Array, Array]:
    return _edge_variances(phi, GRID)
