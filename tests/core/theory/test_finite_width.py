"""predict(): the laws at finite width against exact formulas, published results and real runs."""

import math

import numpy as np
import pytest
from scipy import special, stats

from core import ACTIVATIONS, INITIALIZERS, Experiment, sample_ensemble
from core.theory.finite_width import LEVELS, predict
from core.theory.homogeneous_law import homogeneous_law
from tests.bench.calibration import FAMILIES, covered

FRESH = Experiment(width=64, depth=20, weights="fresh", init="critical")
LINEAR = {"above": 1.0, "below": 1.0, "gaussian": True}
RELU = {"above": 1.0, "below": 0.0, "gaussian": True}


def moments(law, layer):
    """Mean and variance of ln rms, given that x is not zero."""
    points, weights = law.points[layer] * math.log(2), law.weights[layer]
    mean = np.average(points, weights=weights)
    return mean, np.average((points - mean) ** 2, weights=weights)


def test_the_gradient_of_networks_that_are_all_born_dead_is_zero():
    law = predict(Experiment(width=2, depth=1000, weights="fresh", activation="relu"))
    gradient = law.log2_gradient_rms_quantiles[0.95]
    assert np.isfinite(gradient[-1]) and (gradient[:-1] == -np.inf).all()


# The sentence on the law.


@pytest.mark.parametrize(
    "changes, words",
    [
        ({}, "Exact for the rms at this width: every layer multiplies it by a factor of its own."),
        ({"activation": "relu"}, "Exact for the rms at this width"),
        ({"init": "kaiming_uniform"}, "Exact for Gaussian weights; here up to O(1/n)."),
        ({"init": "orthogonal"}, "Exact: an orthogonal matrix keeps every length"),
        ({"init": "orthogonal", "batch_size": 5}, "Exact: an orthogonal matrix keeps every"),
        ({"init": "orthogonal", "weights": "tied"}, "Exact: an orthogonal matrix keeps every"),
        ({"init": "orthogonal", "activation": "relu"}, "Exact for the rms at this width"),
        ({"init": "orthogonal", "activation": "tanh"}, "Expected range: approximate for tanh"),
        ({"activation": "gelu"}, "Expected range: approximate for gelu"),
        ({"bias_std": 0.1}, "Expected range: approximate for linear"),
        ({"weights": "tied"}, "Expected range: exact for one repeated Gaussian"),
        ({"weights": "tied", "init": "uniform"}, "for Gaussian weights, others differ by O(1/n)"),
        ({"number_format": "float8_e5m2"}, "The coarse rounding of 8 bits is left out."),
    ],
)
def test_a_law_says_where_it_holds(changes, words):
    law = predict(FRESH.replace(**changes))
    assert law.known and words in law.valid


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"weights": "tied", "activation": "relu"}, "at every step together with relu."),
        ({"weights": "tied", "bias_std": 0.5}, "at every step together with linear and a bias."),
        ({"weights": "tied", "depth": 64}, "as many times as it has columns, or more."),
        ({"weights": "tied", "width": 400, "depth": 257}, "is computed up to 256 products."),
        ({"batch_size": 2}, "several inputs at once."),
        ({"init": "orthogonal", "activation": "relu", "batch_size": 2}, "several inputs at once."),
        ({"init": "orthogonal", "bias_std": 0.5}, "orthogonal weights together with a bias."),
        ({"init": "sparse"}, "for the initialiser sparse."),
        ({"init": "spectral"}, "for the initialiser spectral."),
        ({"init": "identity"}, "for the initialiser identity."),
        ({"init": "zeros"}, "every weight is 0."),
        ({"scale": 0.0}, "every weight is 0."),
        ({"width": 8, "activation": "gelu"}, "Width 8 is too small for the law of gelu."),
    ],
)
def test_where_no_law_is_known_it_says_why(changes, words):
    law = predict(FRESH.replace(**changes))
    assert not law.known and words in law.valid
    assert law.log2_std_quantiles == law.overflow_pmf == law.all_zero_pmf == {}


def test_every_initialiser_has_a_law_or_a_reason():
    for name, rule in INITIALIZERS.items():
        law = predict(FRESH.replace(init=name))
        assert law.known == (rule.law != "other") and law.valid.endswith(".")


# The form of quantiles and probabilities.


