"""Estimates of work: everything registered has a measured cost, and what takes long is known to."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment
from core.host.limits import WorkLimit, cost, ensemble_work, is_quick, is_quick_work
from core.layer.activations import Activation
from core.layer.branches import Block
from core.layer.initializer import Initializer
from core.layer.operation import MICROSECOND
from core.lesson import STEPS
from core.maps import borders
from core.maps.fitting import MapTooLarge, check, work
from core.maps.landscape import Landscape
from core.simulation.scale_free import scale_free_work
from core.sweep import parse
from core.sweep.measures import MEASURES
from core.theory.work import prediction_work
from tests.core.experiments import EXPERIMENTS

SECOND = 1e6 * MICROSECOND
HOST = WorkLimit(2**31, 4e11)  # the default: 100 s
FEW_CALLS = MICROSECOND  # no piece of work takes less than a microsecond
NARROW = Experiment(width=3, depth=2000, weights="fresh", bias_std=0.1, batch_size=2)
NARROW = NARROW.replace(init="truncated_normal", activation="hardtanh")


@settings(max_examples=400)
@given(EXPERIMENTS)
def test_every_experiment_has_estimates(e):
    axes = ("scale", (0.1, 0.5, 1.0)), ("depth", (1, 5, 20))
    estimates = (
        cost(e).multiply_adds,
        prediction_work(e),
        ensemble_work(e, 256),
        scale_free_work(e),
        borders.work(e, *axes),
    )
    assert all(0 <= estimate < np.inf for estimate in estimates)


def test_a_signal_of_one_number_that_keeps_its_size_has_an_estimate():
    e = Experiment(width=1, depth=2000, weights="fresh")  # it neither grows nor shrinks
    assert 0 < prediction_work(e) < SECOND * 100


def test_every_initialiser_states_the_work_of_its_draw():
    assert inspect.signature(Initializer).parameters["multiply_adds"].default is inspect._empty
    for rule in INITIALIZERS.values():
        assert rule.multiply_adds(1) > 3 * MICROSECOND, rule.name  # a draw calls torch
        # A layer's matrix of 1000² weights takes 0.2 ms where it is given, and a second at most.
        assert 0.2e-3 * SECOND < rule.multiply_adds(1000) < SECOND, rule.name


def test_every_activation_states_the_time_of_an_element():
    usual = inspect.signature(Activation).parameters["microseconds"].default
    for phi in ACTIVATIONS.values():
        assert phi.microseconds != usual, f"{phi.name} has the cost of a φ that was not measured"
        assert 0 <= phi.microseconds < 0.05, phi.name


@pytest.mark.parametrize("weights", ["tied", "fresh"])
@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
def test_every_operation_costs_its_calls_however_narrow_it_is(weights, number_format):
    e = Experiment(width=1, depth=100, bias_std=0.1, activation="tanh", weights=weights)
    e = e.replace(number_format=number_format)
    for operation in e.layer:
        own = type(operation)
        assert "cost" in vars(own) and "ensemble_cost" in vars(own), own
        calls = operation.cost(e.shape, e.format).multiply_adds
        # A product is counted with the run's layer, and a bias is a sum: both take a call at least.
        assert calls > (0.2 * e.depth if weights == "fresh" else 1) * FEW_CALLS, own
    assert cost(e).multiply_adds > 10 * e.depth * FEW_CALLS
    assert ensemble_work(e, 1) > 50 * e.depth * FEW_CALLS


def test_the_layers_that_are_costed_are_those_of_an_experiment():
    assert NARROW.layer.operations == Block(NARROW.layer.product.drawn, 0.1).layer().operations


def test_a_link_whose_layers_are_narrow_and_many_is_long_work():
    """Its ensemble was measured at 6 to 12 s on one core."""
    assert 4 * SECOND < ensemble_work(NARROW, 256) < 30 * SECOND
    assert not is_quick_work(ensemble_work(NARROW, 256))
    assert is_quick(NARROW.replace(depth=100))


def slow_map(base, **changes):
    x, y = parse("scale=0.1..10:48"), parse("seed=1..48:48")
    return Landscape(base, x, y, "first_nonfinite", **changes)


@pytest.mark.parametrize(
    "landscape, seconds",
    [
        (slow_map(NARROW.replace(batch_size=1), networks=16, real=True), 36864 * 0.1),
        (slow_map(NARROW.replace(width=1, init="spectral"), networks=16, real=True), 36864 * 0.1),
    ],
    ids=["hardtanh", "spectral"],
)
def test_maps_of_narrow_networks_are_as_long_as_they_are_and_refused(landscape, seconds):
    """A run of either takes about 0.1 s; an estimate of multiplications alone said 0.2 ms."""
    assert seconds / 3 < work(landscape) / SECOND < 3 * seconds
    with pytest.raises(MapTooLarge, match="Too much to measure") as refused:
        check(landscape, HOST)
    assert refused.value.fitting is None or work(refused.value.fitting) <= HOST.multiply_adds


def test_a_coordinate_check_that_is_too_much_is_refused_as_a_map_is():
    wide = Landscape(
        Experiment(init="orthogonal", activation="tanh", weights="fresh"),
        parse("width=512..8192:5"),
        parse("depth=1,32"),
        "log2_rms",
        networks=8,
        real=True,
    )
    with pytest.raises(MapTooLarge, match="times the limit"):
        check(wide, HOST)


@pytest.mark.parametrize(
    "changes, low, high",  # seconds, measured, a factor of three wide on either side
    [
        ({"depth": 100, "activation": "tanh", "weights": "fresh"}, 0.013, 0.12),
        ({"depth": 2000, "activation": "tanh", "weights": "fresh"}, 0.25, 2.4),
        ({"depth": 2000, "activation": "tanh"}, 0, 1e-3),  # no law
        ({"depth": 100}, 1e-3, 0.01),  # one matrix: a table
        ({"depth": 2000, "activation": "relu", "weights": "fresh"}, 0.05, 0.5),
    ],
)
def test_the_law_of_many_layers_is_long_work_and_no_law_is_none(changes, low, high):
    e = Experiment(init="lecun_normal").replace(**changes)
    assert low <= prediction_work(e) / SECOND <= high


def test_a_signal_that_lingers_at_the_end_of_its_format_is_long_work_to_predict():
    e = Experiment(width=116, depth=1705, scale=0.99, init="xavier_normal", weights="fresh")
    e = e.replace(activation="hardtanh", number_format="float8_e5m2")
    assert 1.5 < prediction_work(e) / SECOND < 13  # measured: 4.5 s
    assert is_quick_work(prediction_work(e.replace(depth=100, number_format="float32")))


def test_theory_of_a_map_and_its_borders_take_what_its_activation_takes():
    base = Experiment(activation="relu6", bias_std=0.3)
    chaotic = Landscape(base, parse("sigma_w=2..4:8"), parse("seed=1,2"), "xi_c")
    for measure in ("chi_1", "q_star"):
        assert 10 * work(chaotic.replace(measure=measure)) < work(chaotic)
    assert 10 * work(chaotic.replace(base=base.replace(activation="relu"))) < work(chaotic)
    assert all(entry.theory_work for entry in MEASURES.values() if entry.of_theory)

    x, y = ("scale", (0.1, 1.0)), ("depth", tuple(range(100, 2000, 80)))
    assert borders.work(base.replace(activation="elu"), x, y) > SECOND
    assert is_quick_work(borders.work(Experiment(activation="relu"), x, y))


def test_every_exercise_states_its_work_and_the_lessons_own_are_short():
    for step in STEPS.values():
        own, large = step.setting(), step.setting(1024, 1000, repetitions=step.most_repetitions)
        assert 0 < step.work(own) < 5 * SECOND, step.slug
        assert step.work(large) > step.work(own), step.slug


def test_a_run_without_a_scale_costs_more_than_the_run():
    for weights in ("tied", "fresh"):
        e = Experiment(width=8, depth=500, weights=weights)
        assert 1.2 * cost(e).multiply_adds < scale_free_work(e)
