"""A sweep gives each cell what its experiment gives alone, whoever computes it, in any order."""

import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context

import numpy as np
import pytest
import torch

from core import Experiment, propagate
from core.reading.verdict import judge
from core.simulation.ensemble import sample_ensemble
from core.simulation.propagate import Stopped
from core.statistics.layer_stats import EVENTS, STATISTICS
from core.sweep import AXES, ENGINES, MEASURES, SweepResult, parse, spaced, sweep
from core.sweep.chunks import chunked, groups_of, level_of, solve_chunk
from core.sweep.groups import Question, _networks, work
from core.sweep.measures import measure_of
from core.theory.finite_width import predict

SMALL = Experiment(width=24, depth=12)
SCALES = [0.05, 0.2, 1.0, 4.0, 30.0]
WIDTHS = [3, 8, 40]

# Each engine, and two that share what they compute.
GRIDS = {
    "sampler": (SMALL.replace(weights="fresh"), {"scale": SCALES, "width": WIDTHS}, "log2_std"),
    "matrices": (SMALL, {"scale": SCALES, "width": WIDTHS}, "first_nonfinite"),
    "runs": (
        SMALL.replace(number_format="float8_e5m2", activation="tanh"),
        {"depth": [1, 5, 12], "width": WIDTHS},
        "rms",
    ),
    "theory": (
        SMALL.replace(activation="gelu", init="xavier_normal"),
        {"sigma_w": [0.5, 1.5, 2.5], "bias_std": [0.0, 0.3]},
        "chi_1",
    ),
    "mixed": (
        Experiment(width=32, depth=40, weights="fresh"),
        {"number_format": ["float64", "float16", "float8_e5m2"], "scale": SCALES},
        "first_nonfinite",
    ),
}


def same(one: SweepResult, other: SweepResult):
    assert one.values.tobytes() == other.values.tobytes()
    assert one.engines.tobytes() == other.engines.tobytes()
    assert one.stuck.tobytes() == other.stuck.tobytes()
    assert one.errors == other.errors and one.stopped == other.stopped


def swept(name, **options):
    base, axes, measure = GRIDS[name]
    return sweep(base, axes, measure, ensemble_size=3, **options)


