"""The joint law of a signal at the output and of its gradient at the input, over networks.

For φ(s·h) = s·φ(h) without bias, x_k · δ_k = c is the same at every layer. Of δ there remains a
part across x, whose direction is uniform. So three numbers per layer follow one network: |x_k|, the
number m of units that φ lets pass, and |e_k| with e_k = φ′(h_k) ∘ δ_k. All networks are followed at
once, in logarithms, and no vector is drawn.

Reference: Bolthausen 2014, arXiv:1201.2891; Hanin & Nica 2018, arXiv:1812.05994.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment

NETWORKS = 4096
_SEED = 0
_AT_ONCE = 2**19  # networks times layers that are kept at once, in 8 MiB
_LEAST = 1e-300
_LN2 = np.log(2.0)


@dataclass(frozen=True)
class JointLaw:
    """Both sizes in many networks, float64 of shape (networks,).

    Networks whose signal dies on the way are left out.

    Attributes:
        log2_rms: log2 of the rms of x at the last layer.
        log2_gradient_rms: log2 of the rms of δ at layer 0, loss scale included.
    """

    log2_rms: Array
    log2_gradient_rms: Array

    @property
    def correlation(self) -> float:
        """The correlation of the two over networks; NaN where one of them does not vary."""
        if len(self.log2_rms) < 2 or not (np.ptp(self.log2_rms) and np.ptp(self.log2_gradient_rms)):
            return float("nan")
        return float(np.corrcoef(self.log2_rms, self.log2_gradient_rms)[0, 1])


def joint_law(e: Experiment, networks: int = NETWORKS) -> JointLaw | None:
    """The joint law of log2 rms of x_L and of δ_0, without the limits of a number format.

    It is exact for Gaussian and orthogonal weights, and right up to O(1/n) for others with
    independent entries. None is known for tied weights, several inputs, a bias, and any φ but those
    with φ(h) = c·h, c·|h| or 0 on each side of 0.

    Args:
        e: the question; its seed and its number format are not used.
        networks: how many are followed.
    """
    slopes, law = e.layer.elementwise.slopes, e.layer.product.law
    if not e.layer.is_plain or e.layer.degree != 1 or slopes is None or e.weight_std == 0:
        return None
    if e.weights == "tied" or e.batch_size > 1 or law == "other":
        return None
    low, high = sorted(abs(slope) for slope in slopes)
    if high == 0 or low not in (0.0, high):
        return None
    layer = _Layer(e.width, 2 * np.log(e.sigma_w), 2 * np.log(high), low == 0, law == "orthogonal")
    at_once = max(1, _AT_ONCE // e.depth)
    parts = [min(at_once, networks - done) for done in range(0, networks, at_once)]
    x, gradient = np.concatenate([layer.both(e.depth, part) for part in parts], axis=1)
    return JointLaw(layer.log2_rms(x), layer.log2_rms(gradient) + np.log2(e.loss_scale))


class _Layer:
    """One layer's random factors, by their logarithms.

    Args:
        n: the width.
        ln_w: ln σ_w².
        ln_slope: ln φ(1)².
        halves: whether φ makes 0 of every other unit.
        orthogonal: whether weights are orthogonal.
    """

    def __init__(
        self, n: int, ln_w: float, ln_slope: float, halves: bool, orthogonal: bool
    ) -> None:
        self._n, self._ln_w, self._ln_slope = n, ln_w, ln_slope
        self._halves, self._orthogonal = halves, orthogonal
        self._rng = np.random.default_rng(_SEED)

    def log2_rms(self, ln_square: Array) -> Array:
        """log2 of the rms of a vector, given ln of its square."""
        return (ln_square - np.log(self._n)) / (2 * _LN2)

    def both(self, depth: int, networks: int) -> tuple[Array, Array]:
        """ln |x_L|² and ln |δ_0|² in all networks whose signal lives."""
        every = np.full(networks, float(self._n))
        units, ln_x = [every], [self._ln_chi_square(every)]
        for _ in range(depth):
            units.append(self._passed(networks))
            across = self._ln_share(units[-1], self._n)
            ln_x.append(ln_x[-1] + self._ln_w + self._ln_slope + across)
        alive = np.isfinite(ln_x[-1])
        units, ln_x = ([each[alive] for each in walk] for walk in (units, ln_x))
        ln_c = ln_x[-1] + self._ln_chi_square(np.ones(len(ln_x[-1])))  # of c²
        across = self._ln_chi_square(units[-1] - 1)
        for k in range(depth, 0, -1):
            ln_e = np.logaddexp(ln_c - ln_x[k], across) + self._ln_slope
            rest = self._ln_rest(ln_e + self._ln_w, ln_c - ln_x[k - 1])
            across = rest + self._ln_share(units[k - 1] - 1, self._n - 1)
        return ln_x[-1], np.logaddexp(ln_c - ln_x[0], across)

    def _passed(self, networks: int) -> Array:
        """The number of units that φ lets pass."""
        if not self._halves:
            return np.full(networks, float(self._n))
        return self._rng.binomial(self._n, 0.5, networks).astype(np.float64)

    def _ln_rest(self, ln_length: Array, ln_along: Array) -> Array:
        """ln of the square of aᵀe across x, before its share; an orthogonal aᵀ keeps |e|."""
        if not self._orthogonal:
            return ln_length
        share = -np.expm1(np.minimum(ln_along - ln_length, 0.0))
        return ln_length + np.log(np.maximum(share, _LEAST))

    def _ln_share(self, units: Array, of: int) -> Array:
        """ln of the square of a @ x within some units, over |x|² σ_w²."""
        if not self._orthogonal:
            return self._ln_chi_square(units) - np.log(self._n)
        value, others = self._chi_square(units), self._chi_square(of - units)
        with np.errstate(divide="ignore"):
            return np.log(value / np.maximum(value + others, _LEAST))

    def _chi_square(self, degrees: Array) -> Array:
        return 2 * self._rng.standard_gamma(degrees / 2)

    def _ln_chi_square(self, degrees: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.log(self._chi_square(degrees))
