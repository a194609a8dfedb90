"""Expectations over normal variables, by Gauss–Legendre quadrature on panels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
import torch
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from torch import Tensor

from .arrays import Array

TensorFunction = Callable[[Tensor], Tensor]

_REACH = 12.0  # standard deviations: the probability beyond is 4e-33
_NODES_PER_PANEL = 100  # where panels are as wide as _REACH

# Panels end at places in z, which resolve the density, and at places in h = √q z that grow
# fourfold, which resolve functions of scale 1. Where f has a singularity at h = ±i or −1, it is far
# enough from every panel for 16 nodes to converge as 3^−32.
_PLACES_IN_Z = (-_REACH, -6.0, -3.0, 0.0, 3.0, 6.0, _REACH)
_GROWTH = 4.0
_FEW_NODES = 16  # per panel, in one dimension
_FEWER_NODES = 12  # per panel, in each of two dimensions
# Function values held at once: arrays of 4 MB, for any number of variances. Much smaller arrays
# would be slow on busy cores: torch splits even little work among threads, and has to wake them.
_VALUES_AT_A_TIME = 1 << 19


@lru_cache(maxsize=256)  # rules of 10 to 250 KB
@torch.inference_mode(False)  # nodes made in a run are used after it, also by autograd
def _rule(breaks: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Nodes on the panels between the breaks, and their weights times the density, float64."""
    nodes, weights = leggauss(_NODES_PER_PANEL)
    edges = np.unique(np.clip([-_REACH, *breaks, _REACH], -_REACH, _REACH))
    centers, halves = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    z = (centers[:, None] + halves[:, None] * nodes).ravel()
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return torch.from_numpy(z), torch.from_numpy((halves[:, None] * weights).ravel() * density)


def gaussian_expectation(function: TensorFunction, *, breaks: tuple[float, ...] = (0.0,)) -> float:
    """E[f(z)] for z ~ N(0, 1).

    The range is cut where f has a kink. A rule that runs across a kink converges too slowly to be
    trusted, and Gauss–Hermite quadrature cannot be cut.

    Args:
        function: f, elementwise on float64 tensors.
        breaks: the z at which f is not smooth.

    Returns:
        The expectation. Its relative error is about 1e-12 if f is smooth between the breaks and
        grows no faster than a polynomial.
    """
    z, weights = _rule(breaks)
    return float((weights * function(z)).sum())


def gaussian_expectation_at(
    function: TensorFunction, q: ArrayLike, *, breaks: tuple[float, ...] = (0.0,)
) -> Array:
    """E[f(√q z)] for z ~ N(0, 1), at every q.

    The panels are cut at fixed places in z, which resolve the density, and at fixed places in
    h = √q z, which resolve f. At large q, the whole of a saturating f′ lies in an interval around
    z = 0 that is too narrow for a rule in z alone.

    Args:
        function: f, elementwise on float64 tensors of h of any shape.
        q: variances of h, any shape, finite and not negative.
        breaks: the h at which f is not smooth.

    Returns:
        The expectations, float64, of q's shape; f(0) where q = 0. The relative error is about
        1e-11 for q up to 1e12 if f grows no faster than a polynomial and, between the breaks, is
        smooth at a scale of 1 around zero and of |h| far from it. An f that oscillates is not
        integrated to this accuracy.

    Raises:
        ValueError: q is negative or not finite.
    """
    variances = np.array(q, dtype=np.float64)
    if not ((variances >= 0) & np.isfinite(variances)).all():
        raise ValueError("q must be finite and at least 0: it is a variance")
    flat, result = variances.ravel(), np.empty(variances.size)
    places = _places_in_h(breaks, float(flat.max(initial=0.0)))
    at_a_time = _VALUES_AT_A_TIME // ((len(_PLACES_IN_Z) + len(places)) * _FEW_NODES) or 1
    for start in range(0, flat.size, at_a_time):
        chunk = slice(start, start + at_a_time)
        result[chunk] = _expectation(function, np.sqrt(flat[chunk]), places)
    return result.reshape(variances.shape)


def _places_in_h(breaks: tuple[float, ...], largest_q: float) -> Array:
    """The breaks, and ±1, ±4, ±16, … up to the largest √q z."""
    farthest = _REACH * np.sqrt(largest_q)
    steps = max(0, int(np.ceil(np.log(max(farthest, 1.0)) / np.log(_GROWTH))))
    outward = _GROWTH ** np.arange(steps)
    return np.setdiff1d([*breaks, *outward, *-outward], [0.0])  # zero is among the places in z


def _expectation(function: TensorFunction, std: Array, places: Array) -> Array:
    """E[f(std z)] for each std of a vector."""
    z, weights = _nodes(_edges(places / np.maximum(std, 1e-300)[:, None]), _FEW_NODES)
    values = function(torch.from_numpy(std[:, None] * z)).numpy()
    at_zero = function(torch.zeros(1, dtype=torch.float64)).numpy()
    return np.where(std > 0, np.einsum("ij,ij->i", weights, values), at_zero)


