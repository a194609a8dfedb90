"""Shares of saturated, near-zero and dead units, and of the mean, per layer at width → ∞.

There h is normal over units; for a unit it is normal over the inputs of a batch too, with one
correlation between any two of them. The shares are probabilities of intervals of h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..layer.activations import Activation
from ..layer.elementwise import Elementwise
from ..layer.norm import Norm
from ..layer.operation import MICROSECOND, LogMoments, Operation
from ..layer.product import Product
from ..layer.skip import Skip
from ..layer.unit_sets import NEAR_ZERO, flat_set, near_zero_set, zero_set
from ..maths.arrays import LOG2, Array
from ..maths.level_sets import Intervals
from ..maths.quadrature import gaussian_expectation_at
from ..question.experiment import Experiment
from .profile import moments_of_layers

_LAWS = ("gaussian", "independent", "orthogonal")  # of weights whose products are normal
_BAND = Intervals(np.array([-NEAR_ZERO]), np.array([NEAR_ZERO]))
_MANY, _SEEN = 16, 64.0  # an oscillating φ has so many intervals; they are known up to this |h|
_CLIPPED = 80.0  # octaves of a variance
_ROUNDED = 0.01  # a share of zeros by rounding that would be seen
_LEAST = 1e-12  # a smaller probability, or a correlation so near to 0 or 1, is taken as 0 or 1
_TURNS = (-8.0, -5.0, -3.0, -1.5, 0.0, 1.5, 3.0, 5.0, 8.0)  # where the integrand over t turns
# Microseconds: of all layers, of one, of one whose inputs are coupled by a closed form, and else.
_ONCE, _LAYER, _COUPLES, _BY_QUADRATURE = 500.0, 80.0, 700.0, 4000.0
_PIECES = 28  # cuts of φ that double the time of its quadrature in two dimensions
_MOST = 1000.0  # octaves of a std: a larger one is beyond every interval


@dataclass(frozen=True)
class Shares:
    """Shares at layers 0 … L for width → ∞, float64 of shape (depth + 1,), NaN where unknown.

    Names and definitions are those of STATISTICS.

    Attributes:
        flat: P(|φ′(h)| < 0.06) of the layer's activation; NaN at layer 0.
        near_zero: P(|x| ≤ 0.05).
        dead: P(φ(h) = 0 for every input of the batch), without rounding; NaN at layer 0.
        mean_share: (E x)²/E x²; NaN where x is zero.
    """

    flat: Array
    near_zero: Array
    dead: Array
    mean_share: Array


def shares(experiment: Experiment) -> Shares:
    """The shares at infinite width, with the moments of `profile` and what these leave out.

    The shares of one network of n units scatter around them: those of one input by √(p(1 − p)/n)
    and more. They are NaN

    - for an initialiser without a law, and for one matrix at every step in layers with a skip, a
      norm or another branch;
    - of sets with intervals too short to be found, as those of a sine that turns quickly;
    - of zeros that float32 has and φ has not: torch's GELU is 0 far below zero;
    - of x, where it is neither φ(h) nor normal: where outputs of φ add up in a skip, behind a norm
      that follows φ, and for inputs that are not normal;
    - of h, where it is not normal: right behind a batch norm, and where x is h and not normal.

    Args:
        experiment: the question; its seed and its number format are not used.

    Reference: Poole et al. 2016, arXiv:1606.05340, for the correlation of two inputs.
    """
    e = experiment
    has_law = e.layer.product.law in _LAWS or e.weight_std == 0
    if not has_law or (e.weights == "tied" and not e.layer.is_plain):
        unknown = np.full(e.depth + 1, np.nan)
        return Shares(unknown, unknown, unknown, unknown)
    x, h = _moments(e, couples=False)
    h_is_normal, x_is_normal = np.array(list(_are_normal(e))).T
    phi = e.layer.elementwise.phi
    near_zero = np.where(x_is_normal, _probability(_BAND, x.square), np.nan)
    if isinstance(e.layer.operations[-1], Elementwise):
        near_zero[1:] = _probability(near_zero_set(phi), h.square)[1:]
        near_zero[1:][~h_is_normal[1:]] = np.nan
    flat, dead = _probability(flat_set(phi), h.square), _dead(e, zero_set(phi), h)
    for share in (flat, dead):
        share[~h_is_normal] = np.nan
    mean_share = np.where(np.isneginf(x.square), np.nan, x.mean**2)
    return Shares(flat, near_zero, dead, mean_share)


def work(experiment: Experiment) -> float:
    """The multiply-adds of ``shares``, from above: tables of φ that are kept are left out."""
    e = experiment
    silent = zero_set(e.phi)
    has_dead = e.batch_size > 1 and bool((silent.high - silent.low > _LEAST).any())
    if not has_dead and e.norm != "batch":
        return (_ONCE + _LAYER * e.depth) * MICROSECOND
    closed = getattr(e.phi.closed_form, "cross_moment", None) is not None
    by_quadrature = _BY_QUADRATURE * (1 + (len(e.phi.kinks) / _PIECES) ** 2)
    return (_ONCE + (_COUPLES if closed else by_quadrature) * e.depth) * MICROSECOND


def _moments(e: Experiment, *, couples: bool) -> tuple[LogMoments, LogMoments]:
    """The moments of x and of h at layers 0 … L, in octaves; h has none at layer 0: NaN."""
    x = moments_of_layers(e, couples=couples)
    shared = x.shared[:-1] if couples or e.norm == "batch" else None
    before = LogMoments(x.square[:-1], x.mean[:-1], shared)
    with np.errstate(invalid="ignore"):  # −∞ + ∞, of a signal that is zero
        h = _before_phi(e.layer, before)
    square, shared = (np.append(np.nan, np.nan if m is None else m) for m in (h.square, h.shared))
    return x, LogMoments(square, None, shared)


def _before_phi(operations: Iterable[Operation], m: LogMoments) -> LogMoments:
    """The moments of the first activation's input, or of the output if there is none."""
    for op in operations:
        if isinstance(op, Skip):
            return _before_phi(op.branch, m)
        if isinstance(op, Elementwise):
            break
        m = op.log_moments(m, LOG2)
    return m