class Backwards(Executor):
    """Does nothing until it is asked to wait, and then the last first."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        if not args:  # what measures the overhead waits at once
            future.set_result(function())
            return future
        self.waiting.append((future, function, args))
        if len(self.waiting) == self.expected:
            for future_, function_, args_ in reversed(self.waiting):
                future_.set_result(function_(*args_))
        return future


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("name", GRIDS)
def test_threads_processes_and_a_thread_of_ones_own_give_the_same_bits(name, processes):
    alone = swept(name)
    assert alone.fraction_done == 1 and not alone.errors and not alone.stopped
    with ThreadPoolExecutor(4) as threads:
        same(alone, swept(name, executor=threads))
    same(alone, swept(name, executor=processes))


@pytest.mark.parametrize("name", GRIDS)
def test_neither_the_cut_nor_the_order_changes_a_bit(name, monkeypatch):
    alone = swept(name)
    whole = swept(name, executor=_one_chunk(monkeypatch))
    same(alone, whole)
    monkeypatch.setattr("core.sweep.run.chunked", lambda groups, *_: [(g,) for g in groups])
    base, axes, measure = GRIDS[name]
    backwards = Backwards()
    axes_ = [spaced_like(axis, values) for axis, values in axes.items()]
    backwards.expected = len(groups_of(base, axes_, Question(measure, None, 3))[0])
    same(alone, swept(name, executor=backwards))


def spaced_like(name, values):
    return parse(f"{name}={','.join(map(str, values))}")


def _one_chunk(monkeypatch):
    monkeypatch.setattr("core.sweep.run.chunked", lambda groups, *_: [tuple(groups)])
    return ThreadPoolExecutor(1)


def test_a_cell_of_real_runs_is_what_explore_shows():
    base = SMALL.replace(activation="relu", seed=7)
    result = sweep(base, {"scale": [0.1, 1e5]}, "first_nonfinite", real=True, ensemble_size=2)
    for place, scale in enumerate([0.1, 1e5]):
        run = propagate(base.replace(scale=scale))
        expected = run.events.first_nonfinite
        assert result.values[0, place] == expected or (
            expected is None and np.isnan(result.values[0, place])
        )
    assert result.values[0, 1] != result.values[0, 0] and result.engine_names == ("runs",)
    assert result.experiment((1,)) == base.replace(scale=1e5)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_of_a_run_is_a_measure_also_at_a_smaller_depth(name):
    base = Experiment(width=64, depth=40, scale=1.0, seed=3)
    result = sweep(base, {"depth": [10, 30, 40]}, name, real=True)
    for place, depth in enumerate((10, 30, 40)):
        event = getattr(propagate(base.replace(depth=depth)).events, name)
        expected = np.nan if event is None else event
        np.testing.assert_equal(result.values[0, place], expected)


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_at_a_layer_is_that_of_the_run(name):
    base = Experiment(width=20, depth=9, activation="relu", seed=2)
    result = sweep(base, {"seed": [2, 5]}, f"{name}@4", real=True)
    for place, seed in enumerate((2, 5)):
        run = propagate(base.replace(seed=seed))
        np.testing.assert_equal(result.values[0, place], run.stats.values[name][4])


def test_the_sampler_is_asked_once_for_all_scales_depths_and_formats():
    base = Experiment(width=128, weights="fresh", seed=5)
    axes = {"scale": [0.5, 2.0], "depth": [7, 20]}
    result = sweep(base, axes, "log2_rms", ensemble_size=4)
    shared = base.replace(scale=1.0, depth=20, number_format="float64")
    ensemble = sample_ensemble(shared, 4, seed=5)
    for i, scale in enumerate(axes["scale"]):
        for j, depth in enumerate(axes["depth"]):
            expected = ensemble.at(base.replace(scale=scale, depth=depth)).log2_rms[:, -1]
            np.testing.assert_array_equal(result.values[:, i, j], expected)
    made = [spaced_like(name, values) for name, values in axes.items()]
    assert len(groups_of(base, made, Question("log2_rms", None, 4))[0]) == 1


def test_a_size_beyond_the_format_is_infinite_and_below_it_zero_whatever_gave_it():
    base = Experiment(width=256, depth=60, weights="fresh")
    axes = {"scale": [1e-3, 1 / 16, 10.0]}
    for real in (False, True):
        result = sweep(base, axes, "log2_rms", real=real)
        assert result.values[0, 0] == -np.inf and result.values[0, 2] == np.inf
        assert abs(result.values[0, 1]) < 8
        zero = sweep(base, axes, "zero", real=real).values[0]
        assert zero[0] == 1


def test_the_sampler_s_iterations_are_those_that_theory_predicts():
    """The median NaN iteration of 64 networks lies within the law's central 98 %."""
    base = Experiment(width=200, depth=100, weights="fresh")
    result = sweep(base, {"scale": [1.0, 0.3], "width": [100, 200]}, ensemble_size=64)
    for place in np.ndindex(result.shape):
        pmf = predict(result.experiment(place)).overflow_pmf
        below = np.cumsum([pmf.get(i, 0.0) for i in range(100)])
        low, high = np.searchsorted(below, [0.01, 0.99])
        assert low <= result.median[place] <= high


def test_theory_agrees_with_the_functions_of_mean_field():
    from core.theory import mean_field as mf

    base = Experiment(activation="tanh", init="xavier_normal", width=64)
    axes = {"sigma_w": [0.8, 1.3, 2.0], "bias_std": [0.1, 0.4]}
    for name, expected in {
        "chi_1": lambda w, b: mf.chi_1("tanh", w, b),
        "q_star": lambda w, b: mf.fixed_point("tanh", w, b),
        "xi_c": lambda w, b: mf.depth_scales("tanh", w, b)[1],
        "trainable_depth": lambda w, b: 6 * mf.depth_scales("tanh", w, b)[1],
    }.items():
        result = sweep(base, axes, name, ensemble_size=5)
        assert result.values.shape == (1, 3, 2)
        for (i, w), (j, b) in [
            ((i, w), (j, b))
            for i, w in enumerate(axes["sigma_w"])
            for j, b in enumerate(axes["bias_std"])
        ]:
            # σ_w goes through the scale factor: a rounding or two, which q* near its edge enlarges.
            assert result.values[0, i, j] == pytest.approx(expected(w, b), rel=1e-9)


