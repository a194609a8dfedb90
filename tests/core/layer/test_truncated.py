"""Truncated normals: the law of each library, by quadrature, scipy and torch's own function."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from core import ACTIVATIONS, INITIALIZERS, Experiment, predict, propagate, sample_ensemble
from core.layer.named_initializer import initializer_of
from core.layer.truncated import TRUNCATED_STD

RELU = ACTIVATIONS["relu"]
STDS = [1e-6, 0.02, 0.3, 0.4, 0.7, 1.0, 1.5, 3.0, 20.0, 100.0]
N = 1000  # a million entries of a matrix

# Entry -> (the std before the cut, where it is cut in units of that std, the factor after it).
LIBRARIES = {
    "truncated_normal": (1.0, 2.0, 1 / TRUNCATED_STD),
    "torch_trunc_normal": (1.0, 2.0, 1.0),
    "torch_trunc_normal(0.02)": (0.02, 100.0, 1.0),
    "torch_trunc_normal(0.5)": (0.5, 4.0, 1.0),
    "torch_trunc_normal(3)": (3.0, 2 / 3, 1.0),
    "keras_truncated_normal": (1.0, 2.0, 1.0),
    "keras_he_normal": (math.sqrt(2 / N), 2.0, 1 / TRUNCATED_STD),
    "keras_glorot_normal": (math.sqrt(2 / (2 * N)), 2.0, 1 / TRUNCATED_STD),
    "keras_lecun_normal": (math.sqrt(1 / N), 2.0, 1 / TRUNCATED_STD),
}


def draw(name, fan_in=N, fan_out=N, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return initializer_of(name).sample(fan_in, fan_out, RELU, generator=generator)


def by_quadrature(std):
    """The std of N(0, std²) cut at ±2."""
    end = min(2.0, 40 * std)

    def moment(power):
        def integrand(x):
            return x**power * math.exp(-((x / std) ** 2) / 2)

        return integrate.quad(integrand, 0, end, points=[min(std, end / 2)], epsabs=0)[0]

    return math.sqrt(moment(2) / moment(0))


@pytest.mark.parametrize("std", STDS)
def test_the_std_after_torchs_cut_is_that_of_the_law(std):
    stated = initializer_of(f"torch_trunc_normal({std})").weight_std(N, N, RELU)
    # The closed form subtracts numbers near 1: at std 100 some 1e-12 of the difference is left.
    assert stated == pytest.approx(by_quadrature(std), rel=1e-10)
    if std < 20:  # scipy's own closed form loses more digits beyond
        law = stats.truncnorm(-2 / std, 2 / std, scale=std)
        assert stated == pytest.approx(law.std(), rel=1e-8)


def test_the_published_constant_is_that_of_a_cut_at_two_std():
    # Keras and JAX write .87962566103423978, the std of truncnorm(-2, 2).
    assert pytest.approx(0.87962566103423978, rel=1e-15) == TRUNCATED_STD
    assert pytest.approx(stats.truncnorm(-2, 2).std(), rel=1e-12) == TRUNCATED_STD
    assert initializer_of("torch_trunc_normal").weight_std(1, 1, RELU) == pytest.approx(
        TRUNCATED_STD, rel=1e-14
    )


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_numbers_have_the_law_of_the_library(name):
    std, cut, factor = LIBRARIES[name]
    w = draw(name).double().flatten().numpy()
    law = stats.truncnorm(-cut, cut, scale=std * factor)
    # Float32 rounds the ends by 6e-8 of themselves.
    assert np.abs(w).max() <= cut * std * factor * (1 + 1e-6)
    # The std of a million numbers has a standard error of at most 0.071 % of itself; five of those.
    stated = initializer_of(name).weight_std(N, N, RELU)
    assert stated == pytest.approx(law.std(), rel=1e-9)
    assert w.std() == pytest.approx(stated, rel=5 * 7.1e-4)
    # Kolmogorov's distance of a million numbers exceeds 2.3e-3 once in 50,000 samples.
    assert stats.kstest(w, law.cdf).statistic < 2.3e-3


@pytest.mark.parametrize("std", [0.02, 0.5, 1.0, 3.0])
def test_torchs_own_function_draws_the_same_law(std):
    torch.manual_seed(0)
    theirs = torch.nn.init.trunc_normal_(torch.empty(N, N), std=std)
    ours = draw(f"torch_trunc_normal({std})")
    # Two samples of a million: five standard errors of the ratio of their stds.
    assert float(ours.std()) == pytest.approx(float(theirs.std()), rel=5 * 1e-3)
    cuts = (
        float((theirs.abs() > 1.9999).float().mean()),
        float((ours.abs() > 1.9999).float().mean()),
    )
    assert cuts[0] == pytest.approx(cuts[1], abs=5e-5)
    if std >= 1:
        assert float(theirs.abs().max()) == pytest.approx(2, rel=1e-4)
        assert float(ours.abs().max()) == pytest.approx(2, rel=1e-4)
    else:  # nothing is cut
        assert float(ours.abs().max()) < 5.6 * std


def test_no_number_comes_from_the_end_of_the_distribution():
    """Inverted at −1, float32 gives −∞, and a cut of it −2: a hundred stds at std 0.02."""
    w = draw("torch_trunc_normal(0.02)", 4096, 4096)  # as many numbers as float32 has below 1
    assert float(w.abs().max()) < 5.6 * 0.02
    u = torch.tensor([0.0, 1 - 2**-24]) * 2 - 1 + 2**-24
    assert u.tolist() == [-1 + 2**-24, 1 - 2**-24]
    assert torch.special.erfinv(u).isfinite().all()


def test_std_0_02_is_not_cut_and_std_1_keeps_0_88():
    assert initializer_of("torch_trunc_normal(0.02)").weight_std(1, 1, RELU) == 0.02
    e = Experiment(init="torch_trunc_normal(0.02)", width=256, depth=5, weights="fresh")
    assert e.weight_std == 0.02 and e.rule.law == "gaussian"
    assert sample_ensemble(e, 8).exact_in_law  # no matrix is drawn
    cut = e.replace(init="torch_trunc_normal")
    assert cut.weight_std == pytest.approx(0.8796, abs=5e-5) and cut.rule.law == "independent"
    # The scale factor comes after the cut: 0.02 times numbers cut at ±2.
    assert cut.replace(scale=0.02).weight_std == pytest.approx(0.02 * 0.8796, rel=1e-4)
    assert e.weight_std / cut.replace(scale=0.02).weight_std == pytest.approx(1.1368, abs=1e-4)


@pytest.mark.parametrize("name", ["keras_he_normal", "torch_trunc_normal(0.11)"])
def test_theory_meets_a_run(name):
    e = Experiment(init=name, activation="relu", width=256, depth=20, weights="fresh")
    law = predict(e)
    assert law.known
    inside = 0
    for seed in range(20):
        last = propagate(e.replace(seed=seed)).stats.log2_rms[-1]
        inside += law.log2_rms_quantiles[0.05][-1] < last < law.log2_rms_quantiles[0.95][-1]
    # Of 20 networks 18 fall into a band of 90 %; 13 or fewer would 3e-3 of the time.
    assert inside >= 14


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name.startswith("keras_")])
def test_a_rule_of_keras_has_the_std_of_the_rule_without_a_cut(name):
    plain = {"keras_he_normal": "kaiming_normal", "keras_glorot_normal": "xavier_normal"}
    other = INITIALIZERS[plain.get(name, "lecun_normal")]
    if name == "keras_truncated_normal":
        assert INITIALIZERS[name].weight_std(7, 5, RELU) == TRUNCATED_STD
    else:
        own = INITIALIZERS[name].weight_std(7, 5, RELU)
        assert own == pytest.approx(other.weight_std(7, 5, RELU), rel=1e-15)
