"""Pins come back from links; each wrong part of a pin is refused by itself, with a sentence."""

import re
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Experiment, charts, propagate
from core.charts.figure import PIN_COLORS
from core.question import naming, pins
from core.question.experiment import PARAMETERS
from core.question.link import from_text
from core.reading import verdict
from tests.core.experiments import EXPERIMENTS

KAIMING = Experiment(activation="relu", scale=(2 / 512) ** 0.5)


@given(st.dictionaries(st.sampled_from(pins.SLOTS), EXPERIMENTS))
@settings(max_examples=200, deadline=None)
def test_what_is_kept_comes_back_from_the_link(kept):
    query = pins.to_query(kept)
    assert pins.from_query(query) == (kept, [])
    assert all(0 < len(text) < 800 for text in query.values())


def test_the_link_holds_what_differs_from_the_lesson():
    kept = {"a": Experiment(), "c": Experiment(activation="relu", scale=0.01)}
    wanted = {"pin_a": "width:512", "pin_c": "scale:0.01,activation:relu"}
    assert pins.to_query(kept) == wanted


def test_pins_are_in_the_order_of_their_slots_whatever_the_links():
    kept, _ = pins.from_query({"pin_c": "width:3", "pin_a": "width:1", "pin_b": "width:2"})
    assert list(kept) == ["a", "b", "c"]
    assert list(pins.with_pin({"b": Experiment()}, "a", Experiment())) == ["a", "b"]


@pytest.mark.parametrize("text", ["nothing", "width:" + "1" * 800])
def test_a_text_that_is_no_experiment_is_named_as_what_the_viewer_gave(text):
    for what in ("a pin", "a link"):
        experiment, [problem] = from_text(text, what=what)
        assert experiment is None and problem.startswith(f"{what} must ")


def test_the_first_free_slot_is_taken_and_there_are_six():
    kept = {}
    for _ in range(6):
        kept = pins.with_pin(kept, pins.free_slot(kept), Experiment())
    assert list(kept) == list("abcdef") and pins.free_slot(kept) is None
    del kept["c"]
    assert pins.free_slot(kept) == "c"


def test_a_scale_may_be_named_and_means_the_pins_own_width():
    kept, problems = pins.from_query({"pin_b": "scale:1/√n,width:64"})
    assert kept == {"b": Experiment(width=64, scale=0.125)} and problems == []


ALLOWED = "a whole number from 1 to 16384"
KNOWN = ", ".join(PARAMETERS)


@pytest.mark.parametrize(
    "query, kept, problem",
    [
        (
            {"pin_a": "width:99999,depth:5"},
            {"a": Experiment(depth=5)},
            f"pin_a: width must be {ALLOWED}, got '99999': 512 is used",
        ),
        (
            {"pin_b": "depth:50.7"},
            {"b": Experiment(depth=51)},
            "pin_b: depth must be a whole number from 1 to 2000, got '50.7': 51 is used",
        ),
        (
            {"pin_a": "depth:5,colour:red"},
            {"a": Experiment(depth=5)},
            f"pin_a: there is no parameter 'colour'; there are {KNOWN}",
        ),
        (
            {"pin_f": "depth:5,relu"},
            {"f": Experiment(depth=5)},
            "pin_f: every part must be field:value, got 'relu': it is passed over",
        ),
        (
            {"pin_a": "depth:5,depth:6"},
            {"a": Experiment(depth=5)},
            "pin_a: 'depth' is given twice, got '6': '5' is used",
        ),
        (
            {"pin_a": ""},
            {},
            f"pin_a: a pin must be field:value,field:value,… of {KNOWN}, got '': it is left out",
        ),
        (
            {"pin_e": "colour:red,relu"},
            {},
            f"pin_e: a pin must be field:value,field:value,… of {KNOWN}, "
            "got 'colour:red,relu': it is left out",
        ),
        (
            {"pin_a": "width:64," + 800 * "x"},
            {},
            "pin_a: a pin must have at most 800 characters, got 809, "
            f"'width:64,{29 * 'x'}…: it is left out",
        ),
        (
            {"pin_g": "width:64"},
            {},
            "there is no pin 'pin_g'; there are pin_a, pin_b, pin_c, pin_d, pin_e, pin_f",
        ),
        (
            {"pin_zz": "width:64"},
            {},
            "there is no pin 'pin_zz'; there are pin_a, pin_b, pin_c, pin_d, pin_e, pin_f",
        ),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, dict) else None,
)
def test_what_is_wrong_is_refused_alone_and_named(query, kept, problem):
    assert pins.from_query(query) == (kept, [problem])


