import dataclasses
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Experiment
from core.question.experiment import DEFAULTS, PARAMETERS, SCALE_STOPS
from core.question.parameter import refusals
from tests.core.experiments import EXPERIMENTS

HOSTILE_TEXTS = [
    "1e9",
    "-1",
    "0",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1_000",
    "٣",
    "0x10",
    "50.7",
    "1e-400",
    "''",
    "\x00",
    "<script>",
    "${x}",
    "%s",
    "99999999999999999999999999",
    "1/√n",
    "1/sqrt(n)",
    "√(2/n)",
    "tied",
    "relu",
    "None",
    "true",
]
HOSTILE = st.one_of(
    st.text(max_size=200),
    st.sampled_from(HOSTILE_TEXTS),
    st.integers().map(str),
    st.floats().map(str),
)


def test_defaults_are_the_lesson():
    assert dataclasses.asdict(Experiment()) == {
        "width": 512,
        "depth": 100,
        "init": "normal",
        "scale": 1.0,
        "activation": "linear",
        "weights": "tied",
        "bias_std": 0.0,
        "number_format": "float32",
        "batch_size": 1,
        "seed": 0,
        "loss_scale": 1.0,
        "branch": "product",
        "expansion": 4,
        "skip": "none",
        "branch_scale": 1.0,
        "norm": "none",
        "norm_place": "before",
        "input": "normal",
        "input_scale": 1.0,
    }


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("width", 1, 16384),
        ("depth", 1, 2000),
        ("scale", 0, 1e6),
        ("batch_size", 1, 4096),
        ("seed", 0, 2**63 - 1),
        ("loss_scale", 2.0**-24, 2.0**24),
    ],
)
def test_bounds_are_allowed_and_beyond_them_is_not(name, low, high):
    for value in (low, high):
        assert getattr(Experiment(**{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=rf"{name} must be .*, got {value!r}"):
            Experiment(**{name: value})


@pytest.mark.parametrize(
    "name, value",
    [
        ("width", 512.0),
        ("width", True),
        ("width", "512"),
        ("width", None),
        ("scale", float("nan")),
        ("scale", float("inf")),
        ("scale", "1"),
        ("activation", "RELU"),
        ("activation", 1),
        ("weights", "frozen"),
        ("init", ""),
        ("number_format", "float31"),
    ],
)
def test_an_error_names_the_field_the_value_and_what_is_allowed(name, value):
    with pytest.raises(ValueError) as error:
        Experiment(**{name: value})
    assert str(error.value) == f"{name} must be {PARAMETERS[name].allowed}, got {value!r}"


def test_replace_validates_and_leaves_the_original_alone():
    lesson = Experiment()
    assert lesson.replace(scale=0.01).scale == 0.01 and lesson.scale == 1
    with pytest.raises(ValueError, match="width must be"):
        lesson.replace(width=0)
    with pytest.raises(ValueError, match="no parameter 'widht'"):
        lesson.replace(widht=3)


def test_an_experiment_is_a_frozen_hashable_key():
    assert Experiment(width=3) == Experiment(width=3)
    assert hash(Experiment(width=3)) == hash(Experiment(width=3))
    assert pickle.loads(pickle.dumps(Experiment(seed=5))) == Experiment(seed=5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Experiment().width = 3


@given(EXPERIMENTS)
def test_a_link_brings_back_the_same_experiment(experiment):
    query = experiment.to_query()
    assert all(isinstance(text, str) for text in query.values())
    assert Experiment.from_query(query) == (experiment, [])


@settings(max_examples=3000, deadline=None)
@given(st.dictionaries(st.one_of(st.sampled_from(list(PARAMETERS)), st.text(max_size=20)), HOSTILE))
def test_no_link_raises_and_every_bad_value_is_told(query):
    experiment, problems = Experiment.from_query(query)
    for name, text in query.items():
        if name not in PARAMETERS:
            assert any("there is no parameter" in problem for problem in problems)
        elif not any(problem.startswith(f"{name} must be") for problem in problems):
            again, told = Experiment.from_query({name: text, "width": str(experiment.width)})
            assert not refusals(told) and set(told) <= set(problems)
            assert getattr(again, name) == getattr(experiment, name)
    assert all(len(problem) < 600 for problem in problems)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_refused_value_is_replaced_by_the_default(name):
    experiment, problems = Experiment.from_query({name: "nothing"})
    assert experiment == Experiment()
    (problem,) = problems
    assert problem.startswith(f"{name} must be {PARAMETERS[name].allowed}, got 'nothing'")
    assert problem.endswith(f": {Experiment().to_query()[name]} is used")


def test_a_fraction_where_a_whole_number_belongs_is_rounded_and_told():
    experiment, problems = Experiment.from_query({"depth": "50.7", "seed": str(2**63 - 1)})
    assert (experiment.depth, experiment.seed) == (51, 2**63 - 1)
    assert problems == ["depth must be a whole number from 1 to 2000, got '50.7': 51 is used"]


def test_a_link_may_use_the_names_of_the_lessons_scale_factors():
    for text in ("1/√n", "1/sqrt(n)"):
        experiment, problems = Experiment.from_query({"scale": text, "width": "64"})
        assert (experiment.scale, problems) == (1 / 8, [])
    assert Experiment.from_query({"scale": "√(2/n)", "width": "8"})[0].scale == 0.5
    assert list(SCALE_STOPS) == ["1", "0.1", "0.01", "1/√n", "√(2/n)"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_field_describes_itself(name):
    parameter = PARAMETERS[name]
    assert parameter.label and parameter.help and parameter.accepts(DEFAULTS[name])
    assert all(parameter.accepts(parameter.convert(stop)) for stop in parameter.stops)
    assert list(parameter.stops) == sorted(set(parameter.stops))


def test_weight_std_is_the_rule_times_the_scale():
    assert Experiment(scale=0.01).weight_std == 0.01
    assert Experiment(init="xavier_normal").weight_std == pytest.approx(512**-0.5)
    assert Experiment(init="kaiming_normal", scale=2).sigma_w == pytest.approx(2 * 2**0.5)


@pytest.mark.parametrize("name", ["scale", "bias_std", "width", "seed"])
def test_a_number_too_big_for_a_float_is_an_ordinary_error(name):
    with pytest.raises(ValueError, match=f"{name} must be"):
        Experiment(**{name: 10**400})


def test_a_whole_number_written_with_a_point_is_read_exactly():
    experiment, problems = Experiment.from_query({"seed": "1234567890123456789.0"})
    assert (experiment.seed, problems) == (1234567890123456789, [])
    assert Experiment.from_query({"width": "1e9999"})[0].width == 512
    assert Experiment.from_query({"width": "1e2"}) == (Experiment(width=100), [])
