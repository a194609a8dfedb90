"""What the lesson found, over many draws."""

import numpy as np
import pytest

from core import Experiment, propagate

LESSON = Experiment()
SEEDS = range(50)


def over_seeds(e):
    return [propagate(e.replace(seed=seed)) for seed in SEEDS]


@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_scale_one_becomes_nan_near_iteration_28(weights):
    depth = 31  # later layers cannot come first
    found = [
        run.events.first_nonfinite
        for run in over_seeds(LESSON.replace(weights=weights, depth=depth))
    ]
    assert set(found) <= {26, 27, 28, 29} and 27 <= np.median(found) <= 28


def test_the_lessons_own_check_is_never_later_than_the_first_broken_element():
    for run in over_seeds(LESSON.replace(depth=31)):
        assert run.events.notebook_mean_nan <= run.events.first_nonfinite
        assert run.events.notebook_std_nan <= run.events.first_nonfinite


def test_a_hundredth_vanishes_through_the_subnormals_to_exact_zero():
    run = propagate(LESSON.replace(scale=0.01))
    assert run.events.first_nonfinite is None
    assert 50 < run.events.all_subnormal < run.events.all_zero < 80
    assert run.stats.std[-1] == 0


def test_a_tenth_grows_but_stays_finite():
    run = propagate(LESSON.replace(scale=0.1))
    assert run.events.first_nonfinite is None
    assert 1e34 < run.stats.std[-1] < 1e38  # the lesson printed 2.2e36


@pytest.mark.parametrize("init", ["xavier_normal", "orthogonal"])
@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_one_over_root_n_holds(init, weights):
    run = propagate(LESSON.replace(init=init, weights=weights))
    assert 0.1 < run.stats.std[-1] < 10


def test_scaling_by_one_over_root_n_is_xavier():
    # Two ways to write one number: they differ by a rounding of the weights at most.
    by_hand = propagate(LESSON.replace(scale=512**-0.5))
    xavier = propagate(LESSON.replace(init="xavier_normal"))
    assert by_hand.stats.std[-1] == pytest.approx(xavier.stats.std[-1], rel=1e-4)


def test_relu_halves_the_second_moment_at_every_layer():
    run = propagate(LESSON.replace(init="xavier_normal", activation="relu", weights="fresh"))
    # Per layer log2 rms falls by ½ on average; the mean over 100 layers of n = 512 has a
    # standard error of √(5/512)/2/ln 2/√100 = 0.007, and a finite-width shift of the same size.
    slope = (run.stats.log2_rms[-1] - run.stats.log2_rms[1]) / 99
    assert slope == pytest.approx(-0.5, abs=0.03)


def test_kaiming_holds_with_relu():
    run = propagate(LESSON.replace(init="kaiming_normal", activation="relu", weights="fresh"))
    assert abs(run.stats.log2_rms[-1]) < 5  # five standard deviations of √(100·5/512)/2/ln 2
    assert (run.stats.zero[1:] > 0.35).all() and (run.stats.zero[1:] < 0.65).all()


def test_one_product_multiplies_the_std_by_root_n():
    stds = [run.stats.std[1] for run in over_seeds(LESSON.replace(depth=1))]
    # 50 stds of 512 values scatter by 3.2 % and by |x0|, another 3 %.
    assert np.mean(stds) == pytest.approx(512**0.5, rel=5 * 0.045 / 50**0.5)