@pytest.mark.parametrize("width", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_quantiles_rise_with_the_level(name, width):
    for init in ("critical", "orthogonal"):
        for bias_std in (0.0, 0.3):
            e = FRESH.replace(width=width, activation=name, init=init, bias_std=bias_std)
            law = predict(e)
            for of_size in (law.log2_rms_quantiles, law.log2_std_quantiles) if law.known else ():
                if of_size is law.log2_std_quantiles and width < 8:
                    assert of_size == {} and not law.std_known
                    continue
                assert tuple(of_size) == LEVELS
                rows = np.array(list(of_size.values()))
                assert rows.shape == (5, e.depth + 1)
                assert not np.isnan(rows).any() and (rows[:-1] <= rows[1:]).all()


@pytest.mark.parametrize("changes", [{}, {"weights": "tied"}, {"activation": "tanh"}])
def test_the_same_question_has_the_same_answer_whatever_the_seed(changes):
    e = FRESH.replace(**changes, scale=0.02, number_format="float16")
    one, again = predict(e), predict(e.replace(seed=7))
    assert again.overflow_pmf == one.overflow_pmf and again.all_zero_pmf == one.all_zero_pmf
    for level in LEVELS:
        assert np.array_equal(one.log2_rms_quantiles[level], again.log2_rms_quantiles[level])


@pytest.mark.parametrize("changes", [{}, {"activation": "relu"}, {"weights": "tied"}])
def test_a_scale_of_two_is_an_octave_a_product(changes):
    e = FRESH.replace(**changes)
    one, twice = predict(e), predict(e.replace(scale=2.0))
    for level in LEVELS:
        shift = twice.log2_rms_quantiles[level] - one.log2_rms_quantiles[level]
        np.testing.assert_allclose(shift, np.arange(21), atol=1e-9)


def test_a_shallower_network_is_the_beginning_of_a_deeper_one():
    for changes in ({}, {"weights": "tied"}, {"activation": "relu"}, {"activation": "gelu"}):
        e = FRESH.replace(**changes)
        deep, shallow = (predict(e.replace(depth=d)).log2_rms_quantiles[0.95] for d in (24, 12))
        # The grid of a convolution depends on the depth, by a small part of a layer's spread.
        np.testing.assert_allclose(shallow, deep[:13], atol=2e-3)


# Fresh weights, exactly.


@pytest.mark.parametrize("width", [1, 2, 8, 64, 512])
def test_linear_lengths_have_the_moments_of_log_chi_square(width):
    depth = 50
    law = homogeneous_law(width, depth, 1, **LINEAR)
    for layer in (0, 1, depth):
        # ln of a mean of n squares: ψ(n/2) − ln(n/2) and ψ₁(n/2), of which rms is half.
        mean, variance = moments(law, layer)
        expected = (special.digamma(width / 2) - math.log(width / 2)) / 2
        # The grid is 1/16 of a layer's sd, or coarser for deep networks: its share in the variance.
        sd = special.polygamma(1, width / 2) ** 0.5 / 2
        assert mean == pytest.approx((layer + 1) * expected, abs=2e-3 * sd * (layer + 1))
        assert variance == pytest.approx((layer + 1) * sd**2, rel=1e-2)


def relu_share_moments(width):
    """Mean and variance of ½ln(χ²_K/n), K ~ Binomial(n, ½), K > 0."""
    k = np.arange(1, width + 1)
    weights = stats.binom.pmf(k, width, 0.5) / (1 - 0.5**width)
    means = (special.digamma(k / 2) - math.log(width / 2)) / 2
    mean = weights @ means
    return mean, weights @ (special.polygamma(1, k / 2) / 4 + (means - mean) ** 2)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 64, 512])
def test_relu_lengths_have_the_moments_of_a_chi_square_of_the_positive_units(width):
    law = homogeneous_law(width, 40, 1, **RELU)
    start = moments(law, 0)
    for layer in (1, 40):
        mean, variance = moments(law, layer)
        expected = relu_share_moments(width)
        sd = expected[1] ** 0.5
        assert mean - start[0] == pytest.approx(layer * expected[0], abs=3e-3 * sd * layer)
        assert variance - start[1] == pytest.approx(layer * expected[1], rel=1e-2)


def test_orthogonal_relu_takes_twice_a_beta_share():
    law = homogeneous_law(64, 1, 1, above=1.0, below=0.0, gaussian=False)
    k = np.arange(1, 64)
    weights = stats.binom.pmf(k, 64, 0.5) / stats.binom.pmf(k, 64, 0.5).sum()
    mean = weights @ (special.digamma(k / 2) - special.digamma(32)) / 2
    assert moments(law, 1)[0] - moments(law, 0)[0] == pytest.approx(mean, abs=1e-4)


