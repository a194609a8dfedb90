"""Finding: each verdict, on claims whose measured numbers are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from core import Experiment
from core.papers import Finding, blank, reproduce, reproduce_all, theory
from core.papers.finding import CHANCE

from .claims import claim, networks_around


def exactly(*values):
    return lambda experiment: np.array(values)


def verdict(*printed, **changes):
    return reproduce(claim(printed, **changes)).verdict


def test_a_number_agrees_within_its_rounding_and_our_error():
    # 400 networks with a spread of 0.01: the error is 0.0005, and 3.93 of them are 0.00197.
    assert verdict("1.0") == "agrees"
    assert verdict("1.002") == "agrees"  # 0.002 off, of which 0.0005 is rounding
    assert verdict("1.003") == "differs"  # 0.003 > 0.0005 + 0.00197


def test_a_number_drawn_once_may_be_off_by_its_own_sampling_error():
    assert verdict("1.000", drawn=1) == "agrees"
    assert verdict("1.03", drawn=1) == "agrees but for their sampling error"  # 3 spreads
    assert verdict("1.06", drawn=1) == "differs"  # 5.5 spreads beyond the rounding
    assert verdict("1.012", drawn=100) == "differs"  # their mean of 100 has an error of 0.001


def test_a_known_number_is_judged_by_theory_and_not_by_the_networks():
    assert verdict("1.002", exact=exactly(1.0)) == "differs"
    assert verdict("1.002", exact=exactly(1.002)) == "agrees"


def test_networks_that_leave_theory_are_not_as_told():
    finding = reproduce(claim("1.010", exact=exactly(1.01)))
    assert finding.verdict == "agrees" and not finding.follows_theory and not finding.is_as_told
    near = reproduce(claim("1.000", exact=exactly(1.001)))  # 2 errors of 0.0005
    assert near.follows_theory


def test_a_tolerance_is_relative():
    assert verdict("10.30", center=10.0, within=0.03, because="a reason") == "agrees"
    assert verdict("10.35", center=10.0, within=0.03, because="a reason") == "differs"


def test_the_worst_number_is_the_verdict_of_the_row():
    finding = reproduce(claim(("1.00", "1.03", "1.06"), drawn=1))
    assert finding.each == ("agrees", "agrees but for their sampling error", "differs")
    assert finding.verdict == "differs"


def test_where_nothing_was_printed_there_is_no_verdict():
    finding = reproduce(claim(("1.00", "")))
    assert finding.each == ("agrees", None) and finding.verdict == "agrees"


def test_ratios_are_compared_by_their_logarithm():
    around = {"measure": lambda e, n: np.exp(networks_around([np.log(1e-9)], 0.5)(e, n))}
    finding = reproduce(claim("1.0e-9", is_factor=True, **around))
    assert finding.measured == pytest.approx(1e-9, rel=1e-9)  # the mean of logarithms, rounded
    assert finding.spread == pytest.approx(0.5, rel=1e-9)
    assert verdict("3.0e-9", is_factor=True, **around) == "differs"  # ln 3 = 44 errors of 0.025
    assert verdict("3.0e-9", is_factor=True, drawn=1, **around) == (
        "agrees but for their sampling error"  # 2.2 spreads
    )
    assert verdict("3.0e-10", is_factor=True, drawn=1, **around) == (
        "agrees but for their sampling error"  # as far below
    )


@pytest.mark.parametrize("exact", [None, exactly(1.0, 1.0)])
def test_a_number_that_could_not_be_measured_is_not_as_told(exact):
    def measure(experiment, networks):
        return np.array([[1.0, np.nan if k == 3 else 1.0] for k in range(networks)])

    finding = reproduce(claim(("1.0", "1.0"), exact=exact, measure=measure))
    assert np.isnan(finding.measured[1]) and not finding.is_as_told


@pytest.mark.parametrize("printed", ["1.0", "1.5"])
@pytest.mark.parametrize("why", ["", "They slipped."])
def test_a_row_is_as_told_if_it_differs_where_it_says_why(printed, why):
    finding = reproduce(claim(printed, why=why))
    assert finding.is_as_told == ((printed == "1.5") == bool(why))


def test_a_lucky_draw_is_as_told():
    lucky = reproduce(claim("1.0", drawn=1))
    assert lucky.verdict == "agrees" and lucky.is_as_told


def test_few_networks_are_judged_by_students_t():
    errors = {n: Finding(claim("1"), n, *[np.ones(1)] * 4).sure for n in (2, 4, 16, 10**6)}
    assert errors[2] == pytest.approx(1 / np.tan(np.pi * CHANCE / 2), rel=1e-9)  # Cauchy's quantile
    assert errors[2] > errors[4] > errors[16] > errors[10**6]
    # Student's t differs from the normal distribution by O(1/networks).
    assert errors[10**6] == pytest.approx(norm.isf(CHANCE / 2), rel=1e-5)


def test_a_right_number_is_seldom_called_different():
    """Means of 8 normal numbers, which have the mean that was printed.

    The chance is 10⁻⁴ of each, so that of 4000 more than 4 come once in 10⁵ times.
    """

    def measure(experiment, networks):
        return 1 + np.random.default_rng(experiment.seed).standard_normal((networks, 1))

    found = [
        reproduce(
            claim("1.0000000000", measure=measure, few=8, experiment=Experiment(seed=k)), small=True
        )
        for k in range(4000)
    ]
    assert sum(each.verdict == "differs" for each in found) <= 4


def test_a_row_that_fails_is_told_and_the_others_go_on():
    def fails(experiment, networks):
        raise RuntimeError("no memory")

    told = []
    broken = claim("1.0", measure=fails, exact=exactly(1.0))
    found = reproduce_all([broken, claim("1.0")], told.append)
    assert found[0].problem == "RuntimeError: no memory" and not found[0].is_as_told
    assert found[1].verdict == "agrees" and [len(each) for each in told] == [1, 2]
    [unknown] = theory([claim("1.0", exact=lambda experiment: 1 / 0)])
    assert "ZeroDivisionError" in unknown.problem and np.isnan(unknown.exact).all()


def test_before_it_is_measured_a_claim_shows_what_theory_says():
    known = blank(claim("1.002", exact=exactly(1.0)))
    assert known.networks == 0 and np.isnan(known.measured).all()
    assert known.exact == 1.0 and known.verdict == "differs"
    assert blank(claim("1.0")).verdict is None
    assert blank(claim("1.1", drawn=1, exact=exactly(1.0))).verdict is None  # what it scatters by
    assert blank(claim("1.0", drawn=1, exact=exactly(1.0))).verdict == "agrees"
    assert not known.is_as_told


def test_a_measure_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"made-up: measure must give \(400, 1\), got \(400, 2\)"):
        reproduce(claim("1.0", measure=networks_around([1.0, 1.0], 0.1)))


def test_the_small_table_measures_few_networks():
    assert reproduce(claim("1.0"), small=True).networks == 16
    assert reproduce(claim("1.0")).networks == 400
