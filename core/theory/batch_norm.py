"""The way there and back through layers with batch norm and no skip, for a finite batch.

Batch norm couples the inputs of a batch: it takes off what all inputs share, and what is left of
one unit is a point on a sphere. φ′ and the size by which the norm divides belong to the same unit,
so that they do not part into factors. The gradient at the output is independent between inputs.

Reference: Yang et al. 2019, arXiv:1902.08129.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ..layer.activations import Activation
from ..layer.moments import cross_moment, derivative_second_moment, second_moment
from ..layer.norm import EPSILON
from ..maths.arrays import Array
from ..question.experiment import Experiment

LEAST_INPUTS = 4
"""Up to three inputs, the mean square of the gradient is infinite, or 0 but for ε."""

_RADII, _ANGLES = 24, 2**14
_SAMPLED = 2**19  # elements of a sample of units


@dataclass(frozen=True)
class Gradients:
    """Ratios of E δ² through layers with batch norm.

    Attributes:
        last: from the last layer to the one before, where the gradient is independent between
            inputs.
        inner: from any layer to the one before.
        first: likewise, at the first layer, whose input is new.
        only: through a network of one layer.
    """

    last: float
    inner: float
    first: float
    only: float


@dataclass(frozen=True)
class OnSphere:
    """Moments of φ(h) and φ(h′), two inputs of a unit that batch norm has normalised.

    Attributes:
        square: E φ(h)².
        cross: E φ(h)φ(h′).
        mean: E φ(h).
        derivative: E φ′(h)².
        derivative_cross: E φ′(h)φ′(h′).
        along: E h²φ′(h)².
        along_cross: E h h′φ′(h)φ′(h′).
    """

    square: float
    cross: float
    mean: float
    derivative: float
    derivative_cross: float
    along: float
    along_cross: float


@lru_cache(maxsize=64)
def on_sphere(phi: Activation, inputs: int) -> OnSphere:
    """The moments for a batch of so many inputs, at least 2, by quadrature over two of them.

    h = √B·u, where u is uniform on the unit sphere across (1, …, 1).
    """
    d, rho = inputs - 1, -1 / (inputs - 1)
    r, mass = np.ones(1), np.ones(1)
    if d > 2:  # of two of d coordinates: 1 − r² is uniform to the power 2/(d − 2)
        t, mass = np.polynomial.laguerre.laggauss(_RADII)
        r = np.sqrt(-np.expm1(-2 * t / (d - 2)))
    angle = (np.arange(_ANGLES) + 0.5) * (2 * np.pi / _ANGLES)
    if d == 1:
        angle = np.array([0.0, np.pi])
    x, y = (np.sqrt(d) * np.outer(r, f(angle)) for f in (np.cos, np.sin))
    one, two = x, rho * x + np.sqrt(1 - rho**2) * y
    value, slope = (
        [f(torch.from_numpy(h)).numpy() for h in (one, two)] for f in (phi, phi.derivative)
    )

    def mean(values: Array) -> float:
        return float(mass @ values.mean(1))

    return OnSphere(
        mean(value[0] ** 2),
        mean(value[0] * value[1]),
        mean(value[0]),
        mean(slope[0] ** 2),
        mean(slope[0] * slope[1]),
        mean((one * slope[0]) ** 2),
        mean(one * two * slope[0] * slope[1]),
    )


def gradients(e: Experiment, apart: float, shared: float) -> Gradients | None:
    """The ratios of E δ²; None for layers whose finite batch has no known law.

    Known are φ(a @ x + b) and a @ φ(x) + b with batch norm at any place, without a skip, for at
    least LEAST_INPUTS. The two have the same operations in turn, and differ at the ends.

    Args:
        e: the question.
        apart: E x² − E x x′ of the input.
        shared: E x x′ of the input.
    """
    if e.norm != "batch" or e.skip != "none" or e.branch == "mlp":
        return None
    if e.batch_size < LEAST_INPUTS:
        return None
    variance, is_product = e.sigma_w**2, e.branch == "product"
    if e.norm_place == ("inside" if is_product else "before"):
        return _in_front_of_phi(e, variance * apart if is_product else apart)
    if e.norm_place == ("after" if is_product else "inside"):
        first = (variance * apart, e.bias_std**2) if is_product else (apart, shared)
        return _behind_phi(e, _unit(e.phi, e.batch_size, *first))
    return _before(e, apart) if is_product else _after(e, apart, shared)


def _in_front_of_phi(e: Experiment, apart: float) -> Gradients:
    """φ(norm(·)): a's size and b drop out, but for ε; ``apart`` is of the first norm's input."""
    inputs, of = e.batch_size, on_sphere(e.phi, e.batch_size)
    rest, passed = 1 - 1 / inputs, _passed(of, inputs)
    independent = rest * of.derivative - of.along / inputs
    variance = e.sigma_w**2
    inner = _per_square(inputs, variance * (of.square - of.cross)) * variance
    first = _per_square(inputs, apart) * variance
    return Gradients(inner * independent, inner * passed, first * passed, first * independent)


def _after(e: Experiment, apart: float, shared: float) -> Gradients:
    """x → norm(a @ φ(x) + b): φ′ and the norm behind x are of the same unit."""
    inputs, of = e.batch_size, on_sphere(e.phi, e.batch_size)
    rest, variance = 1 - 1 / inputs, e.sigma_w**2
    q, phi = apart + shared, e.phi
    entered = float(second_moment(phi, q)) - float(cross_moment(phi, q, q, shared))
    slope = float(derivative_second_moment(phi, q))
    inner = _per_square(inputs, variance * (of.square - of.cross)) * variance
    first = _per_square(inputs, variance * entered) * variance
    independent = (inputs - 2) / (inputs - 1) * rest
    passed = _passed(of, inputs)
    return Gradients(
        inner * independent * of.derivative,
        inner * passed,
        first * passed * slope / of.derivative if of.derivative else 0.0,
        first * independent * slope,
    )


def _passed(of: OnSphere, inputs: int) -> float:
    """E tr[(G − uuᵀ) D G D]/(B − 1), where G takes off the mean over inputs and D is φ′."""
    rest = 1 - 1 / inputs
    trace = inputs * rest**2 * of.derivative + rest * of.derivative_cross
    return (trace - rest * (of.along - of.along_cross)) / (inputs - 1)


def _per_square(inputs: int, variance: float) -> float:
    """E 1/s² for s² = variance·χ²/inputs with inputs − 1 degrees of freedom, where ε is small."""
    return inputs / ((inputs - 3) * variance) if variance > 0 else float("inf")


@dataclass(frozen=True)
class _Unit:
    """Averages over one unit x = φ(h) of D N² D, where D is φ′(h) and N the norm's Jacobian at x.

    Attributes:
        diagonal: of its diagonal.
        across: of its other elements.
        square: of the diagonal of N² alone.
        derivative: of φ′².
    """

    diagonal: float
    across: float
    square: float
    derivative: float


@lru_cache(maxsize=64)
def _unit(phi: Activation, inputs: int, apart: float, shared: float) -> _Unit:
    """The averages over sampled units, for h = independent parts + a part that inputs share.

    Args:
        phi: the activation.
        inputs: B.
        apart: the variance of the independent parts.
        shared: the variance of the shared part; it may be negative, down to −apart/B.
    """
    units = max(64, _SAMPLED // inputs)
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(units, inputs, generator=generator, dtype=torch.float64)
    mean = h.mean(1, keepdim=True)
    common = max(0.0, apart / inputs + shared) ** 0.5 * inputs**0.5
    h = apart**0.5 * (h - mean) + common * mean
    x, d = phi(h), phi.derivative(h)
    x = x - x.mean(1, keepdim=True)
    inverse = (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()
    x = x * inverse
    twice = 2 - x.square().mean(1, keepdim=True)
    diagonal = inverse**2 * (1 - 1 / inputs - twice * x**2 / inputs)
    whole = (d**2).sum(1) - d.sum(1) ** 2 / inputs - twice[:, 0] * (x * d).sum(1) ** 2 / inputs
    of_diagonal = (d**2 * diagonal).sum(1)
    across = (inverse[:, 0] ** 2 * whole - of_diagonal) / (inputs * (inputs - 1))
    return _Unit(
        float(of_diagonal.mean()) / inputs,
        float(across.mean()),
        float(diagonal.mean()),
        float((d**2).mean()),
    )


def _normalised(e: Experiment) -> _Unit:
    """A unit behind a product of a normalised signal: E x² = 1, E x x′ = −1/(B − 1)."""
    rho, variance = -1 / (e.batch_size - 1), e.sigma_w**2
    return _unit(e.phi, e.batch_size, variance * (1 - rho), variance * rho + e.bias_std**2)


def _before(e: Experiment, apart: float) -> Gradients:
    """x → φ(a @ norm(x) + b): φ′ of a layer and the next layer's norm are of the same unit."""
    unit, variance, inputs = _normalised(e), e.sigma_w**2, e.batch_size
    # Of the input, which is normal: the norm takes two of B directions off.
    entered = (inputs - 2) / inputs * _per_square(inputs, apart)
    kept = variance * (unit.diagonal - unit.across)
    into, last = kept / unit.square, variance * unit.derivative
    return Gradients(last * unit.square, into * unit.square, into * entered, last * entered)


def _behind_phi(e: Experiment, first: _Unit) -> Gradients:
    """norm(φ(·)); ``first`` is a unit of the first layer."""
    unit, variance = _normalised(e), e.sigma_w**2
    inner = variance * (unit.diagonal - unit.across)
    into = (unit.diagonal - unit.across) / unit.diagonal
    entered = variance * first.diagonal
    return Gradients(variance * unit.diagonal, inner, entered * into, entered)
