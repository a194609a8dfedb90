import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment, propagate
from core.reading.verdict import judge
from core.text import ordinal, significant
from tests.core.experiments import LAYERS, allowed

LESSON = Experiment()
PLATEAU = {"init": "torch_linear", "bias_std": 0.0255, "weights": "fresh", "activation": "gelu"}
PLATEAU |= {"depth": 50}


def verdict(**changes):
    return judge(propagate(LESSON.replace(**changes)))


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({}, "explodes"),
        ({"number_format": "float16"}, "explodes"),
        ({"scale": 0.01}, "vanishes"),
        ({"scale": 0.0}, "vanishes"),
        ({"scale": 1e-60}, "vanishes"),
        ({"scale": 0.1}, "grows"),
        ({"depth": 1}, "grows"),
        ({"depth": 2}, "grows"),
        ({"scale": 0.05, "depth": 50}, "grows"),
        ({"activation": "relu_squared", "scale": 0.1, "depth": 5}, "grows"),
        ({"init": "xavier_normal"}, "holds"),
        ({"init": "orthogonal"}, "holds"),
        ({"init": "identity"}, "holds"),
        ({"init": "kaiming_normal", "activation": "relu", "weights": "fresh"}, "holds"),
        ({"init": "xavier_normal", "activation": "relu", "weights": "fresh"}, "shrinks"),
        ({"number_format": "float8_e4m3fn"}, "saturates"),
        ({"number_format": "float8_e4m3fn", "activation": "relu"}, "saturates"),
        ({"init": "identity", "scale": 0.9, "depth": 2000, "width": 64}, "stuck"),
        (
            {"weights": "fresh", "init": "xavier_normal", "scale": 0.9, "depth": 300}
            | {"number_format": "float16"},
            "stuck",
        ),
        ({"init": "identity", "scale": 0.8, "number_format": "float8_e5m2"}, "stuck"),
        ({"init": "identity", "scale": 0.9, "number_format": "bfloat16", "depth": 1200}, "stuck"),
        (PLATEAU, "settles"),
        (PLATEAU | {"batch_size": 8}, "collapses"),
        ({"activation": "tanh", "init": "xavier_normal", "weights": "fresh"}, "shrinks"),
        ({"width": 1, "activation": "relu", "seed": 3, "weights": "fresh"}, "dies"),
        ({"activation": "softplus", "scale": 0.0}, "collapses"),
    ],
)
def test_each_kind_of_run_gets_its_word(changes, kind):
    assert verdict(**changes).kind == kind


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"scale": 1e-60}, "The weights themselves are too small"),
        ({"scale": 1e5, "number_format": "float16", "activation": "tanh"}, "do not fit float16"),
        (
            {"init": "identity", "bias_std": 1e6, "number_format": "float16", "activation": "sin"},
            "The biases (std 1e6) do not fit float16",
        ),
        (
            {"width": 1, "activation": "relu", "weights": "fresh", "bias_std": 0.1, "seed": 5},
            "but the next layers come back",
        ),
        ({"activation": "relu", "width": 1, "seed": 3}, "no pre-activation is positive"),
        ({"init": "orthogonal", "bias_std": 1e6}, "After 100 products the std is"),
    ],
)
def test_odd_runs_are_explained_by_what_really_happened(changes, words):
    assert words in verdict(**changes).sentence


def test_a_curve_without_a_constant_factor_is_given_none():
    for changes in (
        {"activation": "relu_squared", "scale": 0.1, "depth": 5},
        {"init": "orthogonal", "bias_std": 1e6},
    ):
        bent = verdict(**changes)
        assert math.isnan(bent.growth) and "at this rate" not in bent.sentence


def test_a_relu_mean_that_overflows_to_infinity_is_told_as_such():
    (note,) = verdict(activation="relu").notes
    assert "x.mean() is Inf and x.std(), which subtracts that mean, is" in note
    assert "half the exponent" not in note


def test_the_lesson_is_told_with_its_numbers():
    lesson = verdict()
    assert lesson.sentence == (
        "Each product multiplies the std by about 22.3 (weight std × √n = 22.6). "
        "float32 ends at 3.4e38: after 28 products there is no room left."
    )
    assert (lesson.iteration, lesson.iteration_label) == ("28", "NaN iteration")
    assert lesson.iteration_detail == "i = 28, the 29th product"
    (note,) = lesson.notes
    assert note.startswith(
        "At i = 27 torch's x.mean() is NaN and x.std(), which subtracts that mean"
    )


