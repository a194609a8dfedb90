"""The mean square of a gradient through x + α φ(a @ x + b) at finite width.

At infinite width, a layer multiplies it by 1 + α² σ_w² E φ′². Where φ has a mean, the Jacobian of a
network of such layers has one direction that stands out: from x at its input to the vector of ones
at its output. It carries 1/n of a gradient and grows as x does. It outgrows the rest unless n is
large beside p_L/p_0 over the product of the factors.

Reference: Yang & Schoenholz 2017, arXiv:1712.08969, for infinite width; the recursion for a finite
one follows from Bolthausen 2014, arXiv:1201.2891.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from .block import Block, Signal
from .unit_moments import UnitMoments


@dataclass(frozen=True)
class ResidualGradient:
    """Mean squares at layers 0 … L, float64 of shape (L + 1,), for δ_L ~ N(0, 1).

    Attributes:
        log2_rms: log2 √(E δ²) over units, weights and δ_L at width n.
        log2_rms_wide: the same at infinite width.
        log2_signal_rms: log2 √p of x at infinite width.
        width: n.
    """

    log2_rms: Array
    log2_rms_wide: Array
    log2_signal_rms: Array
    width: int

    @property
    def least_width(self) -> Array:
        """p_L/p_k over the product of the factors of layers k + 1 … L, for every layer k.

        Infinite width describes the gradient at layer k only for widths far above it.
        """
        grown = self.log2_signal_rms[-1] - self.log2_signal_rms
        return np.asarray(np.exp2(np.minimum(2 * (grown - self.log2_rms_wide), 1000.0)))

    @property
    def octaves_off(self) -> Array:
        """By how much log2 rms at width n exceeds that at infinite width, for every layer."""
        return np.asarray(self.log2_rms - self.log2_rms_wide)


def mean_square_gradient(e: Experiment) -> ResidualGradient:
    """The mean square of the gradient at every layer, up to O(1/n) of itself per layer.

    Args:
        e: the question: fresh independent weights, one input, branch product, skip, no norm.

    Raises:
        ValueError: the layer is another one.
    """
    if e.branch != "product" or e.skip == "none" or e.norm != "none":
        raise ValueError("e must have branch product, a skip and no norm")
    block = Block.of(e)
    signals = [_start(e)]
    for _ in range(e.depth):
        signals.append(_on(block, signals[-1]))
    sizes = np.array([x.ln_square[0] for x in signals]) / 2
    second = np.diag([1.0, 1.0, max(e.width - 2.0, 0.0)])  # of the two components; of the rest
    scale, finite, wide = 0.0, [0.0], [0.0]
    for x, total in zip(signals[-2::-1], signals[:0:-1], strict=True):
        second, gain = _back(block, x, total, second)
        size = np.trace(second)
        second, scale = second / size * e.width, scale + np.log(size / e.width) / 2
        finite.append(scale)
        wide.append(wide[-1] + np.log1p(gain) / 2)
    octave = np.log(2)
    at_n, at_infinity = (np.array(each[::-1]) / octave for each in (finite, wide))
    return ResidualGradient(at_n, at_infinity, sizes / octave, e.width)


def _start(e: Experiment) -> Signal:
    mean, square = e.source.mean(e.width), e.source.square(e.width)
    scale = np.array([np.log(e.input_scale)])
    return Signal.scaled(scale, np.array([mean]), np.array([square - mean**2]))


def _on(block: Block, x: Signal) -> Signal:
    """One layer on, at infinite width."""
    m = UnitMoments(block.activation, block.after_product(x.ln_square)[0])
    ln_added = block.ln_factor + m.ln_square / 2
    scale = np.maximum(x.ln_square / 2, ln_added)
    own, added = np.exp(x.ln_square / 2 - scale), np.exp(ln_added - scale)
    variance = own**2 * x.variance + added**2 * m.variance
    return Signal.scaled(scale, own * x.mean + added * m.mean, variance)


def _back(block: Block, x: Signal, total: Signal, second: Array) -> tuple[Array, float]:
    """One layer back: second moments of δ's components, and the gain α² σ_w² E φ′².

    ``second`` has those of the components along the centred x and along the vector of ones in its
    first two rows and columns, and the square of the rest in its last element.
    """
    n = block.width
    ln_v, shares = block.after_product(x.ln_square)
    m, share = UnitMoments(block.activation, ln_v), float(shares[0])
    gain = float(np.exp(2 * (block.ln_factor + np.log(block.sigmas[0])) + m.ln_slope[0]))
    cosine = min(float(np.exp((x.ln_variance - total.ln_variance)[0] / 2)), 1.0)
    sine = np.sqrt(1 - cosine**2)
    onto, free = _onto_h(m, sine, cosine)
    square = _square(m, sine, cosine, second, n)
    along, ones, rest = np.diag(second)
    vary = free * (rest + ones) + float(m.zd_square[0]) * cosine**2 * along
    vary = share * vary + (1 - share) * square
    ahead = np.array([x.variance[0] ** 0.5, x.mean[0]])
    across = np.array([-ahead[1], ahead[0]])
    # From the components, and the chance component of the rest along x, to the components.
    matrix = np.sqrt(gain * share) * np.outer(ahead, onto)
    matrix += np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0]])
    inner = second.copy()
    inner[2, 2] = rest / n
    found = np.zeros((3, 3))
    found[:2, :2] = matrix @ inner @ matrix.T
    found[:2, :2] += gain / n * (vary * np.outer(ahead, ahead) + square * np.outer(across, across))
    kept = along + rest - cosine**2 * along - sine**2 * rest / n
    found[2, 2] = kept + gain * square * (n - 2) / n
    return found, gain


def _onto_h(m: UnitMoments, sine: float, cosine: float) -> tuple[Array, float]:
    """h ∘ φ′ over √(n v E φ′²): its components along the centred sum, along ones and along what x
    has across the sum; and the square of all others.
    """
    onto_phi = float(((m.z_phi_d - m.mean * m.zd) / np.sqrt(m.variance))[0])
    zd = float(m.zd[0])
    free = float(m.zd_square[0]) - zd**2 - onto_phi**2
    return np.array([onto_phi * sine, zd, -onto_phi * cosine]), max(free, 0.0)


def _square(m: UnitMoments, sine: float, cosine: float, second: Array, n: int) -> float:
    """E |φ′ ∘ δ|² over E φ′²."""
    of_phi = float(((m.phi_square_dd - 2 * m.mean * m.phi_dd + m.mean**2) / m.variance)[0])
    both = float(((m.phi_dd - m.mean) / np.sqrt(m.variance))[0])
    along = second[0, 0] * (cosine**2 + sine**2 * of_phi)
    left = (
        1 - sine**2 * (of_phi - 1) / n
    )  # the rest has no part along the directions that are known
    return float(along + second[1, 1] + second[2, 2] * left + 2 * sine * second[0, 1] * both)
