"""The answers that pages ask for: which are quick, which the host refuses, on how many threads."""

import threading

import pytest
import torch

from core import Experiment
from core.lesson import STEPS
from core.maps.landscape import Landscape
from core.simulation.scale_free import free_of_scale
from core.sweep import parse
from pages.work import answers
from pages.work.shared import Work

FRESH = Experiment(width=64, weights="fresh", init="lecun_normal")
LINGERS = Experiment(width=116, depth=1500, scale=0.99, init="xavier_normal", weights="fresh")
LINGERS = LINGERS.replace(activation="hardtanh", number_format="float8_e5m2")


@pytest.fixture
def quick(monkeypatch):
    """Whether what is asked for counts as quick; nothing is computed."""
    monkeypatch.setattr(Work, "answer", lambda self, key, compute, *, quick, **more: quick)


def exercise(slug, **size):
    return answers.exercise(slug, STEPS[slug].setting(**size))


def borders(activation, depths):
    base = FRESH.replace(activation=activation)
    x, y = parse("scale=0.1..2:24"), parse(f"depth={depths}")
    return answers.borders(Landscape(base, x, y, "std"))


def test_quick_is_what_takes_less_than_a_quarter_of_a_second_of_whatever_kind(quick):
    assert answers.run(FRESH, "cpu") and not answers.run(FRESH.replace(width=2000), "cpu")
    assert answers.prediction(FRESH.replace(activation="tanh", depth=100))
    assert answers.prediction(FRESH.replace(depth=1500))  # in closed form
    assert not answers.prediction(FRESH.replace(activation="tanh", depth=2000))
    assert not answers.prediction(LINGERS)
    assert exercise("products") and exercise("products", n=2)
    assert not exercise("first-nan", repetitions=2000)
    assert borders("relu", "1..2000:24") and not borders("gelu", "1..2000:24")
    assert answers.scale_free(FRESH)
    assert not answers.scale_free(FRESH.replace(width=1024, depth=1000))


def test_a_prediction_that_is_too_much_for_the_host_says_so(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e5")
    told = answers.prediction(FRESH.replace(width=33, depth=7))
    assert not told.known
    assert told.valid.startswith("Nothing is predicted: a prediction needs about ")
    assert told.valid.endswith(": lower depth.")


def test_a_prediction_that_takes_too_long_ends_in_words(monkeypatch):
    monkeypatch.setattr(answers.work(), "most_seconds", 0.0)
    told = answers.prediction(LINGERS)
    assert not told.known
    assert told.valid.startswith("Nothing is predicted: this took longer than 0 s")


def test_a_new_thread_computes_on_as_many_threads_as_the_host_sets(monkeypatch):
    """torch gives each thread of Python a number of its own, and a new one all cores."""
    monkeypatch.setenv("GOOD_INIT_THREADS", "1")
    seen = []
    monkeypatch.setattr(answers, "predict", lambda e, **hooks: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        script = threading.Thread(target=answers.prediction, args=(FRESH.replace(width=35),))
        script.start()
        script.join()
    finally:
        torch.set_num_threads(before)
    assert seen == [1]


def test_the_signal_of_another_loss_scale_is_not_computed_again():
    for e in (FRESH, FRESH.replace(number_format="float8_e4m3fn")):
        scaled = e.replace(loss_scale=2.0**8)
        assert answers.ensemble_base(scaled) == answers.ensemble_base(e)
    assert free_of_scale(FRESH.replace(loss_scale=2.0**8)) == free_of_scale(FRESH)