def gaussian_product_expectation(
    function: TensorFunction,
    a: ArrayLike,
    b: ArrayLike,
    r: ArrayLike,
    *,
    breaks: tuple[float, ...] = (0.0,),
) -> Array:
    """E[f(u₁) f(u₂)] for centred normal (u₁, u₂) with variances a, b and covariance r.

    Let c be the correlation r/√(ab) and s = √(1 − c²). With u₁ = √a z₁ and u₂ = √b (c z₁ + s z₂),
    the breaks of f(u₂) are oblique lines in the plane of z₁ and z₂. The inner rule, over z₂, is cut
    where these lines cross its row. The inner integral changes quickly within a few s/c of
    z₁ = break/(c√b), and the outer rule is cut around these places too.

    Args:
        function: f, elementwise on float64 tensors of any shape.
        a: variances of u₁, finite and not negative.
        b: variances of u₂, finite and not negative.
        r: covariances, |r| ≤ √(ab) but for rounding. a, b and r broadcast.
        breaks: the u at which f is not smooth.

    Returns:
        The expectations, float64, of the common shape. The error is about 1e-8 of
        √(E[f(u₁)²] E[f(u₂)²]) for every f that gaussian_expectation_at integrates accurately,
        also at |r| = √(ab).
    """
    triple = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (a, b, r)))
    flat_a, flat_b, flat_r = (value.ravel() for value in triple)
    result = np.empty(flat_a.size)
    places = _places_in_h(breaks, float(max(flat_a.max(initial=0.0), flat_b.max(initial=0.0))))
    outer = (len(_PLACES_IN_Z) + 2 * len(places) + 4 * len(breaks)) * _FEWER_NODES
    inner = (len(_PLACES_IN_Z) + len(places) + 1) * _FEWER_NODES
    at_a_time = _VALUES_AT_A_TIME // (outer * inner) or 1
    for start in range(0, flat_a.size, at_a_time):
        chunk = slice(start, start + at_a_time)
        laws = flat_a[chunk], flat_b[chunk], flat_r[chunk]
        result[chunk] = _product_expectation(function, *laws, places, breaks)
    return result.reshape(triple[0].shape)


def _product_expectation(
    function: TensorFunction, a: Array, b: Array, r: Array, places: Array, breaks: tuple[float, ...]
) -> Array:
    """E[f(u₁) f(u₂)] for vectors of a, b and r."""
    std_1, std_2 = (np.maximum(np.sqrt(value), 1e-100)[:, None] for value in (a, b))
    c = r[:, None] / (std_1 * std_2)
    # At full correlation s must be 0: the last bits of c would make it 1e-8.
    c = np.where(np.abs(c) > 1 - 1e-15, np.sign(c), c)
    s = np.sqrt((1 - c) * (1 + c))
    slope = np.where(c < 0, -1.0, 1.0) * np.maximum(np.abs(c), 1e-30)
    near_breaks = [(k / std_2 + m * s) / slope for k in breaks for m in (-8.0, -3.0, 3.0, 8.0)]
    edges_1 = _edges(places / std_1, places / std_2 / slope, *near_breaks)
    z_1, weights_1 = _nodes(edges_1, _FEWER_NODES)

    lines = np.append(places, 0.0) / std_2
    cuts = (lines[:, None, :] - (c * z_1)[:, :, None]) / np.maximum(s, 1e-30)[:, :, None]
    z_2, weights_2 = _nodes(_edges(cuts.reshape(-1, lines.shape[1])), _FEWER_NODES)
    shape = (*z_1.shape, -1)
    u_2 = std_2[:, :, None] * ((c * z_1)[:, :, None] + s[:, :, None] * z_2.reshape(shape))
    inner = (weights_2.reshape(shape) * function(torch.from_numpy(u_2)).numpy()).sum(2)
    return (weights_1 * function(torch.from_numpy(std_1 * z_1)).numpy() * inner).sum(1)


def _edges(*columns: Array) -> Array:
    """The places in z joined with other columns of edges, shape (rows, all columns)."""
    in_z = np.broadcast_to(_PLACES_IN_Z, (len(columns[0]), len(_PLACES_IN_Z)))
    return np.concatenate([in_z, *columns], axis=1)


def _nodes(edges: Array, per_panel: int) -> tuple[Array, Array]:
    """Nodes between each row's edges, and their weights times the density, shape (rows, nodes)."""
    nodes, weights = _legendre(per_panel)
    cuts = np.sort(np.clip(edges, -_REACH, _REACH), axis=1)
    halves = np.diff(cuts)[:, :, None] / 2
    z = (cuts[:, :-1, None] + halves * (1 + nodes)).reshape(len(cuts), -1)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return z, (halves * weights).reshape(z.shape) * density


@cache
def _legendre(count: int) -> tuple[Array, Array]:
    nodes, weights = leggauss(count)
    return nodes, weights
