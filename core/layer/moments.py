"""Moments of an activation under a normal law: closed forms where known, else quadrature.

Throughout, phi is an `Activation` or its registry name. If all numbers given are scalars, the
result is a float. Otherwise they broadcast, and the result is a float64 array of the common shape.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..maths.arrays import Array, Numbers
from ..maths.closed_forms import OfVariance
from ..maths.quadrature import (
    TensorFunction,
    gaussian_expectation_at,
    gaussian_product_expectation,
)
from ..text import shown
from .activations import ACTIVATIONS, Activation
from .named_activation import OPEN, activation_of

Phi: TypeAlias = Activation | str

_ROUNDING = 1e-12  # of √(ab): rounding may take a covariance c·√(ab) so far beyond √(ab)
_LAST_BITS = 1e-15  # of √(ab): a covariance this close to √(ab) counts as √(ab)
_ALMOST_ZERO = 1e-60  # a variance that stands for q → 0: φ′ at ±√q has its one-sided limits


def activation(phi: Phi) -> Activation:
    """phi itself, or the activation with that name; see `activation_of`.

    Raises:
        ValueError: phi is neither an `Activation` nor a name of one.
    """
    if isinstance(phi, Activation):
        return phi
    why = ""
    if isinstance(phi, str):
        try:
            return activation_of(phi)
        except ValueError as error:
            why = f" ({error})" if str(error) else ""
    names = ", ".join(ACTIVATIONS)
    raise ValueError(f"phi must be an Activation or one of {names}; {OPEN}; got {shown(phi)}{why}")


def arrays(minimum: float = 0.0, maximum: float = np.inf, **values: Numbers) -> tuple[Array, ...]:
    """The named values as float64 arrays, broadcast to one shape.

    Args:
        minimum: the least value allowed.
        maximum: the largest value allowed.
        **values: a scalar or an array for each name that an error may mention.

    Raises:
        ValueError: a value is not a finite number within the bounds; the message names it.
    """
    if maximum < np.inf:
        bounds = f"a number from {minimum:g} to {maximum:g}"
    else:
        bounds = "a number" if minimum == -np.inf else f"a number of at least {minimum:g}"
    checked = []
    for name, value in values.items():
        given = np.asarray(value)
        if given.dtype.kind not in "iuf":
            raise ValueError(f"{name} must be {bounds}; got {shown(value)}")
        numbers = given.astype(np.float64)
        wrong = ~(np.isfinite(numbers) & (numbers >= minimum) & (numbers <= maximum))
        if wrong.any():
            raise ValueError(f"{name} must be {bounds}; got {numbers[wrong][0]:g}")
        checked.append(numbers)
    return tuple(np.broadcast_arrays(*checked))


def plain(values: Array) -> Numbers:
    """A float for a 0-dimensional array; any other array unchanged."""
    return float(values) if values.ndim == 0 else values


def second_moment(phi: Phi, q: Numbers) -> Numbers:
    """E[φ(h)²] for h ~ N(0, q).

    The relative error is below 1e-10 for q ≤ 1e12, here and in the other moments of q alone.

    Args:
        phi: the activation, or its registry name.
        q: the second moment of the pre-activation, ≥ 0.

    Raises:
        ValueError: phi is unknown, or q is not a number of at least 0.
    """
    phi = activation(phi)
    return _of_variance(phi, "second_moment", q, lambda v: _expect(phi, lambda h: phi(h) ** 2, v))


def second_moment_slope(phi: Phi, q: Numbers) -> Numbers:
    """dE[φ(h)²]/dq in Stein's form E[h φ(h) φ′(h)]/q, which needs no second derivative of φ.

    At q = 0 it is the limit from above. Arguments and errors are those of `second_moment`.
    """
    phi = activation(phi)

    def quadrature(variance: Array) -> Array:
        # Where φ(0) ≠ 0, terms in ±√q cancel in the expectation: rounding leaves 1e-16 √q, which
        # must stay small beside q.
        least = _ALMOST_ZERO if second_moment(phi, 0.0) == 0 else 1e-10
        variance = np.maximum(variance, least)
        return _expect(phi, lambda h: h * phi(h) * phi.derivative(h), variance) / variance

    return _of_variance(phi, "second_moment_slope", q, quadrature)


def derivative_second_moment(phi: Phi, q: Numbers) -> Numbers:
    """E[φ′(h)²] for h ~ N(0, q).

    At q = 0 it is the limit from above, which does not depend on the value of φ′ at a kink.
    Arguments and errors are those of `second_moment`.
    """
    phi = activation(phi)

    def quadrature(variance: Array) -> Array:
        variance = np.maximum(variance, _ALMOST_ZERO)
        return _expect(phi, lambda h: phi.derivative(h) ** 2, variance)

    return _of_variance(phi, "derivative_second_moment", q, quadrature)


def fourth_moment(phi: Phi, q: Numbers) -> Numbers:
    """E[φ(h)⁴] for h ~ N(0, q); arguments and errors are those of `second_moment`."""
    phi = activation(phi)
    return _of_variance(phi, "fourth_moment", q, lambda v: _expect(phi, lambda h: phi(h) ** 4, v))


def mean(phi: Phi, q: Numbers) -> Numbers:
    """E[φ(h)] for h ~ N(0, q); arguments and errors are those of `second_moment`."""
    phi = activation(phi)
    return _of_variance(phi, "mean", q, lambda v: _expect(phi, phi.function, v))


def cross_moment(phi: Phi, a: Numbers, b: Numbers, r: Numbers) -> Numbers:
    """E[φ(u₁) φ(u₂)] for centred normal (u₁, u₂).

    It is a closed form where one is known, else a two-dimensional quadrature that is cut along the
    kinks. The error is below 1e-8 of √(E[φ(u₁)²] E[φ(u₂)²]) for variances up to 1e4. Quadrature
    takes some milliseconds per value.

    Args:
        phi: the activation, or its registry name.
        a: the variance of u₁, ≥ 0.
        b: the variance of u₂, ≥ 0.
        r: their covariance, |r| ≤ √(ab).

    Raises:
        ValueError: phi is unknown, or a, b or r is out of its range.
    """
    phi = activation(phi)
    return _of_covariance(phi, "cross_moment", phi.function, _covariance(a, b, r))


def derivative_cross_moment(phi: Phi, a: Numbers, b: Numbers, r: Numbers) -> Numbers:
    """E[φ′(u₁) φ′(u₂)] for centred normal (u₁, u₂).

    Arguments, errors and accuracy are those of `cross_moment`. Where a or b is 0, it is the limit
    from above along r = √(ab). Where φ has a kink, the slope in r is infinite at |r| = √(ab), and
    the last bit of r changes the result by 1e-8 there.
    """
    phi = activation(phi)
    a, b, r = _covariance(a, b, r)
    zero = (a == 0) | (b == 0)
    a, b = np.maximum(a, _ALMOST_ZERO), np.maximum(b, _ALMOST_ZERO)
    r = np.where(zero, _largest_covariance(a, b), r)
    return _of_covariance(phi, "derivative_cross_moment", phi.derivative, (a, b, r))


def _expect(phi: Activation, integrand: TensorFunction, variance: Array) -> Array:
    return gaussian_expectation_at(integrand, variance, breaks=phi.kinks)


def _of_variance(phi: Activation, name: str, q: Numbers, quadrature: OfVariance) -> Numbers:
    """The moment called ``name`` at q: its closed form where there is one, else ``quadrature``."""
    (given,) = arrays(q=q)
    formula = getattr(phi.closed_form, name, None) or quadrature
    with np.errstate(over="ignore"):  # a moment beyond float64 is inf
        return plain(formula(given.flatten()).reshape(given.shape))


def _covariance(a: Numbers, b: Numbers, r: Numbers) -> tuple[Array, Array, Array]:
    """a, b and r as arrays of one shape, r clipped to ±√(ab); ValueError where it is far beyond."""
    variance_1, variance_2 = arrays(a=a, b=b)
    (covariance,) = arrays(-np.inf, r=r)
    variance_1, variance_2, covariance = np.broadcast_arrays(variance_1, variance_2, covariance)
    most = _largest_covariance(variance_1, variance_2)
    wrong = np.abs(covariance) > most * (1 + _ROUNDING)
    if wrong.any():
        raise ValueError(
            f"r must be a number from -√(ab) to √(ab) = {most[wrong][0]:g};"
            f" got {covariance[wrong][0]:g}"
        )
    # Beside a kink the last bits of r would show, so nearly full correlation is made full.
    full = np.abs(covariance) >= most * (1 - _LAST_BITS)
    return variance_1, variance_2, np.where(full, np.copysign(most, covariance), covariance)


def _largest_covariance(a: Array, b: Array) -> Array:
    """√(ab), and exactly a where a = b."""
    return np.where(a == b, a, np.sqrt(a) * np.sqrt(b))


def _of_covariance(
    phi: Activation, name: str, function: TensorFunction, law: tuple[Array, Array, Array]
) -> Numbers:
    """The moment called ``name``: its closed form where there is one, else by quadrature."""
    a, b, r = (value.flatten() for value in law)
    formula = getattr(phi.closed_form, name, None)
    with np.errstate(over="ignore"):
        if formula is None:
            values = gaussian_product_expectation(function, a, b, r, breaks=phi.kinks)
        else:
            values = formula(a, b, r)
    return plain(values.reshape(law[0].shape))
