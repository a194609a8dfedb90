"""Gradients of ensembles: from the law of the real ones, without their matrices."""

import numpy as np
import pytest
import torch
from scipy import stats

from core import Experiment, backpropagate, predict, sample_ensemble
from core.layer.scaled import ScaledNumbers
from core.simulation.walk import _log2_rms_of_outer

# One false alarm in 10⁴ over all comparisons of this file.
CASES = {
    "gaussian relu": {"activation": "relu", "init": "kaiming_normal"},
    "gaussian tanh and bias": {"activation": "tanh", "init": "critical", "bias_std": 0.2},
    "gaussian, three inputs": {"activation": "silu", "init": "critical", "batch_size": 3},
    "orthogonal gelu": {"activation": "gelu", "init": "orthogonal", "scale": 1.4},
    "orthogonal, three inputs": {"activation": "relu", "init": "orthogonal", "batch_size": 3},
    "tied linear": {"init": "xavier_normal", "weights": "tied"},
    "tied relu, two inputs": {
        "activation": "relu",
        "init": "kaiming_normal",
        "weights": "tied",
        "batch_size": 2,
    },
    "matrices": {"activation": "elu", "init": "kaiming_uniform"},
    "one matrix": {"activation": "elu", "init": "kaiming_uniform", "weights": "tied"},
    "fitted matrices": {"activation": "silu", "init": "lsuv"},
    "a square": {"activation": "relu_squared", "init": "xavier_normal", "depth": 4},
}
LEAST = 1e-4 / (5 * len(CASES))


@pytest.mark.parametrize("case", CASES)
def test_gradients_have_the_law_of_real_ones(case):
    usual = {"width": 32, "depth": 6, "weights": "fresh", "number_format": "float64"}
    e = Experiment(**usual | CASES[case])
    many = sample_ensemble(e, 800, backward=True)
    assert many.exact_in_law == ("matri" not in case)
    real = [backpropagate(e.replace(seed=seed)) for seed in range(400)]
    there = np.array([back.run.stats.log2_rms[-1] for back in real])
    here = np.array([back.stats.log2_rms for back in real])
    weights = np.array([back.weights.log2_rms for back in real])
    pairs = [
        (many.log2_gradient_rms[:, 0], here[:, 0]),
        (many.log2_gradient_rms[:, 3], here[:, 3]),
        (many.log2_weight_gradient_rms[:, 1], weights[:, 1]),
        (many.log2_weight_gradient_rms[:, 4], weights[:, 4]),
        (
            many.log2_rms[:, -1] + many.log2_gradient_rms[:, 0],
            there + here[:, 0],
        ),  # their joint law
    ]
    for sampled, measured in pairs:
        assert stats.ks_2samp(sampled, measured).pvalue > LEAST


def test_zeros_are_those_of_dead_units_and_dead_networks():
    e = Experiment(width=3, depth=4, activation="relu", init="kaiming_normal", weights="fresh")
    many = sample_ensemble(e, 4000, backward=True)
    dead = np.isneginf(many.log2_gradient_rms)
    assert (dead == (many.gradient_zero == 1)).all()
    # All units of a layer are off with probability 1/8. Of a signal of 0 no gradient goes back.
    expected = 1 - (7 / 8) ** e.depth
    error = (expected * (1 - expected) / 4000) ** 0.5
    assert (abs(dead[:, :-1].mean(0) - expected) <= 5 * error).all() and not dead[:, -1].any()


def test_the_loss_scale_is_a_factor_and_the_same_seed_gives_the_same_numbers():
    e = Experiment(width=16, depth=5, activation="tanh", init="critical", weights="fresh")
    one = sample_ensemble(e, 8, backward=True)
    scaled = sample_ensemble(e.replace(loss_scale=2.0**20), 8, backward=True)
    np.testing.assert_allclose(scaled.log2_gradient_rms, one.log2_gradient_rms + 20, rtol=1e-5)
    assert (scaled.log2_rms == one.log2_rms).all()
    assert np.isnan(one.log2_weight_gradient_rms[:, 0]).all()
    assert sample_ensemble(e, 8).log2_gradient_rms is None


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_one_ensemble_answers_for_every_scale_factor_and_loss_scale(activation):
    e = Experiment(width=16, depth=5, scale=0.5, activation=activation, weights="fresh")
    other = e.replace(scale=0.125, loss_scale=2.0**10)
    moved = sample_ensemble(e, 8, backward=True).at(other)
    asked = sample_ensemble(other, 8, backward=True)
    for name in ("log2_rms", "log2_gradient_rms", "log2_weight_gradient_rms"):  # to float32
        np.testing.assert_allclose(getattr(moved, name), getattr(asked, name), atol=1e-5)
    assert (moved.gradient_zero == asked.gradient_zero).all()
    none = moved.at(other.replace(scale=0.0))
    assert np.isneginf(none.log2_gradient_rms[:, :-1]).all()
    assert (none.gradient_zero[:, :-1] == 1).all()
    assert (none.log2_gradient_rms[:, -1] == asked.log2_gradient_rms[:, -1]).all()
    assert moved.at(other.replace(depth=4)).log2_gradient_rms is None  # another loss


