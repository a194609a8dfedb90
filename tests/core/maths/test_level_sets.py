"""Intervals on which a condition holds, against conditions whose ends are known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from core.maths.level_sets import Intervals, intervals_where


def test_ends_are_the_last_float64_numbers_at_which_the_condition_holds():
    found = intervals_where(lambda h: (h > 1) & (h <= 3) | (h < -math.pi), (1.0, 3.0))
    assert found.low.tolist() == [-math.inf, math.nextafter(1, 2)]
    assert found.high.tolist() == [math.nextafter(-math.pi, -4), 3.0]
    assert found.holds(3.0) and not found.holds(1.0) and found.holds(-1e300)


def test_single_points_and_zeros_of_either_sign_are_found():
    found = intervals_where(lambda h: (h == 0) | (h == 0.3), (0.3,))
    assert (found.low.tolist(), found.high.tolist()) == ([0.0, 0.3], [0.0, 0.3])
    assert found.holds(-0.0)


def test_a_condition_that_never_or_always_holds():
    assert intervals_where(lambda h: torch.zeros_like(h, dtype=torch.bool)).low.size == 0
    always = intervals_where(lambda h: h == h)
    assert (always.low.tolist(), always.high.tolist()) == ([-math.inf], [math.inf])


@pytest.mark.parametrize("mean", [-3.0, 0.0, 0.4, 40.0])
@pytest.mark.parametrize("std", [1e-3, 1.0, 1e200])
def test_probabilities_are_those_of_scipy(mean, std):
    where = Intervals(np.array([-np.inf, 1.0]), np.array([-2.0, 3.0]))
    law = norm(mean, std)
    expected = law.cdf(-2) + (law.cdf(3) - law.cdf(1) if mean < 1 else law.sf(1) - law.sf(3))
    # Two differences of float64 probabilities, each to an ulp of 1 or of the tail itself.
    assert where.probability(mean, std) == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_a_number_that_does_not_vary_is_in_the_set_or_is_not():
    where = Intervals(np.array([0.0]), np.array([1.0]))
    assert where.probability(np.array([0.0, 1.0, 1.5]), 0.0).tolist() == [1, 1, 0]