def test_a_power_of_the_layer_is_told_as_one_and_nothing_is_forecast():
    """Saxe's orthogonal tanh falls as 1/√(2k) at every depth, and a sum of biases grows as k."""
    falls = {"width": 256, "init": "orthogonal", "activation": "tanh", "weights": "fresh"}
    for depth in (50, 100, 200):
        told = verdict(**falls, depth=depth)
        assert "falls about as 1/√k" in told.sentence
        assert math.isnan(told.growth) and "at this rate" not in told.sentence
    assert "grows about as k " in verdict(init="identity", bias_std=1.0).sentence
    fresh = verdict(init="identity", bias_std=1.0, weights="fresh")
    assert "grows about as √k " in fresh.sentence


def test_a_plateau_is_told_with_its_level_and_its_first_layer():
    told = verdict(**PLATEAU)
    assert told.sentence == "From layer 4 on the std stays near 0.0132; it started at 0.96."
    assert "stays near 0.013" in verdict(**PLATEAU | {"depth": 200}).sentence


def test_inputs_that_come_out_equal_are_told_as_such():
    sentence = verdict(**PLATEAU, batch_size=64).sentence
    assert "all 64 inputs give the same output" in sentence
    assert "the std across inputs is 5.21e-10" in sentence


def test_rounding_that_holds_a_signal_is_told_with_the_size_and_no_forecast():
    told = verdict(init="identity", scale=0.9, depth=2000, width=64)
    assert "the rms stays near 5.61e-45" in told.sentence and "at this rate" not in told.sentence


def test_rounding_may_hold_what_loses_less_than_a_last_digit_so_nothing_is_forecast():
    coarse = {"width": 16, "depth": 40, "init": "identity", "number_format": "float8_e4m3fn"}
    told = verdict(**coarse, scale=0.95, seed=218).sentence
    assert "multiplies the std by about 0.918" in told and "at this rate" not in told
    deeper = propagate(Experiment(**coarse | {"depth": 200}, scale=0.95, seed=218)).stats
    assert deeper.rms[-1] == 2**-6  # the smallest normal number, for ever


def test_no_forecast_of_an_end_that_an_element_has_reached():
    full = {"width": 3, "depth": 15, "init": "truncated_normal", "activation": "silu"}
    full |= {"number_format": "float8_e4m3fn", "seed": 644, "batch_size": 2, "bias_std": 0.02}
    assert propagate(Experiment(**full)).stats.max_abs[-1] == 448
    assert "at this rate" not in verdict(**full).sentence


def test_a_bias_or_a_bounded_activation_ends_a_trend_so_nothing_is_forecast():
    """Both decay by a factor for now; the bias ends the first and only the second goes on."""
    shrinking = {"init": "xavier_normal", "scale": 0.5, "weights": "fresh", "depth": 20}
    assert "at this rate" not in verdict(**shrinking, bias_std=1e-12).sentence
    assert "at this rate it would sink below 1.18e-38" in verdict(**shrinking).sentence


def test_a_format_without_infinity_is_said_to_stick_and_not_to_overflow():
    growing = {"init": "xavier_normal", "scale": 1.2, "weights": "fresh", "depth": 20}
    told = verdict(**growing, number_format="float8_e4m3fn").sentence
    assert "it would stick at 448 after about" in told or "at this rate" not in told


def test_inf_before_nan_is_called_inf():
    half = verdict(number_format="float16")
    assert (half.iteration, half.iteration_label) == ("3", "First Inf")
    assert half.iteration_detail == "i = 3, the 4th product; NaN at i = 4"


def test_an_infinite_std_of_finite_elements_is_explained():
    notes = verdict(number_format="float64", depth=240).notes
    assert any(
        "x.std() is Inf although every element and their mean are still" in note for note in notes
    )


def test_one_number_is_spoken_of_as_a_number():
    alone = verdict(width=1)
    assert "|x|" in alone.sentence and "std" not in alone.sentence.split("(")[0]
    assert "0/0" in alone.notes[0]