def test_what_is_no_pin_is_passed_over():
    assert pins.from_query({"width": "nonsense", "ensemble": "8", "PIN_A": "x"}) == ({}, [])


@given(
    st.dictionaries(
        st.one_of(st.sampled_from([f"pin_{slot}" for slot in "abcdefg"]), st.text()),
        st.one_of(
            st.text(),
            st.from_regex(re.compile(r"([a-z_]{0,12}:[^,]{0,9},?){0,9}")),
            st.lists(
                st.tuples(st.sampled_from([f.name for f in fields(Experiment)]), st.text()),
                max_size=12,
            ).map(lambda parts: ",".join(f"{name}:{value}" for name, value in parts)),
        ),
        max_size=8,
    )
)
@settings(max_examples=400, deadline=None)
def test_whatever_the_link_says_the_pins_are_sound(query):
    kept, problems = pins.from_query(query)
    assert set(kept) <= set(pins.SLOTS) and len(kept) <= 6
    assert all(isinstance(experiment, Experiment) for experiment in kept.values())
    assert pins.from_query(pins.to_query(kept)) == (kept, [])
    for problem in problems:
        assert len(problem) < 1000 and "pin" in problem
    refused = {name for name in query if name.startswith("pin_") and name[4:] not in kept}
    assert len(problems) >= len(refused)  # one sentence at least for every refused pin


def test_differences_are_the_fields_in_which_they_are_not_all_equal():
    e = Experiment()
    assert naming.differences([]) == naming.differences([e, e]) == ()
    changed = [e, e.replace(scale=0.1), e.replace(width=64, activation="relu"), e]
    assert naming.differences(changed) == ("width", "scale", "activation")


@pytest.mark.parametrize(
    "experiment, names, title",
    [
        (Experiment(), (), "A"),
        (KAIMING, ("scale", "activation"), "A · s = √(2/n), relu"),
        (Experiment(scale=0.0625, width=256), ("width", "scale"), "A · n = 256, s = 1/√n"),
        (Experiment(scale=0.012345), ("scale",), "A · s = 0.0123"),
        (Experiment(scale=1.0, width=1), ("scale",), "A · s = 1"),
        (
            Experiment(),
            tuple(PARAMETERS),
            "A · n = 512, L = 100, normal, s = 1, linear, tied, σ_b = 0, float32, B = 1, seed = 0, "
            "S = 1, product, r = 4, skip none, α = 1, norm none, norm before, input normal, s₀ = 1",
        ),
    ],
)
def test_a_pin_is_called_by_its_letter_and_what_sets_it_apart(experiment, names, title):
    assert pins.title("a", experiment, names) == title


def mark(run):
    """The text of the chart at the event."""
    note = charts.std_per_layer(run)["layout"]["annotations"][0]
    return note["text"] if note["visible"] else None


@pytest.mark.parametrize(
    "changes, outcome",
    [
        ({}, "NaN at i = 28"),
        ({"number_format": "float16", "activation": "relu"}, "Inf at i = 3"),
        ({"scale": 0.01}, "all zero at i = 69"),
    ],
)
def test_the_outcome_is_the_event_as_the_chart_marks_it(changes, outcome):
    run = propagate(Experiment(**changes))
    assert verdict.outcome(run) == outcome
    assert mark(run) == f"<b>{outcome}</b>"


def test_without_an_event_the_outcome_is_the_last_size():
    run = propagate(Experiment(depth=3, scale=0.1))
    assert verdict.outcome(run) == f"last std {run.final.std(ddof=1):.3g}"
    run = propagate(Experiment(width=1, depth=3))
    assert verdict.outcome(run) == f"last |x| {abs(run.final[0]):.3g}"
    assert mark(run) is None


def test_every_slot_has_a_colour_of_its_own():
    assert tuple(PIN_COLORS) == pins.SLOTS
    assert len(set(PIN_COLORS.values())) == 6