def test_a_cell_that_fails_is_marked_and_the_others_go_on(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e7")
    base = Experiment(depth=10, activation="tanh", number_format="float8_e5m2")
    result = sweep(base, {"width": [10, 20, 3000]}, "rms")
    assert set(result.errors) == {(2,)} and "host allows" in result.errors[2,]
    assert result.done.tolist() == [True, True, False] and result.fraction_done == 1
    assert np.isnan(result.median[2]) and np.isfinite(result.median[:2]).all()


def test_a_chunk_that_breaks_marks_its_cells_and_the_sweep_goes_on(monkeypatch):
    from core.sweep import groups

    def break_at_five(experiment, **hooks):
        if experiment.seed == 5:
            raise MemoryError("no room")
        return propagate(experiment, **hooks)

    monkeypatch.setattr(groups, "propagate", break_at_five)
    monkeypatch.setattr("core.sweep.run.chunked", lambda found, *_: [(g,) for g in found])
    result = sweep(SMALL, {"seed": [4, 5, 6]}, "rms", real=True)
    assert result.errors == {(1,): "MemoryError: no room"} and result.done.tolist() == [1, 0, 1]


def test_a_scale_that_sigma_w_cannot_give_is_named():
    result = sweep(SMALL.replace(init="zeros"), {"sigma_w": [1.0]}, "rms")
    assert "sigma_w cannot be set for the initialiser zeros" in result.errors[0,]
    with pytest.raises(ValueError, match="sigma_w must be a number from 0"):
        sweep(SMALL, {"sigma_w": [1e9]}, "rms")


def test_a_sweep_that_is_stopped_keeps_what_it_has():
    seen = []
    base = Experiment(width=200, depth=30, activation="tanh", number_format="float8_e5m2")
    axes = {"scale": [0.1 * k for k in range(1, 9)], "seed": list(range(9))}
    whole = sweep(base, axes, "rms")
    result = sweep(base, axes, "rms", on_result=seen.append, should_stop=lambda: len(seen) > 0)
    assert result.stopped and 0 < result.done.sum() < result.done.size and not result.errors
    np.testing.assert_array_equal(result.values[:, result.done], whole.values[:, result.done])
    assert np.isnan(result.values[:, ~result.done]).all()


@pytest.mark.parametrize("engine, real", [("propagate", True), ("sample_ensemble", False)])
@pytest.mark.parametrize("way", ["asked", "raises"])
def test_a_cell_in_the_middle_of_its_computation_is_stopped(monkeypatch, engine, real, way):
    from core.sweep import groups

    begun = threading.Event()

    def endless(experiment, *size, should_stop=None, on_progress=None, **more):
        begun.set()
        while not (should_stop and should_stop()):
            if on_progress:
                on_progress(0.5)
            time.sleep(0.001)
        raise Stopped

    class Left(Exception):
        pass

    def should_stop():
        if begun.is_set() and way == "raises":
            raise Left
        return begun.is_set()

    monkeypatch.setattr(groups, engine, endless)
    options = {"real": real, "should_stop": should_stop}
    if way == "raises":
        with pytest.raises(Left):
            sweep(SMALL, {"seed": [1, 2]}, "rms", **options)
        return
    result = sweep(SMALL, {"seed": [1, 2]}, "rms", **options)
    assert result.stopped and not result.done.any() and not result.errors


@pytest.mark.parametrize("hook", ["should_stop", "on_result", "on_progress"])
def test_a_cell_rests_while_the_caller_is_in_a_function_of_its_own(monkeypatch, hook):
    from core.sweep import groups

    layers, rested = [0], []
    real = groups.propagate

    def counting(experiment, should_stop=None, **more):
        def next_layer():
            layers[0] += 1
            return should_stop()

        return real(experiment, should_stop=next_layer, **more)

    def lingers(*_):
        if layers[0] and not rested:
            before = layers[0]
            time.sleep(0.2)
            rested.append(layers[0] - before)
        return False

    monkeypatch.setattr(groups, "propagate", counting)
    deep = SMALL.replace(depth=400, weights="fresh")
    sweep(deep, {"seed": list(range(40))}, "rms", real=True, **{hook: lingers})
    assert rested and rested[0] <= 1  # the layer that was under way


def test_a_network_that_is_stuck_at_the_largest_value_is_marked_as_its_verdict_says():
    base = Experiment(width=64, depth=20, number_format="float8_e4m3fn")
    axes = {"scale": [0.05, 0.125, 0.3, 2.0], "number_format": ["float8_e4m3fn", "float8_e5m2"]}
    result = sweep(base, axes, "log2_std", ensemble_size=3)
    for place in np.ndindex(result.shape):
        e = result.experiment(place)
        kinds = [judge(propagate(each)).kind for each in _networks(e, 3)]
        assert result.stuck[:, *place].tolist() == [kind == "saturates" for kind in kinds]
    assert result.stuck_cells.any() and not result.stuck_cells.all()
    early = sweep(base, {"scale": [0.3]}, "log2_std@1")
    assert not early.stuck.any()  # it is of the layer that is measured


def left_over(known, name):
    """Groups of a grid that have a cell without a number."""
    base, axes, measure = GRIDS[name]
    made = [spaced_like(axis, values) for axis, values in axes.items()]
    groups, _ = groups_of(base, made, Question(measure, None, 3))
    return [g for g in groups if not all(known.done.flat[cell.index] for cell in g.cells)]


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_a_sweep_that_goes_on_computes_what_is_missing_to_the_same_bits(name, share, monkeypatch):
    whole = swept(name)
    known = whole.engines * (np.random.default_rng(1).random(whole.shape) < share)
    values = np.where(known > 0, whole.values, np.nan)
    stopped = replace(whole, values=values, engines=known.astype(np.uint8), stopped=True)
    solved, fractions = [], []

    def solving(chunk, question, **hooks):
        solved.extend(chunk)
        return solve_chunk(chunk, question, **hooks)

    monkeypatch.setattr("core.sweep.run.solve_chunk", solving)
    before = stopped.values.copy()
    same(whole, swept(name, known=stopped, on_progress=fractions.append))
    assert solved == left_over(stopped, name)
    np.testing.assert_array_equal(stopped.values, before)  # a copy is filled
    assert fractions == sorted(fractions) and fractions[-1:] in ([1], [])


def test_a_sweep_stopped_on_the_way_goes_on_from_there_and_tries_again_what_failed():
    base = Experiment(width=100, depth=20, activation="tanh", number_format="float8_e5m2")
    axes, seen = {"scale": [0.1 * k for k in range(1, 9)], "seed": list(range(9))}, []
    whole = sweep(base, axes, "rms")
    part = sweep(base, axes, "rms", on_result=seen.append, should_stop=lambda: len(seen) > 0)
    assert 0 < part.fraction_done < 1
    lost = tuple(int(at) for at in np.argwhere(~part.done)[0])
    more = []
    failed = replace(part, errors={lost: "KilledWorker: gone"})
    same(whole, sweep(base, axes, "rms", known=failed, on_result=more.append))
    assert more[0].fraction_done > part.fraction_done


def test_what_is_known_must_be_of_the_same_sweep():
    known = sweep(SMALL, {"seed": [1, 2]}, "rms")
    for base, axes, measure in (
        (SMALL.replace(depth=11), {"seed": [1, 2]}, "rms"),
        (SMALL, {"seed": [1, 3]}, "rms"),
        (SMALL, {"seed": [1, 2]}, "rms@3"),
    ):
        with pytest.raises(ValueError, match="known must be a result of this sweep"):
            sweep(base, axes, measure, known=known)


def test_what_a_hook_raises_ends_the_sweep():
    class Enough(Exception):
        pass

    def stop(fraction):
        raise Enough

    with pytest.raises(Enough):
        sweep(SMALL, {"seed": list(range(500))}, "rms", real=True, on_progress=stop)


def test_progress_rises_to_one_and_results_so_far_do_not_change():
    fractions, results = [], []
    whole = sweep(
        SMALL.replace(activation="tanh"),
        {"width": list(range(2, 18)), "scale": [0.1, 1.0]},
        "rms",
        on_progress=fractions.append,
        on_result=results.append,
    )
    assert fractions == sorted(fractions) and fractions[-1] == 1
    told = [r.fraction_done for r in results]
    assert set(told) <= set(fractions) and told == sorted(told) and told[-1] == 1
    assert results[0].done.sum() < results[-1].done.sum() and not whole.stopped


def test_coarse_cells_come_first():
    base, axes = SMALL.replace(activation="tanh"), {"width": list(range(2, 19)), "scale": SCALES}
    made = [spaced_like(name, values) for name, values in axes.items()]
    groups, _ = groups_of(base, made, Question("rms"))
    levels = [group.level for group in groups]
    assert levels == sorted(levels) and levels[0] == 0
    assert [level_of(place) for place in range(9)] == [0, 3, 2, 3, 1, 3, 2, 3, 0]


def test_the_median_counts_never_as_latest():
    values = np.array([[3.0], [np.nan], [7.0], [np.nan], [np.nan]])
    base = sweep(SMALL, {"seed": [1]}, "first_nonfinite", ensemble_size=5)
    result = SweepResult(base.base, base.axes, base.question, values, base.engines)
    assert np.isnan(result.median[0]) and result.share((0,)) == 0.4
    earlier = SweepResult(base.base, base.axes, base.question, values[:3], base.engines)
    assert earlier.median[0] == 7


def test_chunks_are_longer_where_giving_them_away_costs_more_and_keep_to_a_level():
    base, axes = (
        SMALL.replace(activation="tanh"),
        [parse("width=2..200:99"), parse("seed=1..10:10")],
    )
    question = Question("rms")
    groups, _ = groups_of(base, axes, question)
    cheap, dear = chunked(groups, question, 1e-5), chunked(groups, question, 5e-2)
    assert len(cheap) > 2 * len(dear) >= 8  # four levels
    for chunks in (cheap, dear):
        assert [group for chunk in chunks for group in chunk] == groups
        assert all(len({group.level for group in chunk}) == 1 for chunk in chunks)
    assert all(work(group, question) > 0 for group in groups)


@pytest.mark.parametrize(
    "axes, measure, more, words",
    [
        ({}, "rms", {}, "axes must be one or two fields, got 0"),
        ({"width": [1], "depth": [1], "seed": [1]}, "rms", {}, "one or two fields, got 3"),
        ({"wdith": [1]}, "rms", {}, "there is no axis 'wdith'; there are scale, sigma_w, width"),
        ({"width": []}, "rms", {}, "width must have at least one value"),
        ({"width": [0]}, "rms", {}, "width must be a whole number from 1 to 16384, got 0"),
        ({"width": [2.5]}, "rms", {}, "width must be a whole number"),
        ({"scale": [float("nan")]}, "rms", {}, "scale must be a number from 0"),
        ({"activation": ["rellu"]}, "rms", {}, "activation must be one of linear"),
        ({"scale": [1], "sigma_w": [1]}, "rms", {}, "sigma_w sets scale"),
        ({"seed": range(1001), "scale": range(1000)}, "rms", {}, "at most 1000000 cells"),
        ({"width": [1]}, "rsm", {}, "there is no measure 'rsm'; there are first_nonfinite"),
        ({"width": [1]}, "rms@101", {}, "layer must be at most the depth 100, got 101"),
        ({"depth": [5, 1]}, "rms@2", {}, "layer must be at most the depth 1"),
        ({"width": [1]}, "rms@-1", {}, "layer of rms must be a whole number"),
        ({"width": [1]}, "chi_1@3", {}, "chi_1 is not measured at a layer"),
        ({"width": [1]}, "rms", {"ensemble_size": 0}, "ensemble_size must be a whole number"),
        ({"width": [1]}, "rms", {"ensemble_size": True}, "ensemble_size must be a whole number"),
    ],
)
def test_what_is_not_allowed_is_named(axes, measure, more, words):
    with pytest.raises(ValueError, match=words):
        sweep(SMALL.replace(depth=100), axes, measure, **more)


def test_every_measure_has_words_and_something_that_knows_it():
    for name, entry in MEASURES.items():
        assert entry.label and entry.help.endswith(".") and measure_of(name) == (name, None)
        ways = (entry.of_run, entry.of_backward, entry.of_theory)
        assert sum(way is not None for way in ways) == 1
    assert set(ENGINES) == {"theory", "sampler", "matrices", "runs"}


@pytest.mark.parametrize(
    "text, values",
    [
        ("scale=1e-2..1e1:4", (0.01, 0.1, 1.0, 10.0)),
        ("width=16..2048:8", (16, 32, 64, 128, 256, 512, 1024, 2048)),
        ("width=1..4:10", (1, 2, 3, 4)),
        ("depth=10..50:5", (10, 20, 30, 40, 50)),
        ("bias_std=0..1:3", (0.0, 0.5, 1.0)),
        ("sigma_w=0.5..2.5:3", (0.5, 1.5, 2.5)),
        ("scale=0..1:3", (0.0, 0.5, 1.0)),
        (" activation = tanh, relu ", ("tanh", "relu")),
        ("scale=3", (3.0,)),
        ("scale=2..2:1", (2.0,)),
        ("scale=4..1:3", (4.0, 2.0, 1.0)),
        # Beyond 2**53 a float holds few whole numbers.
        ("seed=0..9223372036854775807:3", (0, 2**62, 2**63 - 1)),
        ("seed=0..9223372036854775807:1", (0,)),
        ("seed=9223372036854775807..9223372036854775801:4", tuple(2**63 - k for k in (1, 3, 5, 7))),
        ("seed=0..9007199254740993:2", (0, 2**53 + 1)),
        ("seed=1..4:2", (1, 4)),
    ],
)
def test_axes_are_read_from_text_and_written_back(text, values):
    axis = parse(text)
    assert axis.values == values
    assert parse(axis.to_text()) == axis


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "an axis must be name=from..to:count"),
        ("scale", "an axis must be name"),
        ("scale=", "an axis must be name"),
        ("scale=1..2", "scale must be a number"),
        ("scale=1..2:0", "count must be a whole number from 1"),
        ("scale=1..2:9999999", "count must be a whole number from 1"),
        ("scale=-1..2:3", "scale must be a number from 0 to 1000000, got '-1'"),
        ("scale=1..inf:3", "scale must be a number"),
        ("width=1.5..3:3", "width must be a whole number"),
        ("activation=tanh..relu:2", "activation has no range"),
        ("colour=1,2", "there is no axis 'colour'"),
        ("width=" + "9" * 400, "width must be a whole number"),
    ],
)
def test_an_axis_that_is_not_allowed_is_named(text, words):
    with pytest.raises(ValueError, match=words):
        parse(text)


