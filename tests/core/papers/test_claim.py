"""Claim: what was printed, as a value and its rounding; entries that contradict themselves."""

from __future__ import annotations

import math

import pytest

from core.papers.claim import value_of

from .claims import claim


@pytest.mark.parametrize(
    ("printed", "value", "rounding"),
    [
        ("28", 28.0, 0.0),  # a count
        ("0.627", 0.627, 0.0005),
        ("0.10", 0.1, 0.005),
        ("6.7e-16", 6.7e-16, 0.05e-16),
        ("5.3e4", 53000.0, 500.0),
        ("1/5.9", 1 / 5.9, 0.05 / 5.9**2),
        ("1/1.7e4", 1 / 17000, 500 / 17000**2),
    ],
)
def test_a_printed_number_is_known_to_half_a_unit_of_its_last_digit(printed, value, rounding):
    found = value_of(printed)
    assert found == pytest.approx((value, rounding), rel=1e-12)  # a few ulps of float64


def test_where_nothing_was_printed_there_is_no_number():
    assert all(math.isnan(number) for number in value_of(""))


@pytest.mark.parametrize("printed", ["about 3", "1,5", "1/", "e5", " 1", "1/0.5/2", "-0.3", "∞"])
def test_what_is_no_number_is_refused_by_name(printed):
    with pytest.raises(ValueError, match="a printed number must be like") as refused:
        value_of(printed)
    assert repr(printed) in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"at": ("one", "two")}, "every number needs a place"),
        ({"topic": "Cooking"}, "topic must be one of"),
        ({"within": 0.1}, "a tolerance needs a reason"),
        ({"because": "it is so"}, "a tolerance needs a reason"),
        ({"name": "two words"}, "name must be"),
        ({"networks": 1}, "at least 2 networks"),
        ({"few": 1}, "at least 2 networks"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        claim("1.0", **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "agrees"),
        ({"drawn": 1}, "agrees but for their sampling error"),
        ({"why": "They slipped."}, "differs"),
        ({"why": "They slipped.", "drawn": 1}, "differs"),
    ],
)
def test_a_row_that_gives_a_reason_differs_and_others_agree(changes, expected):
    assert claim("1.0", **changes).expected == expected


@pytest.mark.parametrize(
    ("at", "along"),
    [
        (("layer 1", "layer 5", "layer 10"), (1.0, 5.0, 10.0)),
        (("1/ξ, σ_w² = 1", "1/ξ, σ_w² = 1.3"), (1.0, 1.3)),
        (("fan of 576", "nine layers"), None),
        (("relu", "tanh"), None),
        (("after 1 block", "after 4 blocks"), None),
    ],
)
def test_numbers_are_one_curve_if_their_places_differ_in_a_number_alone(at, along):
    assert claim(("1.0",) * len(at), at=at).along == along


def test_an_entry_without_a_number_is_refused():
    with pytest.raises(ValueError, match="at least one number must be printed"):
        claim("")


def test_an_entry_whose_number_is_none_is_refused():
    with pytest.raises(ValueError, match="a printed number must be like"):
        claim("about 1")
