import numpy as np
import pytest

from core.reading.trend import factor_of, level_of, power_of

K = np.arange(201)


def walk(seed, sd, layers=201):
    return np.concatenate([[0.0], np.random.default_rng(seed).normal(0, sd, layers - 1).cumsum()])


def around(seed, sd, layers=201):
    return np.random.default_rng(seed).normal(0, sd, layers)


@pytest.mark.parametrize("octaves", [-2.0, -0.1, 0.03, 4.5])
@pytest.mark.parametrize("sd", [0.0, 1e-7, 0.01])
def test_a_straight_curve_has_its_factor(octaves, sd):
    found = factor_of(octaves * K + walk(1, sd))
    assert not found.is_flat
    assert found.octaves == pytest.approx(octaves, abs=5 * sd / 10 + 1e-12)
    assert power_of(octaves * K + walk(1, sd)) is None


def test_a_factor_within_its_noise_of_1_is_flat_and_one_that_is_not_known_so_well_is_none():
    assert factor_of(walk(2, 0.01)).is_flat
    assert factor_of(walk(2, 0.1)) is None


@pytest.mark.parametrize("exponent", [-1.0, -0.5, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("begins", [0.5, 2.0])
@pytest.mark.parametrize("sd", [0.0, 0.003])
def test_a_power_of_the_layer_is_no_factor(exponent, begins, sd):
    log2 = exponent * np.log2(K + begins) + walk(3, sd)
    assert factor_of(log2) is None
    found = power_of(log2)
    # The offset bends the power by begins/k at most, and k is 25 or more.
    assert found.exponent == pytest.approx(exponent, abs=abs(exponent) * begins / 25 + 0.07)
    assert level_of(log2) is None


def test_a_power_hidden_by_noise_is_not_claimed():
    claims = [power_of(-0.5 * np.log2(K + 1) + walk(seed, 0.2)) for seed in range(50)]
    factors = [factor_of(-0.5 * np.log2(K + 1) + walk(seed, 0.2)) for seed in range(50)]
    assert sum(claim is not None for claim in claims) <= 2 and not any(factors)


@pytest.mark.parametrize("sd", [0.0, 0.05, 0.2])
def test_a_plateau_after_a_fall_is_a_level(sd):
    log2 = np.maximum(-0.5 * K, -6.0) + around(4, sd)
    found = level_of(log2)
    assert found.log2 == pytest.approx(-6, abs=4 * sd / 10 + 1e-12)
    assert found.layer <= 14
    assert factor_of(log2) is None or factor_of(log2).is_flat


def test_a_walk_has_no_level_and_no_trend():
    # A walk of 200 steps keeps its last half at one height by chance in few cases in a hundred.
    walks = [walk(seed, 0.1) for seed in range(200)]
    assert sum(level_of(each) is not None for each in walks) <= 6
    assert sum(power_of(each) is not None for each in walks) <= 6
    assert sum(factor_of(each) is not None for each in walks) <= 2


def test_two_slopes_are_no_factor_where_the_last_half_has_both_and_one_where_it_has_the_last():
    assert factor_of(np.where(K < 150, -0.1 * K, -15 - 0.3 * (K - 150))) is None
    late = np.where(K < 50, -0.1 * K, -5 - 0.3 * (K - 50))
    found = factor_of(late)
    assert found.octaves == pytest.approx(-0.3) and found.from_layer == 100
    assert factor_of(-0.3 * K).from_layer == 0


def test_few_layers_show_no_trend():
    assert factor_of(-1.0 * K[:4]) is None
    assert factor_of(-1.0 * K[:5]).octaves == pytest.approx(-1)
    assert power_of(np.log2(K[1:20])) is None
    assert level_of(np.zeros(8)) is None
