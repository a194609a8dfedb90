"""Infinite-width theory against real networks of width 1024, with fresh Gaussian weights.

All activations see the same matrices. In every network and regime four signals go through: one
whose length is at the fixed point of the length map, two of the same length at given correlations
to it, and one that is too long.
"""

import numpy as np
import pytest
import torch
from scipy import stats

from core import ACTIVATIONS
from core.theory import mean_field as mf

WIDTH = 1024
NETWORKS = 64
LAYERS = 4
# (σ_w in units of the gain, σ_b): at both every activation has a fixed point.
REGIMES = ((0.9, 0.3), (0.6, 0.5))
CORRELATIONS = (0.6, -0.3)
TOO_LONG = 3.0  # times q*
SIGNALS = 2 + len(CORRELATIONS)
# The probability that any one of all comparisons of this file fails without cause (Bonferroni,
# which holds although all activations see the same matrices).
FAMILY_LEVEL = 0.01
COMPARISONS = len(ACTIVATIONS) * len(REGIMES) * ((LAYERS - 1) * (1 + len(CORRELATIONS)) + 1)
# A mean over networks is all but normal, and its standard error is found from the networks too.
# At this width theory's own error is some 0.1 % a layer, less than half a standard error.
STANDARD_ERRORS = stats.t.isf(FAMILY_LEVEL / COMPARISONS / 2, NETWORKS - 1)

CASES = [(name, regime) for name in ACTIVATIONS for regime in REGIMES]
EACH = pytest.mark.parametrize("name, regime", CASES)


def sigmas(name, regime):
    return regime[0] * mf.gain(name), regime[1]


def root_of_covariance(name, regime):
    """Of the first pre-activations of the four signals."""
    covariance = np.eye(SIGNALS)
    covariance[0, 1:-1] = covariance[1:-1, 0] = CORRELATIONS
    covariance[-1, -1] = TOO_LONG
    q = mf.fixed_point(name, *sigmas(name, regime))
    return torch.from_numpy(np.linalg.cholesky(q * covariance)).float()


def bent(h):
    """φ of every case's own columns."""
    parts = zip(CASES, h.split(SIGNALS, dim=1), strict=True)
    return torch.cat([ACTIVATIONS[name](part) for (name, _), part in parts], dim=1)


def second_moments(h):
    """hᵀh/n of every case."""
    return [(part.T @ part / WIDTH).numpy() for part in h.detach().split(SIGNALS, dim=1)]


def network(roots, generator):
    """Second moments per layer, and the growth of a gradient from the last h to the first."""
    normal = torch.randn(len(CASES), WIDTH, SIGNALS, generator=generator)
    first = torch.cat(list(normal @ roots.mT), dim=1).requires_grad_()
    per_column = np.repeat([sigmas(*case) for case in CASES], SIGNALS, axis=0)
    sigma_w, sigma_b = torch.from_numpy(per_column).float().T
    h, products = first, [second_moments(first)]
    for _ in range(LAYERS - 1):
        a = torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5
        b = torch.randn(WIDTH, 1, generator=generator)
        h = sigma_w * (a @ bent(h)) + sigma_b * b
        products.append(second_moments(h))
    last = torch.randn(h.shape, generator=generator)
    (gradient,) = torch.autograd.grad(h, first, last)
    return products, (gradient.square().sum(0) / last.square().sum(0))[::SIGNALS].numpy()


@pytest.fixture(scope="module")
def networks():
    """Per case: hᵀh/n of shape (networks, layers, signals, signals); growths, one per network."""
    generator = torch.Generator().manual_seed(11)
    roots = torch.stack([root_of_covariance(*case) for case in CASES])
    found = [network(roots, generator) for _ in range(NETWORKS)]
    products, growths = (np.array(each, dtype=float) for each in zip(*found, strict=True))
    return {case: (products[:, :, i], growths[:, i]) for i, case in enumerate(CASES)}


def agrees(measured, theory):
    """The mean over networks is within so many standard errors of the theory."""
    error = measured.std(axis=0, ddof=1) / NETWORKS**0.5
    distance = (measured.mean(axis=0) - theory) / error
    assert (abs(distance) < STANDARD_ERRORS).all(), distance


@EACH
def test_lengths_follow_the_length_map(networks, name, regime):
    sigma_w, sigma_b = sigmas(name, regime)
    q = [TOO_LONG * mf.fixed_point(name, sigma_w, sigma_b)]
    for _ in range(LAYERS - 1):
        q.append(mf.length_map(name, q[-1], sigma_w, sigma_b))
    products, _ = networks[name, regime]
    agrees(products[:, 1:, -1, -1], q[1:])


@EACH
def test_gradients_grow_by_chi_1(networks, name, regime):
    _, growth = networks[name, regime]
    agrees(growth, mf.chi_1(name, *sigmas(name, regime)) ** (LAYERS - 1))


@pytest.mark.parametrize("correlation", CORRELATIONS)
@EACH
def test_correlations_follow_the_correlation_map(networks, name, regime, correlation):
    c = [correlation]
    for _ in range(LAYERS - 1):
        c.append(mf.correlation_map(name, c[-1], *sigmas(name, regime)))
    products, _ = networks[name, regime]
    q = mf.fixed_point(name, *sigmas(name, regime))
    agrees(products[:, 1:, 0, 1 + CORRELATIONS.index(correlation)] / q, c[1:])