def test_a_run_that_holds_says_where_it_started_and_ended():
    held = verdict(init="orthogonal")
    assert held.sentence == "After 100 products the std is 0.961; it started at 0.96."
    assert held.iteration == "none"
    assert held.growth == pytest.approx(1, abs=1e-3)


def check_claims(run):
    """What a sentence claims must be so."""
    told, stats = judge(run), run.stats
    sentence = told.sentence
    assert sentence.endswith(".") and not re.search(r"\b(nan|inf)\b", sentence)
    if "every element is exactly 0" in sentence or "it stays so" in sentence:
        assert (stats.zero[run.events.all_zero + 1 :] == 1).all()
    if "already the first product" in sentence:
        assert stats.nonfinite[1] > 0
    if "no pre-activation is positive" in sentence:
        # relu and its kin; gelu and silu underflow to zero far on the left.
        assert run.experiment.phi(torch.tensor([-1e4])).item() == 0
    if told.kind == "saturates":
        assert stats.saturated[-1] > 0 and run.experiment.format.saturates
    for note in told.notes:
        if "half the exponent" in note:
            assert run.events.notebook_mean_inf is None or (
                run.events.notebook_mean_inf > run.events.notebook_std_inf
            )


@settings(max_examples=1500, deadline=None)
@given(
    width=st.sampled_from([1, 2, 3, 4, 7, 17, 64]),
    depth=st.sampled_from([1, 2, 5, 60]),
    init=st.sampled_from(sorted(INITIALIZERS)),
    scale=st.sampled_from([0.0, 1e-60, 1e-9, 1e-3, 0.1, 0.5, 1.0, 1.5, 30.0, 1e6]),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    weights=st.sampled_from(["tied", "fresh"]),
    bias_std=st.sampled_from([0.0, 0.0, 0.1, 1e6]),
    number_format=st.sampled_from(sorted(NUMBER_FORMATS)),
    batch_size=st.sampled_from([1, 2, 5]),
    seed=st.integers(0, 99),
)
def test_every_run_gets_a_verdict_whose_claims_are_so(**fields):
    check_claims(propagate(Experiment(**fields)))


@settings(max_examples=500, deadline=None)
@given(
    st.builds(
        allowed,
        width=st.sampled_from([1, 2, 3, 17, 64]),
        depth=st.sampled_from([1, 2, 5, 60]),
        init=st.sampled_from(sorted(INITIALIZERS)),
        scale=st.sampled_from([0.0, 1e-9, 0.1, 1.0, 1.5, 1e6]),
        activation=st.sampled_from(sorted(ACTIVATIONS)),
        weights=st.sampled_from(["tied", "fresh"]),
        bias_std=st.sampled_from([0.0, 0.1]),
        number_format=st.sampled_from(sorted(NUMBER_FORMATS)),
        batch_size=st.sampled_from([1, 5]),
        **LAYERS,
    )
)
def test_every_run_of_any_layer_gets_a_verdict_whose_claims_are_so(experiment):
    check_claims(propagate(experiment))


def test_ordinals_and_digits_are_written_as_a_person_would():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 29, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "29th", "102nd", "111th"]
    )
    assert [significant(v) for v in (3.4028e38, 1.4e-45, 22.36, 1.17549435e-38, 5e-9)] == (
        ["3.4e38", "1.4e-45", "22.4", "1.18e-38", "5e-9"]
    )


def test_a_square_that_underflows_is_no_missing_pre_activation():
    squared = {"width": 2, "depth": 20, "init": "spectral", "scale": 0.7, "weights": "fresh"}
    squared |= {"activation": "relu_squared", "seed": 611, "batch_size": 2}
    told = verdict(**squared)
    assert told.kind == "dies" and "At i = 5 no pre-activation is large enough" in told.sentence


def test_a_curve_that_settles_at_its_end_follows_no_power():
    settling = {"width": 16, "init": "kaiming_uniform", "scale": 0.7, "activation": "abs"}
    assert " about as " not in verdict(**settling, bias_std=1.0, seed=697).sentence


def test_one_matrix_seen_for_few_layers_gives_no_forecast_of_many():
    few = {"width": 64, "depth": 15, "init": "torch_linear", "activation": "hardtanh", "seed": 884}
    told = verdict(**few, batch_size=8).sentence
    assert "multiplies the std by about 0.573" in told and "at this rate" not in told
