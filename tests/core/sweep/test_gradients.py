"""Measures of the way back: real runs, ensembles in law, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core import Experiment, backpropagate, mean_field
from core.charts.map_colours import scale_of
from core.maps.map import NOT_FINITE, map_of
from core.maps.regions import regions
from core.maps.words import cell, summary
from core.sweep import sweep
from core.sweep.axes import as_axes
from core.sweep.chunks import groups_of
from core.sweep.groups import Question, work_of_all
from core.sweep.result import NAMES
from core.theory.windows import scale_window

TANH = Experiment(width=64, activation="tanh", init="xavier_normal", weights="fresh")
DECADES = np.log10(2)


def _one(e: Experiment, measure: str, *, real: bool = True, networks: int = 1) -> np.ndarray:
    found = sweep(e, {"depth": [e.depth]}, measure, ensemble_size=networks, real=real)
    assert not found.errors
    return found.values[:, 0]


def test_real_runs_tell_what_backpropagate_tells() -> None:
    e = TANH.replace(depth=12, scale=1.5)
    back = backpropagate(e)
    octaves = back.stats.log2_rms[0] - back.stats.log2_rms[-1]
    assert _one(e, "gradient_ratio") == pytest.approx(octaves * DECADES, rel=1e-15)
    assert np.isnan(_one(e, "gradient_break"))
    assert _one(e, "gradient_lost") == back.stats.zero[0]
    assert _one(e, "log2_gradient_rms") == back.stats.log2_rms[0]
    assert _one(e, "log2_weight_gradient_rms") == back.weights.log2_rms[1]


@pytest.mark.parametrize("measure", ["gradient_lost", "gradient_ratio"])
def test_an_axis_may_have_a_value_twice(measure: str) -> None:
    axes = {"scale": [0.2, 0.2], "depth": [5]}
    found = sweep(TANH.replace(width=16), axes, measure, ensemble_size=2, real=True)
    assert not found.errors and found.done.all()
    assert (found.values[:, 0] == found.values[:, 1]).all()


def test_a_cell_whose_signals_leave_the_range_is_refused_where_its_runs_are_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    e = TANH.replace(activation="relu", depth=50, number_format="float16", width=64)
    top = scale_window(e, "float16").high * 0.999
    cells = {"scale": [1.4, top], "depth": [50]}
    whole = sweep(e, cells, "gradient_ratio", ensemble_size=64)
    assert not whole.errors
    assert whole.engines.ravel().tolist() == [NAMES.index("sampler"), NAMES.index("runs")]
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e9")
    found = sweep(e, cells, "gradient_ratio", ensemble_size=64)
    [words] = found.errors.values()
    assert "of the cells up to this one needs about" in words and "ensemble_size" in words
    assert found.values[:, 0] == pytest.approx(whole.values[:, 0])


def test_a_gradient_that_breaks_has_its_layer() -> None:
    e = Experiment(width=64, depth=100)  # √64 per product: float32 ends on both ways
    layer = backpropagate(e).events.first_nonfinite
    assert layer is not None and 0 < layer < 100
    assert _one(e, "gradient_break") == layer
    assert np.isnan(_one(e, "gradient_ratio"))
    small = e.replace(scale=1e-3, depth=40)
    assert _one(small, "gradient_break") == backpropagate(small).events.all_zero
    assert _one(small, "gradient_ratio") == -np.inf
    assert _one(small, "gradient_lost") == 1


def test_float16_loses_elements_that_a_loss_scale_keeps() -> None:
    e = Experiment(
        width=64, depth=24, init="xavier_normal", scale=0.5, weights="fresh",
        number_format="float16",
    )  # fmt: skip
    lost = sweep(e, {"loss_scale": [1.0, 2.0**16]}, "gradient_lost").median
    assert lost[0] > 0.1 and lost[1] == 0


@pytest.mark.parametrize("measure", ["gradient_ratio", "log2_weight_gradient_rms"])
def test_the_ensemble_agrees_with_real_runs(measure: str) -> None:
    e = TANH.replace(depth=10, scale=1.5)
    networks = 100
    law, real = (_one(e, measure, real=way, networks=networks) for way in (False, True))
    error = np.hypot(law.std(), real.std()) / np.sqrt(networks)
    assert abs(law.mean() - real.mean()) < 4 * error


def test_the_ensemble_approaches_infinite_width() -> None:
    e = TANH.replace(width=2048, depth=20, scale=1.5)
    infinite = mean_field.profile(e).log2_gradient_rms[0] * DECADES
    found = _one(e, "gradient_ratio", real=False, networks=16)
    # O(depth/width) is 0.01 relative, of a mean square over a hundred times larger than 1.
    assert abs(np.median(found) - infinite) < 0.03 + 4 * found.std() / 4


def test_breaks_in_law_shift_with_the_loss_scale() -> None:
    e = Experiment(
        width=64, depth=120, init="xavier_normal", scale=0.5, weights="fresh",
        number_format="bfloat16",
    )  # fmt: skip
    found = []
    for scale in (2.0**-24, 2.0**-20):
        own = e.replace(loss_scale=scale)
        law, real = (_one(own, "gradient_break", real=way, networks=8) for way in (False, True))
        # The law has exact arithmetic; rounding among the subnormals moves the end by few layers.
        assert abs(np.median(law) - np.median(real)) <= 4
        found.append(np.median(law))
    assert found[0] == found[1] + 4  # the same networks, halved by every layer


def test_where_the_signal_leaves_its_format_only_real_runs_answer() -> None:
    relu = Experiment(width=32, activation="relu", weights="fresh")
    found = sweep(relu, {"scale": [0.25, 1e3], "depth": [30]}, "gradient_ratio")
    assert [str(name) for name in found.engine_names] != ["sampler"]
    assert np.isfinite(found.values[0, 0, 0])


def test_a_gradient_counts_a_higher_layer_as_earlier() -> None:
    found = sweep(Experiment(), {"seed": [0, 1]}, "gradient_break", ensemble_size=3)
    for column in range(2):
        assert found.median[column] == np.sort(found.values[:, column])[1]
    never = found.values.copy()
    never[:2] = np.nan
    assert np.isnan(replace(found, values=never).median).all()


def test_the_work_counts_the_way_back() -> None:
    axes = as_axes({"sigma_w": [0.9, 1.1], "depth": [10, 20]})
    for measure, forward in (("gradient_ratio", "log2_rms"), ("gradient_lost", "subnormal")):
        works = []
        for name in (measure, forward):
            question = Question(name, None, 4)
            groups, _ = groups_of(TANH, axes, question)
            works.append(work_of_all(groups, question))
        assert works[0] > 1.5 * works[1]


def test_a_measure_of_the_way_back_has_no_layer() -> None:
    with pytest.raises(ValueError, match="gradient_ratio is not measured at a layer"):
        sweep(TANH, {"depth": [3]}, "gradient_ratio@2")


def test_a_map_says_where_the_gradient_comes_back() -> None:
    axes = {"sigma_w": [0.6, 0.65, 0.7, 0.75, 0.8, 1.5, 2.0, 2.5, 3.0, 3.5], "depth": [30, 60, 90]}
    found = sweep(TANH, axes, "gradient_ratio")
    assert scale_of(found.measure, "gradient_ratio").centre == 0
    assert {each.name for each in regions(found, map_of(found), ())} >= {"explodes", "vanishes"}
    assert summary(found).startswith("Log10 gradient ratio goes from −")
    assert "log10 gradient ratio −" in cell(found, (0, 1))
    broken = sweep(Experiment(), {"scale": [0.04, 1.0], "depth": [50, 100]}, "gradient_ratio")
    assert NOT_FINITE in map_of(broken).kinds
    assert "brings its gradient back" in summary(broken)


def test_the_layer_of_a_break_is_called_k() -> None:
    found = sweep(Experiment(width=64), {"scale": [0.1, 1.0], "depth": [90, 100]}, "gradient_break")
    assert "k = " in cell(found, (1, 1))
    assert "brings its gradient back" in summary(found)
