"""Moments of a unit φ(h) and of its slope φ′(h), h ~ N(0, v), as functions of ln v.

All but two are ratios that tend to constants for small and for large v, so that one table serves
every size of a signal.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..layer import moments as of_phi
from ..layer.moments import Phi
from ..layer.named_activation import activation_of
from ..layer.tails import PowerTails
from ..maths.arrays import Array
from ..maths.quadrature import TensorFunction, gaussian_expectation_at

_STEP = 0.05
_LN_V = np.arange(np.log(1e-8), np.log(1e6), _STEP)  # beyond it, moments are powers of v
_LEAST = 1e-300
_OVER = 40  # steps that show a power: an oscillating φ has errors that a few would show


class UnitMoments:
    """The moments at variances given by their logarithms, arrays of one shape.

    With z = h/√v, D = φ′, m = E φ and s² = Var φ:

    Attributes:
        ln_square: ln E φ².
        ln_slope: ln E D².
        mean: m/√(E φ²).
        variance: s²/E φ².
        skewness, kurtosis: E (φ − m)³/s³ and E (φ − m)⁴/s⁴.
        fourth: E φ⁴/(E φ²)².
        power: d ln E φ²/d ln v, which is E zφ√v D/E φ².
        bend: v² (d² E φ²/dv²)/E φ².
        tilt: E zφ²/E φ².
        mean_by_h, mean_by_square: E zφ and E (z² − 1)φ over √(E φ²).
        spread_by_h, spread_by_square: E z(φ − m)² and E (z² − 1)(φ − m)² over s².
        d: E D/√(E D²).
        d_tilt: E zD²/E D².
        zd, zd_square: E zD/√(E D²) and E z²D²/E D².
        phi_d, z_phi_d: E φD and E zφD over √(E φ² E D²).
        phi_dd, phi_square_dd: E φD²/(√(E φ²) E D²) and E φ²D²/(E φ² E D²).
        d_bend: v² (d² E D²/dv²)/E D².
        d_fourth: E D⁴/(E D²)².
    """

    names = (
        *("mean", "variance", "skewness", "kurtosis", "fourth", "power", "bend", "tilt"),
        *("mean_by_h", "mean_by_square", "spread_by_h", "spread_by_square"),
        *("d", "d_tilt", "zd", "zd_square", "phi_d", "z_phi_d", "phi_dd", "phi_square_dd"),
        *("d_bend", "d_fourth"),
    )

    ln_square: Array
    ln_slope: Array
    mean: Array
    variance: Array
    skewness: Array
    kurtosis: Array
    fourth: Array
    power: Array
    bend: Array
    tilt: Array
    mean_by_h: Array
    mean_by_square: Array
    spread_by_h: Array
    spread_by_square: Array
    d: Array
    d_tilt: Array
    zd: Array
    zd_square: Array
    phi_d: Array
    z_phi_d: Array
    phi_dd: Array
    phi_square_dd: Array
    d_bend: Array
    d_fourth: Array

    def __init__(self, activation: str, ln_v: Array) -> None:
        logs, ratios = _table(activation)
        self.ln_square, self.ln_slope = (each(ln_v) for each in logs)
        place = np.clip((ln_v - _LN_V[0]) / _STEP, 0, len(_LN_V) - 1.001)
        below = place.astype(np.int64)
        part = place - below
        found = ratios[:, below] * (1 - part) + ratios[:, below + 1] * part
        for name, values in zip(self.names, found, strict=True):
            setattr(self, name, values)


@lru_cache(maxsize=32)
def _table(activation: str) -> tuple[tuple[PowerTails, PowerTails], Array]:
    """The two logarithms, and the ratios on the grid in the order of their names."""
    phi, v = activation_of(activation), np.exp(_LN_V)
    square = np.maximum(of_phi.second_moment(phi, v), _LEAST)
    slope = np.maximum(of_phi.derivative_second_moment(phi, v), _LEAST)
    logs = [
        PowerTails.of(_LN_V, np.log(each), _OVER).with_half_powers() for each in (square, slope)
    ]
    ratios = _of_the_unit(phi, v, square) | _of_the_slope(phi, v, square, slope)
    return (logs[0], logs[1]), np.array([ratios[name] for name in UnitMoments.names])


def _of_the_unit(phi: Phi, v: Array, square: Array) -> dict[str, Array]:
    f = of_phi.activation(phi)
    start = float(f(torch.zeros((), dtype=torch.float64)))
    # Where h is small, moments of φ itself would lose the variation of φ in the rounding of φ(0).

    def expected(function: TensorFunction) -> Array:
        return gaussian_expectation_at(function, v, breaks=f.kinks)

    def above(k: int, by: int = 0) -> Array:
        """E zᵇʸ (φ − φ(0))ᵏ."""
        return expected(lambda h: h**by * (f(h) - start) ** k) / v ** (by / 2)

    m1, m2, m3, m4 = (above(k) for k in (1, 2, 3, 4))
    s2 = np.maximum(m2 - m1**2, np.maximum(1e-12 * m2, _LEAST))
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = np.maximum(m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4, s2**2)
    by_h, by_square = above(1, 1), above(1, 2) - m1
    root = np.sqrt(square)
    tilted = above(2, 1)
    power = of_phi.second_moment_slope(phi, v) * v / square
    return {
        "mean": (start + m1) / root,
        "variance": s2 / square,
        "skewness": third / s2**1.5,
        "kurtosis": fourth / s2**2,
        "fourth": np.maximum(np.asarray(of_phi.fourth_moment(phi, v)) / square**2, 1.0),
        "power": power,
        "bend": np.gradient(power, _LN_V) + power * (power - 1),
        "tilt": (tilted + 2 * start * by_h) / square,
        "mean_by_h": by_h / root,
        "mean_by_square": by_square / root,
        "spread_by_h": (tilted - 2 * m1 * by_h) / s2,
        "spread_by_square": (above(2, 2) - m2 - 2 * m1 * by_square) / s2,
    }


def _of_the_slope(phi: Phi, v: Array, square: Array, slope: Array) -> dict[str, Array]:
    f = of_phi.activation(phi)
    root, steep = np.sqrt(square), np.sqrt(slope)

    def expected(by: int, k: int, d: int) -> Array:
        """E zᵇʸ φᵏ Dᵈ."""
        found = gaussian_expectation_at(
            lambda h: h**by * f(h) ** k * f.derivative(h) ** d, v, breaks=f.kinks
        )
        return found / v ** (by / 2)

    zd_square = expected(2, 0, 2) / slope
    power = (zd_square - 1) / 2  # d ln E D²/d ln v, by Stein's lemma
    return {
        "d": expected(0, 0, 1) / steep,
        "d_tilt": expected(1, 0, 2) / slope,
        "zd": expected(1, 0, 1) / steep,
        "zd_square": zd_square,
        "phi_d": expected(0, 1, 1) / root / steep,
        "z_phi_d": expected(1, 1, 1) / root / steep,
        "phi_dd": expected(0, 1, 2) / root / slope,
        "phi_square_dd": expected(0, 2, 2) / square / slope,
        "d_bend": np.gradient(power, _LN_V) + power * (power - 1),
        "d_fourth": np.maximum(expected(0, 0, 4) / slope**2, 1.0),
    }
