"""Shares of units at infinite width, against closed forms, sampled units and real networks."""

import math

import numpy as np
import pytest
import torch
from scipy.special import erfc

from core import ACTIVATIONS, Experiment, propagate
from core.layer.named_activation import activation_of
from core.layer.unit_sets import flat_set, near_zero_set, zero_set
from core.theory import mean_field as mf
from core.theory.shares import shares, work

NAMES = ("flat", "near_zero", "dead", "mean_share")
MANY = 400_000
SIGMAS = 5  # standard errors, of some hundred comparisons each
FRESH = {"weights": "fresh"}
TYPED = ("x * sigmoid(1.702 * x)", "max(min(x, 2 - x), 0)", "max(x - 1, 0)", "tanh(x) + 0.1 * x")


def makemore(gain):
    """Five tanh layers of 100 units, a batch of 32, weights of std gain/√n."""
    e = Experiment(width=100, depth=5, batch_size=32, activation="tanh", **FRESH)
    return e.replace(init="lecun_normal", scale=gain)


def measured(e, seeds):
    """Name -> mean over networks, and its standard error, at layers 0 … L."""
    found = {name: [] for name in NAMES}
    for seed in range(seeds):
        stats = propagate(e.replace(seed=seed)).stats
        for name in NAMES:
            found[name].append(stats.values[name])
    return {
        name: (np.mean(rows, 0), np.std(rows, 0, ddof=1) / seeds**0.5)
        for name, rows in found.items()
    }


def tanh_lengths(gain, depth):
    """E h² at layers 1 … depth, by the trapezoidal rule."""
    z = np.linspace(-10, 10, 200_001)
    weights, q = np.exp(-(z**2) / 2), 1.0
    weights /= weights.sum()
    for _ in range(depth):
        h2 = gain**2 * q
        yield h2
        q = weights @ np.tanh(np.sqrt(h2) * z) ** 2


@pytest.mark.parametrize("gain", [0.5, 1.0, 5 / 3, 3.0, 10.0])
def test_saturated_tanh_units_follow_the_error_function(gain):
    """|φ′| = 1 − t² < 0.06 is |h| > atanh √0.94.

    `profile` interpolates log2 E φ² between sixteenths of an octave: to some 3e-5 of a length, and
    half of that, times the density, in a share.
    """
    end = math.atanh(0.94**0.5)
    expected = [erfc(end / math.sqrt(2 * v)) for v in tanh_lengths(gain, 5)]
    assert shares(makemore(gain)).flat[1:] == pytest.approx(expected, abs=2e-5)


def test_makemores_tanh_layers_are_saturated_as_the_lecture_counts():
    """Gain 5/3: 20.25, 8.38, 6.62, 5.47, 6.12 % of |t| > 0.97; a draw scatters by about 1 %.

    Exact for |t| > 0.97 would be 20.93, 9.83, 7.00, 6.04, 5.66 %; |φ′| < 0.06 is |t| > 0.9695.
    """
    theory = shares(makemore(5 / 3)).flat[1:]
    assert theory == pytest.approx([0.2093, 0.0983, 0.0700, 0.0604, 0.0566], abs=0.002)
    lecture = np.array([0.2025, 0.0838, 0.0662, 0.0547, 0.0612])
    mean, error = (part[1:] for part in measured(makemore(5 / 3), 40)["flat"])
    assert (np.abs(lecture - mean) < 4 * error * 40**0.5).all()
    # Networks of 100 units differ from infinite ones by O(1/n) a layer.
    assert (np.abs(theory - mean) < SIGMAS * error + 0.01).all()


def test_makemores_gain_of_three_saturates_from_48_to_42_per_cent():
    flat = shares(makemore(3.0)).flat
    assert flat[1] == pytest.approx(0.477, abs=0.015) and flat[5] == pytest.approx(0.42, abs=0.015)


def test_weights_of_std_one_leave_nearly_every_tanh_unit_at_its_end():
    """CS231n: 500 units, std of h about √500 = 22; the std of x is 0.982 at every layer."""
    e = Experiment(width=500, depth=10, batch_size=64, activation="tanh", **FRESH)
    theory, stats = shares(e), propagate(e).stats
    assert (theory.flat[1:] > 0.92).all()
    assert stats.flat[1:] == pytest.approx(theory.flat[1:], abs=0.01)
    assert stats.std[1:] == pytest.approx([0.982] * 10, abs=0.003)