def test_orthogonal_linear_keeps_the_input():
    law = predict(FRESH.replace(init="orthogonal", batch_size=3, depth=2))
    expected = np.log2(stats.chi2.ppf(LEVELS, 192) / 192) / 2
    for level, value in zip(LEVELS, expected, strict=True):
        np.testing.assert_allclose(law.log2_rms_quantiles[level], value, atol=5e-4)


@pytest.mark.parametrize("above, below, factor", [(1.0, 1.0, 2), (2**0.5, 0.0, 5)])
def test_the_mean_stays_one_while_the_median_falls(above, below, factor):
    # Hanin & Nica 2018, arXiv:1812.05994: E = 1 and E² = (1 + 2/n)ᴸ, (1 + 5/n)ᴸ at criticality.
    n, depth = 64, 30
    law = homogeneous_law(n, depth, 1, above=above, below=below, gaussian=True)
    square = 4.0 ** law.points[depth]
    # The grid adds 1/300 of a layer's variance, thirty times; in a square it counts four times.
    assert square @ law.weights[depth] == pytest.approx(1.0, rel=5e-3)
    second = (1 + 2 / n) * (1 + factor / n) ** depth  # the input has its own 2/n
    assert square**2 @ law.weights[depth] == pytest.approx(second, rel=2e-2)
    assert law.quantiles([0.5])[0, depth] < -0.3


def test_deep_relu_networks_are_lognormal_in_depth_over_width():
    # Hanin & Nica 2018, theorem 1: ln‖x‖² is N(−β/2, β) up to O(1/n), with β = 5L/n.
    n, depth = 1000, 40
    law = homogeneous_law(n, depth, 1, above=2**0.5, below=0.0, gaussian=True)
    (start, start_variance), (mean, variance) = moments(law, 0), moments(law, depth)
    assert 2 * (mean - start) == pytest.approx(-5 * depth / n / 2, rel=0.01)
    assert 4 * (variance - start_variance) == pytest.approx(5 * depth / n, rel=0.01)


@pytest.mark.parametrize("width", [1, 2, 5, 20, 64])
def test_relu_is_born_dead_as_often_as_some_layer_has_no_positive_unit(width):
    # Lu et al. 2019, arXiv:1903.06733: each layer with probability 2⁻ⁿ.
    law = predict(FRESH.replace(width=width, activation="relu"))
    assert law.born_dead == pytest.approx(1 - (1 - 2.0**-width) ** 20, rel=1e-9, abs=1e-16)
    for level, row in law.log2_rms_quantiles.items():
        dead = 1 - (1 - 2.0**-width) ** np.arange(21) >= level
        assert (np.isneginf(row) == dead).all()
        if law.std_known:
            assert np.isneginf(law.log2_std_quantiles[level][dead]).all()


@pytest.mark.parametrize("name", ["linear", "leaky_relu", "abs", "tanh", "gelu"])
def test_what_is_zero_at_zero_only_is_never_born_dead(name):
    assert predict(FRESH.replace(activation=name)).born_dead == 0


# Real runs.


def test_nine_runs_in_ten_end_in_the_band_of_nine_in_ten():
    rng = np.random.default_rng(3)
    each = 31
    found = [covered(family, each, rng) for family in FAMILIES.values()]
    for statistic in ("log2_rms", "log2_std"):
        share = sum(inside[statistic, 0.9] for inside in found) / (each * len(FAMILIES))
        # 403 experiments: a standard error of 1.5 %.
        assert 0.86 <= share <= 0.94
        share = sum(inside[statistic, 0.5] for inside in found) / (each * len(FAMILIES))
        assert 0.43 <= share <= 0.57  # a standard error of 2.5 %


