import json

import numpy as np
import pytest

from core import ACTIVATIONS, INITIALIZERS, Experiment, backpropagate, propagate
from core.host.limits import WorkLimitError
from core.reading.preview import exact, measured
from core.simulation.scale_free import is_scale_free, scale_free, scale_free_gradient

HOMOGENEOUS = [name for name, phi in ACTIVATIONS.items() if phi.positively_homogeneous]
SMALL = Experiment(width=48, depth=30, number_format="float64")


@pytest.mark.parametrize("scale", [1.0, 0.37, 1e-3, 40.0])
@pytest.mark.parametrize("weights", ["tied", "fresh"])
@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_a_shift_of_the_logarithms_is_the_run_at_that_scale(activation, weights, scale):
    e = SMALL.replace(activation=activation, weights=weights, batch_size=2)
    free, real = scale_free(e), propagate(e.replace(scale=scale)).stats
    shift = np.arange(e.depth + 1) * np.log2(scale)
    # Weights that are scaled before they are rounded differ by an ulp. After 30 layers of width 48
    # this is below 1e-12, and log2 of a number near 2^150 is exact to 3e-14.
    tolerance = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(free.log2_std + shift, real.log2_std, **tolerance)
    np.testing.assert_allclose(free.log2_rms + shift, real.log2_rms, **tolerance)
    np.testing.assert_allclose(free.log2_max_abs + shift, np.log2(real.max_abs), **tolerance)


@pytest.mark.parametrize("scale", [1.0, 0.37, 40.0])
@pytest.mark.parametrize("weights", ["tied", "fresh"])
@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_a_shift_of_the_logarithms_is_the_gradient_at_that_scale(activation, weights, scale):
    e = SMALL.replace(activation=activation, weights=weights, batch_size=2)
    there, back = scale_free_gradient(e.replace(loss_scale=8.0))  # which plays no part
    np.testing.assert_array_equal(there.log2_rms, scale_free(e).log2_rms)
    real = backpropagate(e.replace(scale=scale)).stats
    shift = np.log2(scale) * back.shifts
    tolerance = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose((back.log2_std + shift)[::-1], real.log2_std, **tolerance)
    np.testing.assert_allclose((back.log2_rms + shift)[::-1], real.log2_rms, **tolerance)
    largest = (back.log2_max_abs + shift)[::-1]
    np.testing.assert_allclose(largest, np.log2(real.max_abs), **tolerance)
    np.testing.assert_array_equal(back.log2_reach, back.log2_max_abs)
    tied = weights == "tied"
    heaviest = there.log2_weight[1:] if tied else there.log2_weight[:0:-1]
    np.testing.assert_array_equal(back.log2_weight[1:], heaviest)


def test_progress_of_there_and_back_ends_at_one():
    told = []
    scale_free_gradient(SMALL, on_progress=told.append)
    assert told == [step / 60 for step in range(1, 61)]


def test_nothing_overflows_or_vanishes_where_a_run_of_any_format_would():
    for init in ("normal", "xavier_normal"):
        for scale in (1.0, 1e-3):
            e = Experiment(width=64, depth=2000, init=init, scale=scale)
            free = scale_free(e)
            assert len(free.log2_std) == 2001
            assert np.isfinite(free.log2_std).all() and np.isfinite(free.log2_reach).all()
    assert scale_free(Experiment(width=512, depth=1000)).log2_std[-1] > 4000


def test_scale_and_number_format_play_no_part():
    once = scale_free(SMALL)
    again = scale_free(SMALL.replace(scale=0.1, number_format="bfloat16"))
    np.testing.assert_array_equal(once.log2_std, again.log2_std)


def test_a_deeper_run_begins_with_the_shallower():
    deep, shallow = scale_free(SMALL.replace(depth=90)), scale_free(SMALL)
    for name in ("log2_std", "log2_rms", "log2_max_abs", "log2_reach"):
        np.testing.assert_array_equal(getattr(deep, name)[:31], getattr(shallow, name))


def test_reach_is_the_largest_preactivation_that_can_overflow():
    for activation in ("linear", "relu", "abs"):
        free = scale_free(SMALL.replace(activation=activation))
        # The same number, scaled in two ways: the last bit of a logarithm near 100 may differ.
        np.testing.assert_allclose(free.log2_reach[1:], free.log2_max_abs[1:], rtol=0, atol=1e-13)
    leaky = scale_free(SMALL.replace(activation="leaky_relu"))
    assert (leaky.log2_reach[1:] > leaky.log2_max_abs[1:] - 1e-13).all()
    assert (leaky.log2_reach[1:] > leaky.log2_max_abs[1:] + 1e-9).any()  # a negative side leads


def test_what_has_no_scale_free_run_is_refused_with_its_name():
    for changes in ({"activation": "tanh"}, {"bias_std": 0.5}):
        e = SMALL.replace(**changes)
        assert not is_scale_free(e)
        with pytest.raises(ValueError, match="a positively homogeneous activation, no bias"):
            scale_free(e)
    with pytest.raises(WorkLimitError, match="lower width"):
        scale_free(Experiment(width=16384, batch_size=4096, depth=2000))


@pytest.mark.parametrize("init", INITIALIZERS)
def test_documents_are_strict_json_for_every_initialiser(init):
    e = Experiment(width=6, depth=4, init=init, activation="relu")
    assert is_scale_free(e) == (init != "lsuv_bias")
    documents = [measured(propagate(e))] + ([exact(e, scale_free(e))] if is_scale_free(e) else [])
    for document in documents:
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert document["depth"] == 4


def test_a_measured_document_names_the_state_of_every_layer():
    assert measured(propagate(Experiment(depth=31)))["states"] == "a" * 29 + "n" * 3
    gone = measured(propagate(Experiment(depth=80, scale=0.01)))
    assert gone["states"] == "a" * 70 + "z" * 11 and gone["all_zero"] == 69
