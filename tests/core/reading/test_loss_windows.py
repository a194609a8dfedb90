"""Windows of loss scales: the search against every loss scale, theory against real gradients."""

import itertools

import numpy as np
import pytest

from core import NUMBER_FORMATS, Experiment, backpropagate
from core.reading import loss_windows as reading
from core.reading.comparison import loss
from core.reading.loss_windows import in_words, measured_windows, sentence
from core.theory.loss_windows import loss_windows
from core.theory.windows import Window

RELU = Experiment(width=48, depth=12, init="kaiming_normal", activation="relu", weights="fresh")
LINEAR = Experiment(width=48, depth=12, init="xavier_normal", scale=0.7)
NONE = Window(np.inf, 0.0)


def test_no_loss_scale_carries_a_gradient_that_is_zero_without_rounding(monkeypatch):
    seen = []
    monkeypatch.setattr(reading, "backpropagate", lambda e: seen.append(e) or backpropagate(e))
    dead = Experiment(width=16, depth=4, scale=0.0, bias_std=1.0, activation="tanh")
    windows = measured_windows(dead)
    assert set(windows) == set(NUMBER_FORMATS) and all(w.is_empty for w in windows.values())
    assert len(seen) == 1
    assert "no format carries" in sentence(windows, 1.0)


def test_a_format_that_carries_is_not_said_to_carry_nowhere():
    """No power of two lies in its window, but the loss scale does."""
    told = sentence({"float32": Window(0.5, 8.0), "float16": Window(1.1, 1.9)}, 1.5)
    assert "float32 and float16 carry" in told and "no loss scale" not in told


def carried(e: Experiment, exact: np.ndarray) -> bool:
    """By the definition: the signal comes through, and no δ or G loses more than half or breaks."""
    back = backpropagate(e)
    zeros = np.concatenate([back.stats.zero, back.weights.zero[1:]])
    lost = np.divide(zeros - exact, 1 - exact, out=np.zeros_like(zeros), where=exact < 1)
    whole = back.weights.whole or {"nonfinite": 0.0}
    breaks = [*back.stats.nonfinite, *back.weights.nonfinite[1:], whole["nonfinite"]]
    sticks = back.stats.saturated.any()
    return not (loss(back.run) or (lost > 0.5).any() or any(breaks) or sticks)


@pytest.mark.parametrize("e", [RELU, LINEAR], ids=["relu", "linear"])
def test_few_runs_find_what_every_loss_scale_shows(e):
    found = measured_windows(e)
    back = backpropagate(e.replace(number_format="float64"))
    exact = np.concatenate([back.stats.zero, back.weights.zero[1:]])
    for name in ("float32", "float16", "float8_e5m2", "float8_e4m3fn"):
        own = e.replace(number_format=name)
        holds = [k for k in range(-24, 25) if carried(own.replace(loss_scale=2.0**k), exact)]
        window = found[name]
        expected = Window(2.0 ** holds[0], 2.0 ** holds[-1]) if holds else NONE
        assert window == expected, name
        assert holds == [*range(holds[0], holds[-1] + 1)] if holds else True


def test_it_takes_few_runs(monkeypatch):
    runs = itertools.count()
    monkeypatch.setattr(reading, "backpropagate", lambda e: (next(runs), backpropagate(e))[1])
    told = []
    measured_windows(RELU, on_progress=told.append)
    assert next(runs) <= 6 * len(NUMBER_FORMATS)  # of 49 loss scales each
    assert told == sorted(told) and told[0] >= 0 and told[-1] < 1


@pytest.mark.parametrize("activation, init", [("relu", "kaiming_normal"), ("tanh", "critical")])
def test_theory_is_within_two_octaves_of_real_gradients(activation, init):
    e = Experiment(width=256, depth=20, init=init, activation=activation, weights="fresh")
    theory, measured = loss_windows(e), measured_windows(e)
    for name in ("float16", "float8_e5m2", "float8_e4m3fn"):
        # Widths differ from infinity by O(depth/width), and the largest of N normals varies.
        assert abs(np.log2(theory[name].low / measured[name].low)) <= 2, name
        assert abs(np.log2(theory[name].high / measured[name].high)) <= 3, name
    assert measured["float32"] == Window(2.0**-24, 2.0**24)
    assert theory["float32"].low < 2.0**-24 and theory["float32"].high > 2.0**24


@pytest.mark.parametrize(
    "changes, nearest",
    [
        ({"init": "lsuv", "activation": "relu", "scale": 100.0, "weights": "fresh"}, 1.5),
        ({"init": "xavier_normal"}, 1.0),
        ({"init": "identity"}, 1.5),
    ],
    ids=lambda value: value["init"] if isinstance(value, dict) else "",
)
def test_fitted_and_shared_matrices_have_gradients_of_their_own_size(changes, nearest):
    """A fit undoes the size of x; a shared matrix has the sum of its steps' gradients."""
    e = Experiment(width=64, depth=30, **changes)
    if e.init == "lsuv":
        e = e.replace(depth=12)
    theory, measured = (windows(e) for windows in (loss_windows, measured_windows))
    # In octaves; measured ends are whole ones, and a network has a spread.
    assert abs(np.log2(theory["float16"].high / measured["float16"].high)) <= nearest


def test_a_signal_that_is_lost_has_no_window():
    e = Experiment(width=64, depth=100)
    for windows in (loss_windows(e), measured_windows(e)):
        assert windows["float16"].is_empty and in_words(windows["float16"]) == "none"
        assert in_words(windows["float64"]) == "any"


def test_without_weights_there_is_no_gradient():
    assert all(each.is_empty for each in loss_windows(LINEAR.replace(scale=0.0)).values())


def test_windows_and_what_they_mean_are_said_in_words():
    assert in_words(Window(2.0**-4.5, 2.0**9.7)) == "2⁻⁴ to 2⁹"
    assert in_words(Window(2.0**-80, 2.0**3)) == "2⁻²⁴ to 2³"
    assert in_words(Window(2.0**30, 2.0**40)) == in_words(NONE) == "none"
    assert in_words(Window(2.0**3, 2.0**3)) == "2³ to 2³"
    assert in_words(Window(5.0, 7.0)) == "5 to 7"  # no power of two lies between
    windows = {
        "float32": Window(0.0, np.inf),
        "float16": Window(2.0**3, 2.0**9),
        "float8_e5m2": NONE,
    }
    assert sentence(windows, 1.0) == (
        "With loss scale 1 float32 carries signal and gradient at once. It takes 2³ to 2⁹ in "
        "float16. In float8_e5m2 no loss scale does it."
    )
    assert sentence({"float16": NONE}, 2.0).startswith("With loss scale 2 no format carries")


def test_a_format_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="format_name must be one of float64"):
        loss_windows(RELU, ["float7"])
    assert [*loss_windows(RELU)] == [*NUMBER_FORMATS]
