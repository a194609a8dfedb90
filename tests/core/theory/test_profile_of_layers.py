"""The profile of layers with skips and norms: published constants, limits, and real networks."""

import itertools

import numpy as np
import pytest

from core import Experiment, backpropagate, mean_field
from core.layer.branches import BRANCHES, NORM_PLACES, NORMS
from core.theory import batch_norm

RELU = Experiment(
    width=256, depth=40, init="kaiming_normal", activation="relu", weights="fresh", batch_size=64
)
COMBINATIONS = [
    {"branch": branch, "skip": skip, "norm": norm, "norm_place": place}
    for branch, skip, norm, place in itertools.product(
        BRANCHES, ("none", "identity"), NORMS, NORM_PLACES
    )
    if norm != "none" or place == "before"
]


def factors(e):
    """E δ² of each layer over that of the layer above it, and E x² of each over the one below."""
    found = mean_field.profile(e)
    return 2.0 ** -np.diff(2 * found.log2_gradient_rms), 2.0 ** np.diff(2 * found.log2_rms)


@pytest.mark.parametrize(
    "inputs, factor", [(8, 1.7882), (16, 1.5900), (64, 1.4931), (256, 1.4732), (4096, 1.4673)]
)
def test_batch_norm_with_relu_multiplies_the_gradient_by_the_published_factor(inputs, factor):
    e = RELU.replace(norm="batch", norm_place="inside", batch_size=inputs)
    back, _ = factors(e)
    # Yang et al. 2019, arXiv:1902.08129: π/(π − 1) for many inputs. Four digits are printed.
    np.testing.assert_allclose(back[1:-1], factor, rtol=4e-5)


@pytest.mark.parametrize("inputs", [5, 8, 64])
def test_linear_batch_norm_has_its_closed_form(inputs):
    e = RELU.replace(norm="batch", norm_place="inside", batch_size=inputs, activation="linear")
    back, forward = factors(e)
    np.testing.assert_allclose(back[1:-1], (inputs - 2) / (inputs - 3), rtol=1e-6)
    np.testing.assert_allclose(forward[1:], 1, rtol=1e-9)


def test_few_inputs_have_no_mean_square_of_the_gradient():
    e = RELU.replace(norm="batch", norm_place="inside", batch_size=3)
    found = mean_field.profile(e).log2_gradient_rms
    assert np.isnan(found[:-1]).all() and found[-1] == 0


def test_an_unnormed_stream_doubles_and_a_normed_one_adds():
    e = RELU.replace(skip="identity", branch="preactivation")
    back, forward = factors(e)
    np.testing.assert_allclose(forward, 2, rtol=1e-5)  # He's σ_w² = 2: each branch has E x²
    np.testing.assert_allclose(back, 2, rtol=1e-5)
    k = np.arange(1, e.depth + 1)
    for norm in ("layer", "batch"):
        # Behind a norm, every branch adds 1: p_L = 1 + L. Batch norm takes the shared part off.
        found = mean_field.profile(e.replace(norm=norm)).second_moment[1:]
        np.testing.assert_allclose(found, 1 + k, rtol=2e-3 if norm == "layer" else 0.35)


def test_post_norm_decays_by_the_published_factor_and_pre_norm_does_not():
    e = RELU.replace(skip="identity", norm="layer", depth=200)
    after, _ = factors(e.replace(norm_place="after"))
    # Xiong et al. 2020, arXiv:2002.04745, here for φ behind the product: 2/(2 − 1/π).
    np.testing.assert_allclose(after[5:], 2 / (2 - 1 / np.pi), rtol=1e-4)
    before, _ = factors(e.replace(norm_place="before", branch="preactivation"))
    k = np.arange(1, 201)
    np.testing.assert_allclose(before, 1 + 1 / k, rtol=1e-4)


def test_tanh_in_front_of_a_skip_grows_like_the_exponential_of_a_root():
    e = RELU.replace(skip="identity", activation="tanh", init="lecun_normal", depth=2000)
    found = mean_field.profile(e).log2_gradient_rms
    quarter, half, whole = (found[0] - found[k] for k in (500, 1000, 2000))
    # Yang & Schoenholz 2017, arXiv:1712.08969: the exponent of an exponential grows as √l.
    assert quarter / whole == pytest.approx(0.5, abs=0.06)
    assert half / whole == pytest.approx(0.5**0.5, abs=0.05)


def test_the_mean_of_a_relu_stream_is_part_of_its_size():
    e = RELU.replace(skip="identity", depth=100, branch_scale=0.02)
    found = mean_field.profile(e)
    # For small α: p_L = cosh²(αL/√π), and mean/rms = tanh.
    exponent = 0.02 * 100 / np.pi**0.5
    assert found.second_moment[-1] == pytest.approx(np.cosh(exponent) ** 2, rel=0.05)
    ratio = found.mean[-1] / found.second_moment[-1] ** 0.5
    assert ratio == pytest.approx(np.tanh(exponent), abs=0.02)


def test_a_product_between_widths_counts_its_outputs_on_the_way_back():
    e = RELU.replace(branch="mlp", skip="identity", init="xavier_normal", activation="linear")
    back, forward = factors(e)
    # Xavier between n and 4n: 4r/(1 + r)² = 0.64 of a block, there and back.
    np.testing.assert_allclose(forward, 1.64, rtol=1e-6)
    np.testing.assert_allclose(back, 1.64, rtol=1e-6)


@pytest.mark.parametrize("changes", COMBINATIONS, ids=lambda c: " ".join(c.values()))
def test_real_networks_have_the_profile(changes):
    e = RELU.replace(depth=5, width=192, branch_scale=0.5, expansion=2, **changes)
    e = e.replace(batch_size=128 if e.norm == "batch" else 16)
    runs = [backpropagate(e.replace(seed=seed)) for seed in range(3)]
    found = mean_field.profile(e)
    there = np.mean([run.run.stats.log2_rms for run in runs], axis=0)
    back = np.mean([run.stats.log2_rms for run in runs], axis=0)
    means = np.mean([run.run.stats.mean for run in runs], axis=0)
    # Finite width, the drift of a median and the spread of three networks: 0.1 octave a block. A
    # batch norm beside a skip, or between two matrices, is that of many inputs.
    of_many = changes["norm"] == "batch" and (changes["skip"] != "none" or e.branch == "mlp")
    several = 0.1 if of_many else 0.0
    assert np.abs(there - found.log2_rms).max() < 0.15
    assert np.abs(back - found.log2_gradient_rms).max() < 0.15 + several
    size = 2.0**found.log2_rms
    assert (np.abs(means - found.mean) / size).max() < 0.1


def test_the_quadrature_over_two_inputs_knows_the_closed_forms_of_relu():
    for inputs in (2, 3, 4, 5, 9, 100):
        of, rho = batch_norm.on_sphere(RELU.phi, inputs), -1 / (inputs - 1)
        angle = np.arccos(rho)
        cross = (np.sin(angle) + (np.pi - angle) * rho) / (2 * np.pi)
        both = 0.25 + np.arcsin(rho) / (2 * np.pi)
        assert of.square == pytest.approx(0.5, abs=1e-9)
        assert of.cross == pytest.approx(cross, abs=1e-4)
        assert of.derivative_cross == pytest.approx(both, abs=1e-3)