def test_axes_know_their_spacing_and_every_field_can_be_one():
    assert parse("scale=1e-2..1e1:9").is_logarithmic and not parse("depth=1..9:9").is_logarithmic
    assert not parse("activation=tanh,relu,gelu").is_logarithmic
    assert not parse("bias_std=0..1:5").is_logarithmic
    assert set(AXES) == {*(item.name for item in fields(Experiment)), "sigma_w"}
    assert spaced("seed", 1, 3, 3).values == (1, 2, 3)


def test_a_seed_beyond_the_largest_is_named_as_it_was_written():
    with pytest.raises(ValueError, match="to 9223372036854775807, got '9223372036854775808'"):
        parse("seed=0..9223372036854775808:3")


def test_an_axis_takes_another_count_between_its_ends_and_knows_its_nearest_value():
    assert parse("scale=0.01..10:48").with_count(24) == parse("scale=0.01..10:24")
    whole = parse("seed=0..9223372036854775807:9")
    assert whole.with_count(3) == parse("seed=0..9223372036854775807:3")
    names = parse("activation=tanh,relu,gelu")
    assert names.with_count(2) is names
    assert [names.nearest(each) for each in ("tanh", "silu")] == [0, 1]
    assert parse("width=16..64:5").nearest(33) == 2


def test_theory_keeps_to_one_thread_in_the_sweeps_own_thread(monkeypatch):
    """torch would use all cores there, which other viewers share."""
    entry, seen = MEASURES["chi_1"], []

    def compute(phi, sigma_w, sigma_b):
        seen.append(torch.get_num_threads())
        return entry.of_theory(phi, sigma_w, sigma_b)

    monkeypatch.setitem(MEASURES, "chi_1", replace(entry, of_theory=compute))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sweep(Experiment(), {"sigma_w": [1.0, 2.0]}, "chi_1")
    finally:
        torch.set_num_threads(before)
    assert seen and set(seen) == {1}
