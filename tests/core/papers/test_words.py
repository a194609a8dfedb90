"""Findings in words: a number and its error with the same decimals."""

from __future__ import annotations

import numpy as np
import pytest

from core.papers import Finding
from core.papers.words import exact_text, measured_text, theirs_text

from .claims import claim


def finding(value, error, printed="1.0", spread=0.0, **changes):
    known = (np.array([each]) for each in (value, error, spread, value))
    return Finding(claim(printed, **changes), 64, *known)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (27.791, 0.0592, "27.791 ± 0.059"),
        (0.0254, 0.00059, "0.02540 ± 0.00059"),
        (9.3e-10, 1.23e-11, "(9.30 ± 0.12)e−10"),
        (-0.00391, 0.0031, "−0.0039 ± 0.0031"),
        (0.0, 0.0, "0"),
        (24.0, 0.0, "24"),
        (float("nan"), float("nan"), ""),
        (1234567.0, 8910.0, "(1.2346 ± 0.0089)e6"),
        (3.0e-7, 0.02, "0.000 ± 0.020"),
    ],
)
def test_a_number_and_its_error_have_the_same_decimals(value, error, text):
    assert measured_text(finding(value, error), 0) == text


def test_the_error_of_a_ratio_is_that_of_its_logarithm():
    assert measured_text(finding(200.0, 0.01, is_factor=True), 0) == "200.0 ± 2.0"


def test_an_inverse_is_told_as_one():
    inverse = finding(1 / 16820, 0.0067, "1/1.7e4", is_factor=True)
    assert measured_text(inverse, 0) == "1/1.682e4 ± 0.67 %"
    assert exact_text(inverse, 0) == "1/16820"


def test_their_error_is_absolute_or_in_percent_as_numbers_are_compared():
    assert theirs_text(finding(1.0, 0.01, drawn=1, spread=0.08), 0) == "± 0.08"
    assert theirs_text(finding(1.0, 0.01, drawn=4, spread=0.08), 0) == "± 0.04"
    assert theirs_text(finding(1.0, 0.01, drawn=1, spread=0.08, is_factor=True), 0) == "± 8 %"
    assert theirs_text(finding(1.0, 0.01, spread=0.08), 0) == ""
