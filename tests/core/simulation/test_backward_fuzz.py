"""Random experiments there and back: nothing crashes, and every part agrees with the others."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, backpropagate, propagate
from core.question.experiment import DEFAULTS
from core.reading.records import FILE_FORMATS
from core.simulation.propagate import draw_output_gradient
from tests.core.experiments import CPU, LAYERS, allowed

SCALES = st.sampled_from([0.0, 1e-20, 0.01, 0.3, 1.0, 3.0, 1e3, 1e6])
SMALL = st.builds(
    allowed,
    width=st.integers(1, 24),
    depth=st.integers(1, 40),
    init=st.sampled_from(sorted(INITIALIZERS)),
    scale=SCALES,
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    weights=st.sampled_from(["tied", "fresh"]),
    bias_std=st.sampled_from([0.0, 0.0, 1e-30, 0.5, 1e6]),
    number_format=st.sampled_from(sorted(NUMBER_FORMATS)),
    batch_size=st.integers(1, 4),
    seed=st.integers(0, 2**63 - 1),
    loss_scale=st.floats(2.0**-24, 2.0**24),
    **LAYERS,
)


def equal_stats(one, other):
    for name, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[name], err_msg=name)


def last(layers):
    found = np.flatnonzero(layers)
    return int(found[-1]) if len(found) else None


def check_events(back):
    """The events by their definition, from the fractions of each layer alone."""
    stats, events = back.stats, back.events
    assert events.first_nonfinite == last(stats.nonfinite > 0)
    assert events.first_nan == last(stats.nan > 0)
    assert events.all_zero == last(stats.zero == 1)
    tiny = (stats.subnormal > 0) & (stats.zero + stats.subnormal == 1)
    assert events.all_subnormal == last(tiny)


def check_ends(back):
    """The first and the last gradient are those that the statistics tell of."""
    e, stats = back.run.experiment, back.stats
    assert back.final.shape == back.run.final.shape and len(stats) == e.depth + 1
    output = draw_output_gradient(e, CPU).float()
    for layer, values in ((0, back.final), (e.depth, output.numpy())):
        assert stats.zero[layer] == pytest.approx(np.mean(values == 0), abs=1e-12)
        assert stats.nonfinite[layer] == pytest.approx(np.mean(~np.isfinite(values)), abs=1e-12)


def check_weights(back):
    e, weights = back.run.experiment, back.weights
    for values in (weights.log2_rms, weights.zero, weights.nonfinite):
        assert values.shape == (e.depth + 1,) and np.isnan(values[0])
    for fraction in (weights.zero[1:], weights.nonfinite[1:]):
        assert ((fraction >= 0) & (fraction <= 1)).all()
    assert (weights.zero[1:] + weights.nonfinite[1:] <= 1 + 1e-12).all()
    assert (weights.whole is None) == (e.weights == "fresh")


@settings(max_examples=200)
@given(SMALL)
def test_any_network_goes_there_and_back_and_its_parts_agree(experiment):
    back = backpropagate(experiment)
    check_events(back)
    check_ends(back)
    check_weights(back)
    for written in FILE_FORMATS.values():
        assert "gradient" in written(back)


@settings(max_examples=100)
@given(SMALL)
def test_the_way_there_is_propagates_to_the_bit_whatever_comes_back(experiment):
    run, back = propagate(experiment), backpropagate(experiment)
    equal_stats(run.stats, back.run.stats)
    assert run.events == back.run.events
    np.testing.assert_array_equal(run.final, back.run.final)


@settings(max_examples=50)
@given(SMALL)
def test_the_same_network_has_the_same_gradient_to_the_bit_on_any_number_of_threads(experiment):
    one = backpropagate(experiment)
    before = torch.get_num_threads()
    torch.set_num_threads(1 if before > 1 else 2)
    try:
        other = backpropagate(experiment)
    finally:
        torch.set_num_threads(before)
    equal_stats(one.stats, other.stats)
    np.testing.assert_array_equal(one.final, other.final)
    for name in ("log2_rms", "zero", "nonfinite"):
        np.testing.assert_array_equal(getattr(one.weights, name), getattr(other.weights, name))


@settings(max_examples=50)
@given(SMALL, st.integers(1, 20))
def test_of_one_linear_matrix_a_deeper_run_goes_back_by_the_same_steps(experiment, more):
    """Aᵀ alone acts on the gradient: step j back from the output is the same at every depth."""
    plain = {name: DEFAULTS[name] for name in LAYERS}
    e = experiment.replace(activation="linear", weights="tied", init="normal", **plain)
    shallow, deep = backpropagate(e), backpropagate(e.replace(depth=e.depth + more))
    for name, values in shallow.stats.values.items():
        np.testing.assert_array_equal(values, deep.stats.values[name][more:], err_msg=name)


@settings(max_examples=50)
@given(SMALL, st.integers(-10, 10))
def test_a_power_of_two_as_the_loss_scale_moves_no_digit_where_the_range_has_room(
    experiment, octaves
):
    e = experiment.replace(
        number_format="float64", scale=0.3, bias_std=0.0, init="normal", loss_scale=1.0
    )
    plain, scaled = backpropagate(e), backpropagate(e.replace(loss_scale=2.0**octaves))
    if plain.stats.subnormal.any() or scaled.stats.subnormal.any():
        return
    np.testing.assert_array_equal(plain.final * 2.0**octaves, scaled.final)
    equal_stats(plain.run.stats, scaled.run.stats)
