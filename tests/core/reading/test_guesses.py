"""What a class is asked and told, and the picture of its guesses."""

import json

import plotly.graph_objects as go
import pytest

from core import Experiment, propagate
from core.charts import guessed_iterations
from core.reading.guesses import (
    Guesses,
    counted,
    how_far,
    in_class,
    loop,
    measured_iteration,
    not_whole,
    setting,
)
from core.theory.finite_width import predict

BREAKS = Experiment(width=64, depth=60)
HOLDS = Experiment(width=64, depth=30, scale=0.125, weights="fresh")
SIZE = "512 × 512".replace(" ", "\N{NO-BREAK SPACE}")  # never broken in the line
CLASS = Guesses({3: 1, 28: 4, 59: 2}, never=2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {},
            "x: 512 numbers from randn; a: 512 × 512 weights from randn, the same at every step, "
            "no ReLU, float32.",
        ),
        (
            {"scale": 512**-0.5, "activation": "relu", "weights": "fresh", "depth": 1},
            "x: 512 numbers from randn; a: 512 × 512 weights from randn × 1/√n, new ones at every "
            "step, ReLU after every product, float32.",
        ),
        (
            {"init": "orthogonal", "activation": "tanh", "bias_std": 0.1, "batch_size": 4},
            "x: 4 inputs of 512 numbers from randn; a: 512 × 512 weights from orthogonal, the same "
            "at every step, tanh after every product, a bias b of std 0.1, float32.",
        ),
    ],
)
def test_the_question_says_what_is_multiplied(changes, words):
    assert setting(Experiment(**changes)) == words.replace("512 × 512", SIZE)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "for i in range(100): x = a @ x"),
        ({"depth": 7, "activation": "relu"}, "for i in range(7): x = relu(a @ x)"),
        (
            {"weights": "fresh", "bias_std": 0.1, "activation": "tanh"},
            "for i in range(100): x = tanh(a[i] @ x + b[i])",
        ),
    ],
)
def test_the_question_is_about_a_loop(changes, line):
    assert loop(Experiment(**changes)) == line


def test_a_number_that_is_not_whole_is_asked_back():
    assert not_whole(12.7) == "12.7 is not an iteration: do you mean 12 or 13?"


def test_a_guess_counts_from_zero():
    assert counted(BREAKS).startswith("The first product is i = 0, the last is i = 59.")
    assert counted(BREAKS.replace(depth=1)).startswith("There is only i = 0.")


@pytest.mark.parametrize(
    ("guess", "measured", "words"),
    [
        (28, 28, "28 is right."),
        (31, 28, "You said 31, it is 28: 3 too late."),
        (0, 28, "You said 0, it is 28: 28 too early."),
        (None, None, "You said never, and that is right."),
        (None, 0, "You said never, but it happens at i = 0."),
        (0, None, "You said 0, but it never happens here."),
    ],
)
def test_how_far_off_a_guess_was(guess, measured, words):
    assert how_far(guess, measured) == words


def test_a_class_in_a_sentence():
    assert in_class(Guesses({})) == "No guesses yet."
    assert in_class(Guesses({7: 1})) == "1 guess, at 7."
    assert in_class(Guesses({7: 1}, never=1)) == "2 guesses, at 7, 1 says never."
    assert in_class(CLASS) == "9 guesses, from 3 to 59, 2 say never."
    assert in_class(CLASS, 28, is_shown=True).endswith("2 say never, 4 exactly right.")
    assert in_class(CLASS, 4, is_shown=True).endswith("none exactly right.")
    assert in_class(CLASS, None, is_shown=True).endswith("2 say never, 2 exactly right.")


def trace(figure, uid):
    return next(part for part in figure["data"] if part["uid"] == uid)


def uids(figure):
    return [part["uid"] for part in figure["data"]]


def test_the_histogram_before_the_answer_has_the_guesses_and_nothing_else():
    figure = guessed_iterations(CLASS, 60)
    assert uids(figure) == ["guesses", "never"]
    assert trace(figure, "guesses")["x"] == [3, 28, 59]
    assert trace(figure, "guesses")["y"] == [1, 4, 2]
    assert trace(figure, "never")["y"] == [2] and trace(figure, "never")["xaxis"] == "x2"
    assert figure["layout"]["shapes"] == figure["layout"]["annotations"] == []
    assert figure["layout"]["xaxis"]["range"] == [-0.6, 59.6]  # and does not move with guesses
    assert figure["layout"]["meta"]["alt"].endswith("9 guesses, from 3 to 59, 2 say never.")


def test_the_answer_is_a_line_over_the_law():
    run, law = propagate(BREAKS), predict(BREAKS)
    figure = guessed_iterations(CLASS, 60, run=run, prediction=law, own=(59,))
    [line] = figure["layout"]["shapes"]
    assert line["x0"] == line["x1"] == run.events.first_nonfinite == measured_iteration(run)
    bars = trace(figure, "predicted")
    shares = dict(zip(bars["x"], bars["y"], strict=True))
    for index, share in law.overflow_pmf.items():
        assert shares.get(index, 0) == pytest.approx(share, abs=1e-3)
    assert (trace(figure, "own")["x"], trace(figure, "own")["y"]) == ([59], [2])
    assert f"Measured: i = {run.events.first_nonfinite}." in figure["layout"]["meta"]["alt"]


def test_never_is_an_answer_with_a_place_of_its_own():
    run, law = propagate(HOLDS), predict(HOLDS)
    assert law.known and measured_iteration(run) is None
    figure = guessed_iterations(CLASS, 30, run=run, prediction=law, own=(None,))
    assert figure["layout"]["shapes"][0]["xref"] == trace(figure, "own")["xaxis"] == "x2"
    assert trace(figure, "predictednever")["y"] == [1.0] and "predicted" not in uids(figure)
    assert "Measured: never." in figure["layout"]["meta"]["alt"]


def test_a_deep_network_has_several_iterations_to_a_bar_and_loses_no_guess():
    guesses = Guesses(dict.fromkeys(range(0, 2000, 3), 1))
    figure = guessed_iterations(guesses, 2000)
    bars = trace(figure, "guesses")
    assert len(bars["x"]) == 100 and sum(bars["y"]) == guesses.total
    assert bars["customdata"][1] == "i = 20 … 39"


@pytest.mark.parametrize("experiment", [BREAKS, HOLDS, Experiment(width=1, depth=1)])
@pytest.mark.parametrize("guesses", [Guesses({}), Guesses({0: 3}), Guesses({}, never=5)])
@pytest.mark.parametrize("large", [False, True])
def test_every_histogram_is_valid_plotly_and_strict_json(experiment, guesses, large):
    answer = {"run": propagate(experiment), "prediction": predict(experiment), "own": (0,)}
    for shown in ({}, answer):
        figure = guessed_iterations(guesses, experiment.depth, large=large, **shown)
        go.Figure(figure)  # raises for anything outside Plotly's schema
        json.dumps(figure, allow_nan=False)
        assert all(part["hovertemplate"] for part in figure["data"])
