"""One experiment in several formats, in words."""

from core import NUMBER_FORMATS, Experiment, propagate
from core.reading.comparison import eight_bits, format_row
from core.theory.finite_width import Prediction, predict

RUNS = {name: propagate(Experiment(number_format=name, depth=40)) for name in NUMBER_FORMATS}


def test_a_row_says_what_was_measured_and_predicted():
    row = format_row(RUNS["float32"], predict(RUNS["float32"].experiment))
    assert (row.overflow, row.all_zero, row.saturated, row.reason) == ("28", "none", "–", "")
    assert row.overflow_predicted.startswith("28 (") and row.all_zero_predicted == "never"
    assert row.range == ("1.4e-45", "3.4e38")


def test_where_no_law_is_known_the_row_says_why():
    row = format_row(RUNS["float16"], Prediction("No law is known for this."))
    assert row.overflow_predicted == row.all_zero_predicted == "no law"
    assert row.reason == "No law is known for this."


def test_float8_sticks_or_becomes_infinite():
    stuck = format_row(RUNS["float8_e4m3fn"], Prediction(""))
    assert stuck.overflow == "none: it sticks" and stuck.saturated.endswith(" %")
    faint = propagate(Experiment(number_format="float8_e4m3fn", width=64, depth=9, scale=0.01))
    assert format_row(faint, Prediction("")).overflow == "none"
    words = eight_bits(RUNS)
    index = RUNS["float8_e5m2"].events.first_nonfinite
    assert f"first at i = {index}" in words and stuck.saturated in words and "448" in words
    assert eight_bits({"float32": RUNS["float32"]}) == ""
