"""What was to be expected, on the page: bands, the ensemble, the predicted iteration."""

import re

import pytest

from core import Experiment
from core.reading.expectation import predicted_iteration
from core.simulation.ensemble import sample_ensemble
from core.theory.finite_width import predict
from pages.work import answers
from tests.pages.test_explore import answer, blocks, chart, opened, problems, widget, words

FRESH = {"weights": "fresh", "width": "64", "depth": "30"}


def traces(at, key="std"):
    return {trace.get("uid", ""): trace for trace in chart(at, key)["figure"]["data"]}


def has_chart(at, key):
    return any(f"-{key}" in part.proto.id for part in at.get("bidi_component"))


def told(at):
    [block] = blocks(at, "gi-expected")
    return words(block)


def test_the_predicted_iteration_stands_beside_the_measured_one():
    at = opened()
    assert re.search(r"NaN iteration 28 .* predicted 28 \(\d\d %\), 27 \(\d\d %\)", answer(at))
    assert predicted_iteration(predict(Experiment())) in answer(at)
    assert "one repeated gaussian matrix" in told(at).lower()
    assert set(traces(at)) >= {"median", "band90low", "band50high", "std"}
    [predicted] = chart(at, "ends")["figure"]["data"]
    assert 28 in predicted["x"] and predicted["name"] == "predicted"


def test_nothing_is_predicted_to_break_where_the_scale_holds():
    at = opened(scale="1/√n")
    assert "as predicted" in answer(at) and "predicted none" not in answer(at)
    assert not has_chart(at, "ends")
    assert "lie below this one's" in told(at)
    assert "weights of its own" in told(at)


def test_the_switch_shows_many_networks_and_a_histogram_of_their_iterations():
    at = opened(**FRESH, scale="100")
    assert "fan" not in traces(at)
    at.toggle(key="ensemble").set_value(True).run()
    assert not at.exception
    assert traces(at)["fan50"]["name"].startswith("256 networks")
    predicted, measured = chart(at, "ends")["figure"]["data"]
    assert measured["name"] == "in 256 networks"
    likeliest = predicted["x"][max(range(len(predicted["y"])), key=predicted["y"].__getitem__)]
    assert likeliest in measured["x"]
    at.toggle(key="ensemble").set_value(False).run()
    assert "fan" not in traces(at)


def test_a_link_turns_the_switch_on_and_is_kept_in_the_link_to_copy():
    at = opened(**FRESH, ensemble="true")
    assert at.toggle(key="ensemble").value and "fan" in traces(at)
    assert problems(at) == []


@pytest.mark.parametrize("text", ["yes", "", "<b>", "256"])
def test_a_bad_switch_in_a_link_is_named_and_off(text):
    at = opened(**FRESH, ensemble=text)
    assert problems(at) == [f"ensemble must be true or false, got {text!r}: false is used"]
    assert not at.toggle(key="ensemble").value
    widget(at, "depth").set_value(20).run()
    assert problems(at) == []


@pytest.mark.parametrize(("width", "how"), [("64", "Measured"), ("512", "Sampled")])
def test_where_no_law_is_known_some_networks_are_run_instead(width, how):
    at = opened(activation="relu", scale="√(2/n)", width=width)
    assert "predicted" not in answer(at)
    assert "No law is known for one matrix" in told(at) and f"{how} in 64 networks" in told(at)
    assert traces(at)["median"]["name"].startswith("measured")
    assert "fan" not in traces(at)
    widget(at, "depth").set_value(99).run()
    assert not at.exception and f"{how} in 64 networks" in told(at)


def test_where_networks_are_too_much_work_the_page_says_how_to_ask_for_them():
    at = opened(activation="relu", width="2048", depth="30", init="uniform")
    assert "median" not in traces(at)
    assert "Switch “256 networks” on to measure it." in told(at)


@pytest.mark.parametrize("more", [{}, {"bias_std": "1"}, {"ensemble": "true"}, {"init": "zeros"}])
def test_weights_of_zero_leave_a_page(more):
    at = opened(width="64", depth="20", scale="0", **more)
    assert "No law is needed" in told(at)


def test_an_ensemble_beyond_the_hosts_limit_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "2e7")
    at = opened(width="67", depth="30", ensemble="true")  # a width that no other test has
    assert any("an ensemble of 256 networks needs about" in each for each in problems(at))
    assert "explodes" in answer(at) or "grows" in answer(at)
    at.toggle(key="ensemble").set_value(False).run()
    assert not any("ensemble" in each for each in problems(at))


def test_another_scale_or_depth_or_seed_shows_the_same_networks():
    at = opened(**FRESH, scale="1/√n", ensemble="true")
    last = traces(at)["fan50"]["y"][30]
    at.button(key="scale_stop_0.1").click().run()
    assert traces(at)["fan50"]["y"][30] == pytest.approx(last * 0.8**30, rel=1e-3)
    widget(at, "depth").set_value(26).run()
    again = traces(at)["fan50"]["y"]
    assert len(again) == 27
    e = Experiment(width=64, depth=50, weights="fresh", scale=0.1)
    measured = sample_ensemble(e, 256).log2_std[:, 26]
    assert sorted(2**measured)[128] == pytest.approx(again[26], rel=0.02)


def test_the_card_shows_both_gains_of_the_activation():
    at = opened(**FRESH, activation="tanh")
    [card] = blocks(at, "gi-card")
    assert "PyTorch’s gain 1.667" in words(card) and "chaotic" in words(card)


def test_networks_that_take_too_long_end_in_words_and_are_not_run_again(monkeypatch):
    """They are estimated at some 8 s."""
    monkeypatch.setattr(answers.work(), "most_seconds", 2.0)
    asked, ensemble = [], answers.ensemble

    def noted(*size, backward=False):
        asked.append(backward)
        return ensemble(*size, backward=backward)

    monkeypatch.setattr(answers, "ensemble", noted)
    narrow = {"width": "3", "depth": "2000", "weights": "fresh", "batch_size": "2"}
    rest = {"init": "truncated_normal", "activation": "hardtanh", "bias_std": "0.1"}
    at = opened(**narrow, **rest, ensemble="true", seed="31")
    assert any("this took longer than 2 s, the most" in each for each in problems(at))
    assert asked == [False, True] and "std" in traces(at)