def _are_normal(e: Experiment) -> Iterator[tuple[bool, bool]]:
    """Whether h and x are centred normal over units, at layers 0 … L; there is no h at 0."""
    x = e.input == "normal"
    yield False, x
    for layer in range(1, e.depth + 1):
        one_weight = layer == 1 and e.input == "one_hot" and e.layer.product.law == "independent"
        h, x = _pass(e.layer, x, not one_weight)
        yield h, x


def _pass(operations: Iterable[Operation], x: bool, products: bool) -> tuple[bool, bool]:
    """Whether h, and what comes out, are normal; ``x``: what enters; ``products``: a @ x is."""
    h = True
    for op in operations:
        if isinstance(op, Skip):
            h, added = _pass(op.branch, x, products)
            x = x and added
        elif isinstance(op, Elementwise):
            h, x = x, False
        elif isinstance(op, Product):
            x = products
        elif isinstance(op, Norm) and op.over == "inputs":
            x = False
    return h, x


def _probability(where: Intervals, log2_square: Array) -> Array:
    """P(h in one of the intervals) for normal h; NaN where it is not known."""
    std = _std(log2_square)
    found = where.probability(0.0, std)
    beyond = Intervals(np.array([-np.inf, _SEEN]), np.array([-_SEEN, np.inf]))
    if len(where.low) > _MANY:
        found = np.where(beyond.probability(0.0, std) > _LEAST, np.nan, found)
    return np.where(np.isnan(log2_square), np.nan, found)


def _std(log2_square: Array) -> Array:
    return np.exp2(np.minimum(log2_square / 2, _MOST))


def _dead(e: Experiment, silent: Intervals, h: LogMoments) -> Array:
    """P(h of every input in the set where φ is 0) at layers 0 … L."""
    one = _probability(silent, h.square)
    one = np.where(_rounded_to_zero(e.phi, h.square) - one > _ROUNDED, np.nan, one)
    open_ = (one > _LEAST) & (one < 1 - _LEAST)
    if e.batch_size == 1 or not open_.any():
        return one
    _, h = _moments(e, couples=True)
    found, std = one.copy(), _std(h.square)
    for k in np.flatnonzero(open_):
        found[k] = _all_in(silent, float(std[k]), float(h.shared[k]), e.batch_size, float(one[k]))
    return found


def _rounded_to_zero(phi: Activation, log2_square: Array) -> Array:
    """P(φ(h) = 0) in float32: torch's GELU is 0 far below zero, where Φ is too small."""
    q = np.exp2(np.clip(np.nan_to_num(log2_square), -_CLIPPED, _CLIPPED))
    return gaussian_expectation_at(lambda h: (phi(h.float()) == 0).double(), q, breaks=phi.kinks)


def _all_in(where: Intervals, std: float, c: float, inputs: int, one: float) -> float:
    """P(all of several normal numbers with pairwise correlation c in the set); NaN for c < 0.

    Given t ~ N(0, 1), they are independent, with mean √c t and variance 1 − c, times the std.

    Args:
        where: the set.
        std: of each number.
        c: the correlation.
        inputs: how many numbers.
        one: the probability of one of them.
    """
    if not c >= -_LEAST:
        return np.nan
    if c < _LEAST or c > 1 - _LEAST:
        return one if c > _LEAST else one**inputs
    common, own = std * c**0.5, std * (1 - c) ** 0.5

    def given(t: Tensor) -> Tensor:
        return torch.from_numpy(where.probability(common * t.numpy(), own) ** inputs)

    ends = [end for end in (*where.low, *where.high) if np.isfinite(end)]
    breaks = tuple((end + turn * own) / common for end in ends for turn in _TURNS)
    return float(gaussian_expectation_at(given, 1.0, breaks=breaks))
