"""The gradient beside the signal on Explore: its half of the verdict, its chart, its absence."""

import re

import numpy as np
import pytest

from core import Experiment, backpropagate, charts, sample_ensemble
from core.charts.pins import Pin
from core.reading.gradient_run import as_ensemble, as_run
from core.reading.verdict import judge
from pages.work import answers
from tests.pages.exploring.test_spread import has_chart, traces
from tests.pages.test_explore import answer, blocks, chart, opened, problems, words

SMALL = {"width": "64", "depth": "30"}


def curve(at, uid):
    [trace] = [t for t in chart(at, "gradient")["figure"]["data"] if t["uid"] == uid]
    return trace


def test_both_halves_of_the_verdict_are_in_the_answer():
    at = opened(**SMALL)
    told = judge(backpropagate(Experiment(width=64, depth=30)))
    assert f"gradient {told.kind} {told.sentence}" in answer(at)
    healthy = opened(**SMALL, init="orthogonal")
    assert answer(healthy).count("holds") == 2 and "Healthy both ways." in answer(healthy)
    assert "Healthy" not in answer(at)


def test_the_chart_of_the_gradient_has_its_std_at_each_layer():
    at = opened(**SMALL, init="xavier_normal", scale="0.8", pin_a="width:32")
    back = backpropagate(Experiment(width=64, depth=30, init="xavier_normal", scale=0.8))
    drawn = curve(at, "std")
    assert drawn["x"] == list(range(30, -1, -1))
    np.testing.assert_allclose(drawn["y"][::-1], back.stats.std, rtol=1e-5)  # six digits are sent
    assert curve(at, "median")["x"] == drawn["x"]
    assert curve(at, "-stays-a")["x"][0] == 100  # the pin has the default depth


def test_a_hidden_gradient_is_not_computed(monkeypatch):
    monkeypatch.setattr(answers, "there_and_back", None)
    at = opened(**SMALL, seed="77", hide="gradient")
    assert "explodes" in answer(at) or "grows" in answer(at)
    assert "gradient" not in answer(at) and not has_chart(at, "gradient")


def test_a_run_too_large_for_the_way_back_is_shown_without_it(monkeypatch):
    monkeypatch.setattr(
        "pages.exploring.both_ways._refusal", lambda e: "this run needs about 9 GiB of memory"
    )
    at = opened(**SMALL, seed="78")
    [said] = blocks(at, "gi-gradient")
    assert "There is no gradient to show: this run needs about 9 GiB" in words(said)
    assert has_chart(at, "std") and not has_chart(at, "gradient")


def test_the_signal_is_not_computed_twice(monkeypatch):
    e = Experiment(width=16, depth=5, seed=79)
    back = answers.there_and_back(e, "cpu")
    monkeypatch.setattr(answers, "propagate", None)
    assert answers.run(e, "cpu") is back.run


def test_a_loss_scale_out_of_range_is_refused_in_words():
    at = opened(**SMALL, loss_scale="1e9")
    [said] = problems(at)
    assert said.startswith("loss_scale must be a number from")


def test_an_event_of_the_gradient_is_marked_at_its_layer():
    run = as_run(backpropagate(Experiment(width=64, depth=60, number_format="float16")))
    layer = run.experiment.depth - 1 - run.events.first_nonfinite
    layout = charts.std_per_layer(run, [Pin("a", "", run)])["layout"]
    line, tint = layout["shapes"][:2]
    assert line["visible"] and line["x0"] == layer
    assert (tint["x0"], tint["x1"]) == (layer, -0.5)
    assert layout["annotations"][0]["text"].endswith(f"at layer {layer}</b>")


def test_a_loss_scale_beyond_the_format_is_marked_at_the_output():
    e = Experiment(width=8, depth=4, number_format="float16", loss_scale=2.0**24)
    layout = charts.std_per_layer(as_run(backpropagate(e)))["layout"]
    assert layout["shapes"][0]["x0"] == 4


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_gradients_of_an_ensemble_follow_scale_and_loss_scale(scale):
    e = Experiment(width=16, depth=6, init="kaiming_normal", activation="relu", weights="fresh")
    wanted = e.replace(scale=scale, loss_scale=8.0)
    found = as_ensemble(sample_ensemble(e, 20, backward=True).at(wanted)).log2_rms
    real = sample_ensemble(wanted, 20, backward=True).log2_gradient_rms[:, ::-1]
    np.testing.assert_allclose(found, real, atol=1e-4)  # float32 of numbers near 1


def test_slow_gradients_of_many_networks_are_caught_up_with_too(monkeypatch):
    """Both ensembles are asked for once each, and both charts have their fans."""
    monkeypatch.setattr(answers, "is_quick_work", lambda work: work < 1e6)
    at = opened(activation="tanh", weights="fresh", width="64", depth="20", ensemble="true")
    assert not at.exception
    for key in ("std", "gradient"):
        assert traces(at, key)["fan50"]["name"].startswith("256 networks")


def test_why_the_host_refuses_gradients_of_many_networks_stands_beside_them(monkeypatch):
    ensemble = answers.ensemble

    def refusing(*asked, backward=False):
        if backward:
            raise ValueError("256 networks there and back take too long")
        return ensemble(*asked)

    monkeypatch.setattr(answers, "ensemble", refusing)
    at = opened(activation="tanh", weights="fresh", width="64", depth="20", ensemble="true")
    assert "fan50" in traces(at) and "fan50" not in traces(at, "gradient")
    assert any(
        "there and back take too long" in words(block) for block in blocks(at, "gi-gradient")
    )


def test_where_the_gradient_is_predicted_to_end_stands_beside_it():
    [beside] = blocks(opened(), "gi-gradient")[:1]
    assert re.search(r"Predicted to break at layer 71 \(\d\d %\), 72 \(\d\d %\)\.", words(beside))
    holding = opened(**SMALL, init="orthogonal")
    assert not any("Predicted to" in words(block) for block in blocks(holding, "gi-gradient"))
    hidden = opened(hide="theory")
    assert not any("Predicted to" in words(block) for block in blocks(hidden, "gi-gradient"))


def test_a_class_that_is_not_to_see_theory_is_not_told_a_depth():
    critical = {"activation": "tanh", "init": "critical", "weights": "fresh", "depth": "30"}
    assert "Trainable to about 83 layers, by theory." in answer(opened(**critical))
    assert "Trainable" not in answer(opened(**critical, hide="theory"))