def test_a_loss_scale_needs_no_ensemble_of_its_own_in_a_format_without_infinity():
    e = Experiment(width=16, depth=5, number_format="float8_e4m3fn", weights="fresh")
    many = sample_ensemble(e, 4, backward=True).at(e.replace(loss_scale=4.0))
    assert many.log2_gradient_rms[:, -1] == pytest.approx(
        sample_ensemble(e, 4, backward=True).log2_gradient_rms[:, -1] + 2
    )


def test_gradients_beyond_every_float_stay_finite():
    for scale in (1e-6, 1e6):
        e = Experiment(width=16, depth=200, scale=scale, activation="relu", weights="fresh")
        many = sample_ensemble(e, 4, backward=True)
        assert np.isfinite(many.log2_gradient_rms).all()
        assert abs(many.log2_gradient_rms[:, 0]).min() > 2000


@pytest.mark.parametrize("width", [2, 5, 32])
def test_the_std_of_gradients_is_that_of_real_ones(width):
    """In narrow networks it is not their rms."""
    e = Experiment(width=width, depth=6, init="xavier_normal", weights="fresh")
    many = sample_ensemble(e, 2000, backward=True)
    real = [backpropagate(e.replace(seed=seed)).stats.log2_std[0] for seed in range(1000)]
    assert stats.ks_2samp(many.log2_gradient_std[:, 0], real).pvalue > 1e-4
    apart = np.median(many.log2_gradient_rms[:, 0]) - np.median(many.log2_gradient_std[:, 0])
    assert (apart > 0.1) == (width == 2)


def test_progress_goes_on_to_the_end_of_the_way_back():
    told = []
    e = Experiment(width=8, depth=5, weights="fresh")
    sample_ensemble(e, 3, backward=True, on_progress=told.append)
    assert told == sorted(told) and len(told) == 2 * (5 + 1) and told[-1] == pytest.approx(1)


@pytest.mark.parametrize("inputs", [1, 3, 5, 9])
def test_a_weight_gradient_is_summed_over_the_inputs_be_they_few_or_many(inputs):
    drawn = torch.Generator().manual_seed(inputs)
    g, x = (torch.randn(4, 5, inputs, generator=drawn) for _ in range(2))
    matrices = np.einsum("mib,mjb->mij", g.double().numpy(), x.double().numpy())
    wanted = np.log2(np.sqrt((matrices**2).mean((1, 2))))
    found = _log2_rms_of_outer(ScaledNumbers.of(g), ScaledNumbers.of(x))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


FAR_OUT = [
    {"width": 8, "depth": 100, "activation": "erf", "scale": 3.0},
    {"width": 16, "depth": 8, "activation": "erf", "scale": 10.0},
    {"width": 1, "depth": 8, "activation": "erf", "scale": 10.0},
    {
        "width": 64,
        "depth": 30,
        "activation": "sigmoid",
        "init": "xavier_normal",
        "scale": 1000.0,
        "weights": "fresh",
    },
    {
        "width": 16,
        "depth": 30,
        "activation": "relu_squared",
        "init": "critical",
        "weights": "fresh",
    },
]


@pytest.mark.parametrize("fields", FAR_OUT)
def test_slopes_beyond_the_range_of_float32_break_no_gradient(fields):
    """One network that were NaN would make the quantiles of all of them NaN."""
    found = sample_ensemble(Experiment(**fields), 50, backward=True)
    for sizes in (found.log2_rms, found.log2_gradient_rms, found.log2_weight_gradient_rms[:, 1:]):
        assert not np.isnan(sizes).any() and not np.isposinf(sizes).any()


def test_a_sigmoid_far_out_is_small_and_not_zero():
    """φ(h) = exp(h) for h far below zero, which float32 does not hold."""
    e = Experiment(width=1, depth=1, activation="sigmoid", scale=60.0, weights="fresh")
    sizes = sample_ensemble(e, 2000, backward=True).log2_rms[:, 1]
    assert np.isfinite(sizes).mean() > 0.99  # float64 ends at h = −745
    # log2 rms < −149 is h < −103.3: a product of two normal numbers below −103.3/60.
    wanted = stats.norm.sf(103.3 / 60 / np.abs(stats.norm.rvs(size=10**5, random_state=1))).mean()
    assert (sizes < -149).mean() == pytest.approx(wanted, abs=4 * (wanted / 2000) ** 0.5)


def test_a_format_without_infinity_holds_the_gradient_too():
    e = Experiment(
        width=256,
        depth=20,
        weights="fresh",
        init="kaiming_normal",
        scale=1.5,
        activation="relu",
        number_format="float8_e4m3fn",
    )
    found = sample_ensemble(e, 50, backward=True)
    assert np.exp2(found.log2_gradient_max_abs).max() <= 448
    low, high = np.quantile(found.log2_gradient_std[:, 0], (0, 1))
    for seed in range(5):
        real = backpropagate(e.replace(seed=seed)).stats.log2_std[0]
        assert low - 0.1 < real < high + 0.1
    assert not predict(e).gradient_known
    assert "holds elements of x or δ at 448" in predict(e).gradient_valid
    assert predict(e.replace(scale=1.0)).gradient_known
