"""A run beside what was to be expected, in words and numbers."""

import re

import numpy as np
import pytest

from core import Experiment, propagate
from core.reading.expectation import bands, in_words, luck, predicted_iteration, tied_against_fresh
from core.simulation.ensemble import sample_ensemble
from core.theory.finite_width import LEVELS, Prediction, predict

HOLDS = Experiment(scale=512**-0.5)


def expected(experiment, ensemble=None):
    return bands(predict(experiment), ensemble, single=experiment.is_single_number)


@pytest.mark.parametrize(
    ("pmf", "words"),
    [
        ({}, "never"),
        ({5: 1.0}, "5 (> 99 %)"),
        ({28: 0.89, 27: 0.11}, "28 (89 %), 27 (11 %)"),
        ({28: 0.6}, "28 (60 %), never (40 %)"),
        ({3: 0.2}, "never (80 %), 3 (20 %)"),
        (dict.fromkeys(range(10, 20), 0.1), "10 to 19 (90 %), likeliest 10"),
        (dict.fromkeys(range(110), 0.004), "5 to 104 (40 %), likeliest 0, never (56 %)"),
    ],
)
def test_a_law_in_words(pmf, words):
    assert in_words(pmf) == words


def test_the_lessons_own_network_was_to_break_at_28_or_27():
    told = predicted_iteration(predict(Experiment()))
    assert re.fullmatch(r"predicted 28 \(\d\d %\), 27 \(\d\d %\)", told)
    assert predicted_iteration(predict(Experiment(scale=0.01))).startswith("predicted all zero at ")
    assert predicted_iteration(predict(HOLDS)) == "predicted none"
    assert predicted_iteration(predict(Experiment(activation="relu"))) == ""


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_luck_is_the_share_of_networks_below(activation, seed):
    e = Experiment(width=128, depth=40, init="critical", weights="fresh", activation=activation)
    run = propagate(e.replace(seed=seed))
    [below] = re.findall(r"; (<|>)? ?(\d+) % of all networks lie below", luck(run, expected(e)))
    sampled = sample_ensemble(e, 2000).log2_std[:, -1]
    # √(¼/2000) is 1.1 %: four of them, and one for rounding and what lies between the levels.
    share = 100 * (sampled < run.stats.log2_std[-1]).mean()
    assert abs(float(below[1]) - share) < 5.5


def test_where_there_is_nothing_to_say_nothing_is_said():
    unknown = Experiment(activation="relu", depth=5)
    assert expected(unknown) is None and luck(propagate(unknown), None) == ""
    dead = Experiment(scale=0.0, depth=5)
    assert luck(propagate(dead), expected(dead)) == ""


def test_an_ensemble_stands_in_where_no_law_is_known_and_says_so():
    e = Experiment(width=32, depth=5, activation="relu")
    sampled = sample_ensemble(e, 50)
    found = expected(e, sampled)
    assert not found.is_theory and found.source.endswith("Sampled in 50 networks.")
    median = np.median(sampled.log2_std[:, -1])
    spread = np.sort(sampled.log2_std[:, -1])
    assert abs(np.searchsorted(spread, found.quantiles[0.5][-1]) - 25) <= 1
    assert found.quantiles[0.05][-1] < median < found.quantiles[0.95][-1]
    law = Experiment(width=32, depth=5)
    assert expected(law, sampled).is_theory


def test_quantiles_of_dead_networks_are_no_numbers_to_interpolate():
    e = Experiment(width=2, depth=30, activation="relu")
    found = expected(e, sample_ensemble(e, 64))
    last = [found.quantiles[level][-1] for level in LEVELS]
    assert last[0] == -np.inf and not np.isnan(last).any()


def test_a_single_number_is_measured_by_its_magnitude():
    e = Experiment(width=1, depth=4, weights="fresh")
    law = predict(e)
    assert bands(law, None, single=True).quantiles is law.log2_rms_quantiles


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"activation": "relu", "scale": (2 / 512) ** 0.5}, True),
        ({"weights": "fresh"}, False),
        ({"scale": 0.05}, False),
        ({"bias_std": 0.1}, False),
        ({"init": "zeros"}, False),
        ({"width": 1, "scale": 1.0}, False),
    ],
)
def test_tied_is_set_against_fresh_where_the_second_moment_is_kept(changes, told):
    words = tied_against_fresh(propagate(HOLDS.replace(depth=20, **changes)))
    assert bool(words) == told
    if told:
        assert re.search(r"end with a std between 0\.\d+ and 1\.\d+\. Here one matrix", words)


def test_without_a_law_there_are_no_bands():
    assert bands(Prediction("No law."), None, single=False) is None
