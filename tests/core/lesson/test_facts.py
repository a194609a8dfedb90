"""What no step measures of the lesson's own network, and the lesson tells."""

import pytest

from core import Experiment, propagate

LESSON = Experiment()
SEEDS = range(50)


def test_the_lessons_own_check_is_never_later_than_the_first_broken_element():
    for seed in SEEDS:
        events = propagate(LESSON.replace(depth=31, seed=seed)).events
        assert events.notebook_mean_nan <= events.first_nonfinite
        assert events.notebook_std_nan <= events.first_nonfinite


def test_a_hundredth_vanishes_through_the_subnormals_to_exact_zero():
    run = propagate(LESSON.replace(scale=0.01))
    assert run.events.first_nonfinite is None
    assert 50 < run.events.all_subnormal < run.events.all_zero < 80
    assert run.stats.std[-1] == 0


def test_relu_sets_half_to_zero_and_halves_the_second_moment_at_every_layer():
    run = propagate(LESSON.replace(init="xavier_normal", activation="relu", weights="fresh"))
    # Half of 512 signs has a standard error of 2.2 %: seven of them.
    assert (run.stats.zero[1:] > 0.35).all() and (run.stats.zero[1:] < 0.65).all()
    # Per layer log2 rms falls by ½ on average; the mean over 100 layers of n = 512 has a
    # standard error of √(5/512)/2/ln 2/√100 = 0.007, and a finite-width shift of the same size.
    slope = (run.stats.log2_rms[-1] - run.stats.log2_rms[1]) / 99
    assert slope == pytest.approx(-0.5, abs=0.03)