def test_networks_of_one_unit_that_all_die_are_predicted_through_many_layers():
    """A half of them dies at every layer: after 1075 layers that is less than float64 holds."""
    e = Experiment(width=1, depth=1500, init="kaiming_normal", activation="relu", weights="fresh")
    law = predict(e)
    assert law.born_dead == 1.0
    few = predict(e.replace(depth=40))
    for level, quantile in law.log2_rms_quantiles.items():
        alive = np.isfinite(few.log2_rms_quantiles[level])
        np.testing.assert_array_equal(np.isfinite(quantile[:41]), alive)
        assert np.isneginf(quantile[60:]).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": 0.99, "number_format": "float8_e5m2", "depth": 500},  # lingers at the lower end
        {"scale": 3.0, "number_format": "float8_e4m3fn", "activation": "relu", "depth": 30},
    ],
)
def test_what_takes_long_reports_its_progress_and_can_be_stopped(changes):
    class Left(Exception):
        pass

    told = []

    def leave(fraction):
        told.append(fraction)
        if len(told) == 3:
            raise Left

    e = Experiment(width=40, init="lecun_normal", weights="fresh").replace(**changes)
    with pytest.raises(Left):
        predict(e, on_progress=leave)
    assert 0 < told[0] < told[1] < told[2] <= 1


@pytest.mark.parametrize(
    "e",
    [
        Experiment(width=64, depth=25, activation="linear", bias_std=0.3),
        Experiment(width=64, depth=25, activation="relu", bias_std=0.3, scale=1.5),
        Experiment(width=64, depth=25, activation="tanh", bias_std=0.3),
    ],
    ids=lambda e: e.activation,
)
def test_the_gradients_band_holds_as_many_networks_as_it_says_with_a_bias_too(e):
    e = e.replace(weights="fresh", init="lecun_normal")
    many = sample_ensemble(e, 2000, backward=True).log2_gradient_rms[:, 0]
    bands = predict(e).log2_gradient_rms_quantiles
    inside = np.mean((bands[0.05][0] <= many) & (many <= bands[0.95][0]))
    # Four standard errors of the share; the law, right up to O(1/n), is allowed 1/n beyond them.
    assert abs(inside - 0.9) <= 4 * (0.9 * 0.1 / 2000) ** 0.5 + 1 / e.width
    error = 1.2533 * many.std() / 2000**0.5  # of a median
    assert abs(np.median(many) - bands[0.5][0]) <= 4 * error + 0.002 * e.depth


# Where few units carry the gradient.


@pytest.mark.parametrize(
    "activation, init, scale",
    [
        ("hardtanh", "xavier_normal", 100.0),
        ("tanh", "normal", 100.0),
        ("relu6", "normal", 30.0),
    ],
)
def test_a_gradient_that_few_units_carry_has_no_law(activation, init, scale):
    e = Experiment(width=512, depth=10, weights="fresh").replace(
        activation=activation, init=init, scale=scale
    )
    lost = np.isneginf(sample_ensemble(e, 200, backward=True).log2_gradient_rms[:, 0])
    law = predict(e)
    assert lost.mean() > 0.05 and law.known and not law.gradient_known
    assert law.gradient_valid == (
        f"No law of the gradient is known: too few of 512 units carry it through {activation}."
    )
    assert law.gradient_overflow_pmf is None and law.gradient_all_zero_pmf is None


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("changes", [{"init": "critical"}, {"init": "xavier_normal"}])
def test_a_gradient_that_many_units_carry_keeps_its_law(name, changes):
    law = predict(Experiment(width=64, depth=20, weights="fresh", activation=name, **changes))
    assert law.gradient_known == law.known


@pytest.mark.parametrize("name", ["tanh", "erf", "hardtanh", "softsign"])
def test_the_narrowest_and_roughest_of_the_calibration_keep_their_law(name):
    e = Experiment(width=32, depth=60, weights="fresh", activation=name)
    assert predict(e.replace(init="lecun_normal", scale=2.5)).gradient_known


@pytest.mark.parametrize("scale, width", [(30.0, 64), (1e4, 16)])
def test_the_gradient_of_an_oscillating_activation_has_its_band_far_out_too(scale, width):
    """There quadrature sees few points of each period; beyond its table moments are powers."""
    e = Experiment(width=width, depth=25, weights="fresh", activation="sin", scale=scale)
    e = e.replace(init="xavier_normal")
    found = sample_ensemble(e, 500, backward=True).log2_gradient_rms[:, 0]
    bands = predict(e).log2_gradient_rms_quantiles
    inside = np.mean((bands[0.05][0] <= found) & (found <= bands[0.95][0]))
    # Four standard errors, and 1/n for a law that is right up to O(1/n).
    assert abs(inside - 0.9) <= 4 * (0.9 * 0.1 / 500) ** 0.5 + 1 / width
    assert abs(np.median(found) - bands[0.5][0]) < 0.5 * (bands[0.75][0] - bands[0.25][0])
