"""Names of other libraries are taken for ours, and one line says so."""

import pytest

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment
from core.__main__ import main
from core.layer import activations, initializers, number_formats
from core.question.experiment import PARAMETERS
from core.question.parameter import Note, refusals
from core.sweep import parse
from core.sweep.axes import notes

KNOWN = {
    "init": {
        "he_normal": "kaiming_normal",
        "he_uniform": "kaiming_uniform",
        "glorot_uniform": "xavier_uniform",
        "GlorotNormal": "xavier_normal",
        "kaiming_normal_": "kaiming_normal",
        "LeCun-normal": "lecun_normal",
        "orthogonal_": "orthogonal",
        "eye_": "identity",
        "nn.Linear": "torch_linear",
    },
    "activation": {
        "swish": "silu",
        "ReLU": "relu",
        "GELU": "gelu",
        "LeakyReLU": "leaky_relu",
        "hard_tanh": "hardtanh",
        "Identity": "linear",
    },
    "number_format": {
        "fp16": "float16",
        "half": "float16",
        "bf16": "bfloat16",
        "fp32": "float32",
        "float": "float32",
        "double": "float64",
        "Float16": "float16",
        "float8_e4m3fn": "float8_e4m3fn",
    },
    "weights": {"Tied": "tied", "FRESH": "fresh"},
}
PAIRS = [(field, name, ours) for field, names in KNOWN.items() for name, ours in names.items()]


@pytest.mark.parametrize(("field", "name", "ours"), PAIRS)
def test_a_link_takes_the_name_and_says_so(field, name, ours):
    experiment, problems = Experiment.from_query({field: name})
    assert getattr(experiment, field) == ours
    told = [] if name == ours else [f"{field} {name!r} is called {ours} here"]
    assert [note.split(";")[0] for note in problems] == told
    assert refusals(problems) == []
    if name != ours:
        with pytest.raises(ValueError, match=f"{field} must be one of"):
            Experiment(**{field: name})  # in Python only registry names are right


def test_names_that_are_none_are_refused():
    for field, name in (("activation", "swisch"), ("init", "he"), ("number_format", "fp7")):
        experiment, (problem,) = Experiment.from_query({field: name})
        assert experiment == Experiment() and problem.startswith(f"{field} must be one of")
        assert not isinstance(problem, Note)


@pytest.mark.parametrize(
    ("aliases", "registry"),
    [
        (activations.ALIASES, ACTIVATIONS),
        (initializers.ALIASES, INITIALIZERS),
        (initializers.REMARKS, INITIALIZERS),
        (number_formats.ALIASES, NUMBER_FORMATS),
    ],
)
def test_an_alias_leads_to_the_registry_and_hides_no_key(aliases, registry):
    assert set(aliases.values()) <= set(registry)
    keys = {name.replace("_", "") for name in registry}
    assert not set(aliases) & keys and all(alias == alias.lower() for alias in aliases)
    assert not any("_" in alias or "-" in alias for alias in aliases)


def test_every_registry_name_is_itself():
    for field, parameter in PARAMETERS.items():
        for choice in parameter.choices:
            assert parameter.parse(choice) == choice and parameter.notes(field, choice) == []


def test_an_axis_and_a_command_take_them_too(capsys):
    axis = parse("activation=swish,relu,Tanh")
    assert axis.values == ("silu", "relu", "tanh")
    assert axis.to_text() == "activation=silu,relu,tanh"
    assert notes("activation=swish,relu,Tanh") == [
        "activation 'swish' is called silu here",
        "activation 'Tanh' is called tanh here",
    ]
    assert parse("scale=1/3..2**0.5:3").values[0] == 1 / 3
    assert main(["--width", "8", "--depth", "2", "--activation", "swish", "--scale", "5/3"]) == 0
    told = capsys.readouterr()
    assert told.err == "activation 'swish' is called silu here\n"
    assert "activation=silu" in told.out and f"scale={5 / 3!r}" in told.out
