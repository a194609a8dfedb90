"""One experiment in several formats, in words."""

from core import NUMBER_FORMATS, Experiment, propagate
from core.reading.comparison import carriers, conventions, format_row, loss
from core.reading.expectation import predicted_iteration
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


def test_ends_without_a_law_are_not_taken_for_never():
    e = Experiment(width=64, depth=40, weights="fresh", skip="identity")
    prediction = predict(e)
    assert prediction.known and not prediction.ends_known
    row = format_row(propagate(e), prediction)
    assert row.overflow_predicted == row.all_zero_predicted == "no law"
    assert row.reason == prediction.valid and predicted_iteration(prediction) == ""


def test_float8_sticks_or_becomes_infinite():
    stuck = format_row(RUNS["float8_e4m3fn"], Prediction(""))
    assert stuck.overflow == "none: it sticks" and stuck.saturated.endswith(" %")
    faint = propagate(Experiment(number_format="float8_e4m3fn", width=64, depth=9, scale=0.01))
    assert format_row(faint, Prediction("")).overflow == "none"
    words = " ".join(conventions(RUNS))
    index = RUNS["float8_e5m2"].events.first_nonfinite
    assert f"first at i = {index}" in words and stuck.saturated in words and "448" in words
    assert NUMBER_FORMATS["float8_e4m3fn"].beyond_max in words and "never becomes" not in words
    assert conventions({"float32": RUNS["float32"]}) == []


def test_what_sets_a_format_apart_is_told_of_it_alone():
    for name, run in RUNS.items():
        told = conventions({name: run})
        assert told == ([] if name in ("float64", "float32", "bfloat16", "float16") else told)
        assert all(each.startswith(name) for each in told)
    [nan] = conventions({"nan": RUNS["float8_e4m3fn_nan"]})
    first = RUNS["float8_e4m3fn_nan"].events.first_nan
    assert "becomes NaN" in nan and nan.endswith(f"Here the first does at i = {first}.")


def in_all(**fields):
    return {name: propagate(Experiment(number_format=name, **fields)) for name in NUMBER_FORMATS}


def test_the_formats_that_carry_the_signal_are_named_and_where_the_others_lose_it():
    said = carriers(RUNS)
    index = {name: run.events.first_nonfinite for name, run in RUNS.items()}
    assert index["float64"] is None and index["float32"] == 28
    assert said.startswith("float64 carries the signal through all 40 products. The others lose it")
    for name, run in RUNS.items():
        found = loss(run)
        if name == "float64":
            assert found is None
        elif name == "float8_e4m3fn":
            stuck = run.stats.saturated / (1 - run.stats.zero)
            assert found.what == "stuck at 448" and (stuck[found.iteration + 1 :] >= 0.25).all()
            assert (
                stuck[found.iteration] < 0.25 and f"at i = {found.iteration} (stuck at 448)" in said
            )
        else:
            assert (
                found.iteration == index[name]
                and f"at i = {found.iteration} ({found.what})" in said
            )
    assert said.index("float32") < said.index("float8_e4m3fn")


def test_when_all_carry_it_or_none_does_that_is_said():
    kept = in_all(width=64, depth=5, init="xavier_normal")
    assert carriers(kept) == "All of these formats carry the signal through all 5 products."
    one = {"float16": propagate(Experiment(width=64, depth=1, number_format="float16"))}
    assert carriers(one).endswith("through 1 product.")
    lost = carriers(in_all(width=64, depth=2000, scale=0.01))
    assert lost.startswith("No format carries the signal through all 2000 products: it is lost by ")
    assert "(all zero)" in lost
    two = {name: RUNS[name] for name in ("float64", "float32")}
    assert carriers(two).endswith("The other one loses it: float32 at i = 28 (NaN).") or carriers(
        two
    ).endswith("The other one loses it: float32 at i = 28 (Inf).")


def test_a_format_that_cuts_the_largest_elements_off_is_told():
    run = propagate(Experiment(number_format="float8_e4m3fn", scale=0.05))
    share = float(run.stats.saturated[-1] / (1 - run.stats.zero[-1]))
    assert 0 < share < 0.25 and loss(run) is None
    said = carriers({"float8_e4m3fn": run})
    assert said.endswith(
        f"But in float8_e4m3fn {share:.0%} of the last layer's elements are stuck at 448."
    )