def test_half_of_relus_units_are_zero_and_ever_more_of_a_batch_are_the_same():
    """Layer 1: 2⁻ᴮ of independent inputs. Below it the arc-cosine kernel's correlations."""
    e = Experiment(width=64, depth=30, batch_size=4, activation="relu", **FRESH)
    e = e.replace(init="kaiming_normal")
    found = shares(e)
    assert found.flat[1:] == pytest.approx([0.5] * 30, abs=1e-15)
    assert found.dead[1] == pytest.approx(2.0**-4, rel=1e-12)
    assert (np.diff(found.dead[1:]) > 0).all() and found.dead[-1] < 0.5
    assert found.mean_share[1:] == pytest.approx([1 / math.pi] * 30, rel=1e-10)
    pair, c = shares(e.replace(batch_size=2)).dead, 0.0
    for layer in range(1, 31):  # two inputs: P(both negative) = 1/4 + asin(c)/2π
        assert pair[layer] == pytest.approx(0.25 + math.asin(c) / (2 * math.pi), abs=1e-9)
        c = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi


def test_inputs_that_are_alike_are_one_input():
    e = Experiment(width=64, depth=5, batch_size=9, activation="relu", input="ones", **FRESH)
    assert shares(e).dead[1:] == pytest.approx([0.5] * 5, abs=1e-12)


@pytest.mark.parametrize("q", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("name", [*ACTIVATIONS, *TYPED, "leaky_relu(0.05)"])
def test_probabilities_of_the_sets_are_those_of_sampled_units(name, q):
    """400,000 units; five standard errors of a count, and one unit where p is 0 or 1."""
    phi, std = activation_of(name), q**0.5
    h = torch.from_numpy(np.random.default_rng(3).normal(0, std, MANY))
    silent = phi(h) == 0
    if name.startswith("gelu"):  # rounds Φ(h) to 0 far below zero, which no theory knows
        silent &= h > -7
    counted = {
        flat_set: phi.derivative(h).abs() < 0.06,
        near_zero_set: phi(h).abs() <= 0.05,
        zero_set: silent,
    }
    for of, holds in counted.items():
        p = float(of(phi).probability(0.0, std))
        error = math.sqrt(p * (1 - p) / MANY)
        assert abs(holds.double().mean().item() - p) <= SIGMAS * error + 1 / MANY, of


@pytest.mark.parametrize("inputs", [2, 5, 40])
@pytest.mark.parametrize("c", [0.02, 0.4, 0.9, 0.999, 1 - 1e-9])
@pytest.mark.parametrize("name", ["relu", "hardswish", "max(min(x, 2 - x), 0)", "max(x - 1, 0)"])
def test_a_unit_is_dead_as_often_as_sampled_ones(name, c, inputs):
    """All inputs of a unit in φ's zeros, for 100,000 units of variance 4."""
    from core.theory.shares import _all_in  # its own law, at any correlation

    phi, rng, units = activation_of(name), np.random.default_rng(5), 100_000
    common, own = rng.normal(size=(units, 1)), rng.normal(size=(units, inputs))
    h = 2 * (math.sqrt(c) * common + math.sqrt(1 - c) * own)
    share = (phi(torch.from_numpy(h)) == 0).all(1).double().mean().item()
    where = zero_set(phi)
    p = _all_in(where, 2.0, c, inputs, float(where.probability(0.0, 2.0)))
    assert abs(share - p) <= SIGMAS * math.sqrt(p * (1 - p) / units) + 1 / units


BLOCKS = {
    "plain tanh": {"activation": "tanh", "scale": 2.0},
    "plain relu": {"activation": "relu"},
    "bias": {"activation": "gelu", "bias_std": 0.5},
    "mlp, pre-norm": {
        "activation": "relu",
        "branch": "mlp",
        "skip": "identity",
        "norm": "layer",
        "expansion": 2,
    },
    "preactivation": {"activation": "relu", "branch": "preactivation", "skip": "identity"},
    "norm inside": {"activation": "relu6", "norm": "rms", "norm_place": "inside"},
    "post-norm": {"activation": "tanh", "norm": "layer", "norm_place": "after"},
    "pixels": {"activation": "hardtanh", "input": "pixels"},
    "batch norm first": {"activation": "tanh", "norm": "batch", "scale": 3.0},
    "typed": {"activation": "max(min(x, 2 - x), 0)", "scale": 2.0},
    "sin": {"activation": "sin", "scale": 3.0},
    "linear": {"activation": "linear"},
}


@pytest.mark.parametrize("name", BLOCKS)
def test_wide_networks_have_these_shares(name):
    """24 networks of 512 units: five standard errors, and 2 % for O(L/n) of an infinite width."""
    e = Experiment(width=512, depth=4, batch_size=3, init="kaiming_normal", **FRESH)
    e = e.replace(**BLOCKS[name])
    theory, found = shares(e), measured(e, 24)
    for share in NAMES:
        mean, error = found[share]
        expected = getattr(theory, share)
        known = np.isfinite(expected)
        distance = np.abs(mean - expected)[known]
        assert (distance <= SIGMAS * error[known] + 0.02 * expected[known] + 4e-3).all(), share
    assert np.isfinite(theory.mean_share).all()


def test_what_is_not_known_is_not_told():
    e = Experiment(width=64, depth=3, batch_size=8, activation="tanh", **FRESH)

    def known(**changes):
        found = shares(e.replace(**changes))
        return {name for name in NAMES if np.isfinite(getattr(found, name)[2])}

    assert known() == set(NAMES)
    assert known(skip="identity") == {"flat", "dead", "mean_share"}  # x adds up outputs of φ
    assert known(norm="layer", norm_place="after") == {"flat", "dead", "mean_share"}
    assert known(norm="batch", norm_place="inside") == {"mean_share"}  # h lies on a sphere
    assert known(init="lsuv") == set()
    assert known(weights="tied") == set(NAMES)  # of plain layers the law is that of fresh ones
    assert known(weights="tied", skip="identity") == set()  # what adds up is not independent
    pixels = {"branch": "preactivation", "skip": "identity", "input": "pixels"}
    assert known(**pixels) == {"mean_share"}  # x keeps the pixels


def test_a_signal_of_zeros_has_the_shares_of_zero():
    e = Experiment(width=64, depth=2, scale=0.0, activation="relu", batch_size=3)
    found, stats = shares(e), propagate(e).stats
    for name in NAMES:
        np.testing.assert_array_equal(getattr(found, name)[1:], stats.values[name][1:], name)


def test_an_oscillating_slope_is_told_only_where_its_intervals_are_known():
    far = Experiment(width=64, depth=2, activation="sin", scale=8.0, **FRESH)  # std of h 64
    assert np.isnan(shares(far).flat[1])
    near = shares(far.replace(scale=0.5)).flat[1]  # std of h 4
    assert near == pytest.approx(2 * math.asin(0.06) / math.pi, rel=0.02)


def test_moments_are_those_of_the_profile():
    e = Experiment(width=64, depth=12, activation="sigmoid", bias_std=0.3, **FRESH)
    profile = mf.profile(e)
    expected = profile.mean**2 / profile.second_moment
    assert shares(e).mean_share == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["sin", "sin(2)", "sin(3)", "sin(30)", "sin(4*x)", "cos(x)"])
