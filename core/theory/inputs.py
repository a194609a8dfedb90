"""How alike two inputs become from layer to layer at infinite width."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..layer.activations import Activation
from ..layer.operation import Moments
from ..maths.arrays import Array
from ..question.experiment import Experiment
from .profile import moments_of_layers, start

_DEGREES = 200  # of Hermite polynomials; the rest of E φ² counts as one power more
_WIDEST = 12.0  # |z| up to which z ~ N(0, 1) is integrated
_NODES = 240  # on either side of zero
_SETTLED = 1e-13  # a change per layer below which nothing more happens


def cosine_of_inputs(experiment: Experiment) -> Array:
    """The cosine of the angle between the signals of two independent inputs, at width → ∞.

    Normal inputs are orthogonal at layer 0. It is E x x′/E x² of the activations, where the
    correlation map of mean-field theory speaks of the pre-activations.

    Args:
        experiment: the question. Its width plays a part for one_hot inputs alone, its batch size
            for batch norm alone.

    Returns:
        float64 of shape (depth + 1,), right to about 1e-4. NaN where the signal is zero or
        infinite, and after layer 0 if the initialiser's matrices are neither of independent entries
        nor orthogonal, if one matrix is used in layers that are not plain, and if φ comes first and
        the input is not normal.

    Reference: Poole et al. 2016, arXiv:1606.05340, eq. 5.
    """
    e = experiment.replace(seed=0, number_format="float64", loss_scale=1.0)
    is_usual = e.layer.is_plain and e.input == "normal"
    return (_cosines(e.replace(batch_size=2)) if is_usual else _of_any_layer(e)).copy()


def _is_known(e: Experiment) -> bool:
    """Whether what inputs share is known beyond plain layers.

    One matrix in every layer is not like a fresh one beside a skip or behind a norm. An activation
    takes normal numbers alone.
    """
    if e.rule.law == "other" or (e.weights == "tied" and not e.layer.is_plain):
        return False
    return e.input == "normal" or e.branch != "preactivation"


@lru_cache(maxsize=64)
def _of_any_layer(experiment: Experiment) -> Array:
    """The same for other layers and inputs, from what two inputs share."""
    e = experiment
    found = np.full(e.depth + 1, np.nan)
    if not _is_known(e):
        found[0] = start(e).shared
        return found
    m = moments_of_layers(e, couples=True)
    return np.where(np.isfinite(m.square), m.shared, np.nan)


@lru_cache(maxsize=64)
def _cosines(experiment: Experiment) -> Array:
    found = np.full(experiment.depth + 1, np.nan)
    found[0] = 0.0
    if experiment.rule.law == "other":
        return found
    square, cosine = experiment.input_scale**2, 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for layer in range(1, experiment.depth + 1):
            before = square, cosine
            h = experiment.layer.affine.moments(Moments(square=square, cross=cosine * square))
            square, cosine = _after(experiment.phi, float(h.square), float(h.cross))
            if not 0 < square < np.inf:
                break
            found[layer] = cosine
            if abs(cosine - before[1]) + abs(square / before[0] - 1) < _SETTLED:
                found[layer:] = cosine
                break
    return found


def _after(phi: Activation, square: float, cross: float) -> tuple[float, float]:
    """E φ(h)² and the cosine of φ(h) and φ(h′), for normal h and h′ of known moments.

    E φ(h)φ(h′) = Σ a_k²·c^k, where c is the correlation and a_k the coefficient of φ in the
    normalised Hermite polynomial of degree k (Daniely et al. 2016, arXiv:1602.05897).
    """
    if phi.name == "linear" or not 0 < square < np.inf:
        return square, float(np.float64(cross) / square)
    z, weight, polynomials = _hermite()
    values = phi(torch.from_numpy(square**0.5 * z)).numpy() * weight
    total = float(values @ values)
    parts = np.square(polynomials @ values)
    parts = np.append(parts, max(0.0, total - parts.sum()))
    powers = (cross / square) ** np.arange(len(parts))
    return total, float(parts @ powers / parts.sum())


@lru_cache(maxsize=1)
def _hermite() -> tuple[Array, Array, Array]:
    """Nodes z, the roots of their normal weights, and Hermite polynomials times these roots."""
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    half, scaled = _WIDEST / 2 * (node + 1), _WIDEST / 2 * weight
    z = np.concatenate([-half[::-1], half])
    root = np.sqrt(np.concatenate([scaled[::-1], scaled]) / np.sqrt(2 * np.pi))
    root *= np.exp(-(z**2) / 4)
    rows = [root, z * root]
    for k in range(1, _DEGREES):
        rows.append((z * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1))
    return z, root, np.array(rows)