def test_shares_of_a_sine_are_right_or_not_told(name):
    """2,000,000 normal numbers; 5 standard errors of a share."""
    h = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    phi = activation_of(name)
    for found, share in (
        (flat_set(phi), (phi.derivative(h).abs() < 0.06).double().mean().item()),
        (near_zero_set(phi), (phi(h).abs() <= 0.05).double().mean().item()),
    ):
        told = float(found.probability(0.0, 1.0))
        assert np.isnan(told) != found.is_whole
        if found.is_whole:
            assert told == pytest.approx(share, abs=5 * (share / len(h)) ** 0.5)
    assert (name in ("sin(3)", "sin(30)", "sin(4*x)")) != flat_set(phi).is_whole


def test_zeros_that_rounding_makes_are_not_called_dead():
    e = Experiment(activation="gelu", depth=2, init="kaiming_normal", batch_size=4, **FRESH)
    assert (shares(e).dead[1:] == 0).all()
    far = e.replace(input_scale=10.0)
    assert np.isnan(shares(far).dead[1:]).all()
    assert propagate(far).stats.dead[1] > 0.01  # torch's GELU is 0 far below zero


def test_work_counts_the_pairs_that_a_batch_norm_couples():
    e = Experiment(depth=50, activation="cos(x)", batch_size=8, norm="batch", **FRESH)
    assert work(e) > 20 * work(e.replace(norm="none"))
    assert work(e.replace(activation="sin(4*x)")) > 2 * work(e) > 100 * work(e.replace(norm="rms"))


def test_work_grows_with_coupled_layers_alone():
    e = Experiment(width=64, depth=1000, activation="relu", **FRESH)
    tanh = e.replace(activation="tanh")
    assert work(tanh.replace(batch_size=8)) == work(tanh) == work(e)
    hardswish = e.replace(batch_size=8, activation="hardswish")
    assert work(e) < work(e.replace(batch_size=8)) < work(hardswish)
