"""Landscapes: a map as a link says it, its cells as far as they are known, and its words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Experiment
from core.maps.landscape import PARTS, Landscape
from core.maps.map import (
    ALL_ZERO,
    DIES_OUT,
    NEVER,
    NO_NUMBER,
    NOT_FINITE,
    STUCK,
    UNBOUNDED,
    map_of,
)
from core.maps.words import cell, engines, grid, summary
from core.question.experiment import PARAMETERS
from core.question.parameter import refusals
from core.sweep import MEASURES, parse, sweep
from core.text import shown

DEFAULT = Landscape(
    Experiment(), parse("scale=0.01..10:48"), parse("width=16..2048:48"), "first_nonfinite", 16
)


def read(**query):
    return Landscape.from_query(query, DEFAULT)


def small(measure="first_nonfinite", **changes):
    base = Experiment(width=32, depth=40, weights="fresh").replace(**changes)
    x, y = parse("scale=0.005..5:9"), parse("width=16..64:5")
    return Landscape(base, x, y, measure, 5)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"x": parse("width=1..64:48"), "y": parse("activation=tanh,relu")},  # widths that repeat
        {"x": parse("sigma_w=0.5..3:24"), "y": parse("bias_std=0..1:24"), "measure": "chi_1"},
        {"measure": "log2_std@7", "networks": 3, "real": True},
    ],
)
def test_a_link_reads_back_exactly(changes):
    base = Experiment(width=7, activation="gelu", seed=2**60)
    made = DEFAULT.replace(base=base, **changes)
    found, problems = Landscape.from_query(made.to_query() | base.to_query(), DEFAULT)
    assert found == made and problems == []
    assert tuple(made.to_query()) == PARTS


@pytest.mark.parametrize(
    "query, told",
    [
        ({"x": "scale=nan..1:3"}, "x: scale must be a number from 0 to 1000000, got 'nan'"),
        ({"x": "scale=1..2:97"}, "x must have at most 96 values, got 'scale=1..2:97'"),
        ({"x": "scale=1..2:" + "9" * 500}, "x must have at most 96 values"),
        ({"x": "seed=" + ",".join("1" * 97)}, "x must have at most 96 values"),
        ({"y": "width"}, "y: an axis must be name=from..to:count or name=value,value,…"),
        ({"y": "colour=red,green"}, "y: there is no axis 'colour'"),
        ({"y": "activation=tanh,evil"}, "y: activation must be one of linear"),
        ({"y": "scale=1,2"}, "y must be another thing than x (scale), got 'scale=1,2'"),
        ({"y": "sigma_w=1,2"}, "y must be another thing than x (scale)"),
        ({"networks": "1e9"}, "networks must be a whole number from 1 to 64, got '1e9'"),
        ({"networks": "٣"}, "networks must be a whole number"),
        ({"real": "yes"}, "real must be true or false, got 'yes'"),
        ({"measure": "red"}, "there is no measure 'red'"),
        ({"measure": "rms@101"}, "measure must be of a layer up to 100, got 'rms@101'"),
        ({"measure": "chi_1@3"}, "chi_1 is not measured at a layer"),
    ],
)
def test_a_wrong_part_is_named_with_what_is_used_and_the_rest_is_taken(query, told):
    found, problems = read(**({"networks": "4"} | query), depth="100")
    assert len(problems) == 1 and problems[0].startswith(told)
    assert problems[0].endswith(" is used") and len(problems[0]) < 600
    [part] = query
    assert found.to_query()[part] == DEFAULT.to_query()[part]
    assert found.networks == (16 if part == "networks" else 4)


def test_the_other_axis_gives_way_to_one_that_the_link_sets():
    found, problems = read(x="width=16..64:5")
    assert (found.x.name, found.y.name, problems) == ("width", "scale", [])
    found, problems = read(x="sigma_w=0.5..3:5")
    assert (found.x.name, found.y.name, problems) == ("sigma_w", "width", [])
    found, problems = read(depth="0.5", x="sigma_w=0.5..3:5")
    assert "depth must be" in problems[0] and found.base == Experiment(depth=1)


def test_a_name_of_another_library_on_an_axis_is_taken_and_told():
    found, problems = read(y="activation=swish,ReLU,tanh")
    assert found.y.values == ("silu", "relu", "tanh")
    assert problems == [
        "y: activation 'swish' is called silu here",
        "y: activation 'ReLU' is called relu here",
    ]
    assert refusals(problems) == []
    assert read(x="scale=1/3..sqrt(2):5")[0].x.values[0] == 1 / 3


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from((*PARTS, "depth", "scale")), st.text(max_size=60)))
def test_whatever_stands_in_a_link_it_is_read_and_every_part_that_is_not_taken_is_named(query):
    found, problems = Landscape.from_query(query, DEFAULT)
    again, none = Landscape.from_query(found.to_query() | found.base.to_query(), DEFAULT)
    assert again == found and none == []
    for name, text in query.items():
        if name in PARAMETERS:  # a number may be written in many ways
            same, refused = Experiment.from_query({name: text})
            taken = not refusals(refused) and getattr(same, name) == getattr(found.base, name)
        else:
            taken = found.to_query()[name] == text.strip()
        assert taken or any(name in told or shown(text.strip()) in told for told in problems)


def test_a_landscape_sweeps_as_its_parts_do_and_names_its_cells():
    landscape = small()
    result = landscape.sweep()
    same = sweep(landscape.base, landscape.axes, "first_nonfinite", ensemble_size=5)
    np.testing.assert_array_equal(result.values, same.values)
    assert landscape.experiment(8, 1) == result.experiment((8, 1))
    assert landscape.experiment(8, 1).scale == 5 and landscape.experiment(8, 1).width == 23
    assert landscape.question == result.question
    assert landscape.blank().fraction_done == 0


def test_a_map_has_the_medians_and_says_what_the_other_cells_are():
    result = small().sweep()
    seen = map_of(result)
    np.testing.assert_array_equal(seen.values, result.median.T)
    np.testing.assert_array_equal(seen.kinds[NEVER], np.isnan(result.median).T)
    assert seen.known.all() and {*seen.kinds} == {NEVER}
    sizes = map_of(small("log2_std").sweep())
    assert {*sizes.kinds} == {NOT_FINITE, ALL_ZERO} or {*sizes.kinds} == {NOT_FINITE}
    np.testing.assert_array_equal(sizes.kinds[NOT_FINITE], ~np.isnan(seen.values))
    theory = small("q_star", activation="relu", bias_std=0.1).sweep()
    assert UNBOUNDED in map_of(theory).kinds


def test_a_cell_that_is_not_done_looks_like_its_coarser_neighbour_but_no_choice_like_another():
    whole, first = small().sweep(), small().blank()
    first.values[:, :, 0], first.engines[:, 0] = whole.values[:, :, 0], whole.engines[:, 0]
    coarse = map_of(first)
    assert not first.done.all() and coarse.known.sum() > first.done.sum()
    for row, column in np.argwhere(coarse.known & ~first.done.T):
        own, stands = coarse.values[row, column], first.median[column // 8 * 8, row // 8 * 8]
        near = [first.median[column // s * s, row // s * s] for s in (2, 4, 8)]
        assert np.isnan(own) or own in near or own == stands
    formats = Landscape(
        small().base, parse("scale=0.005..5:9"), parse("number_format=float16,float32"), "rms", 1
    )
    blank = formats.blank()
    blank.engines[:, 0] = 2
    assert map_of(blank).known.tolist() == [[True] * 9, [False] * 9]


@pytest.mark.parametrize("measure", ["chi_1", "q_star", "xi_c", "trainable_depth"])
def test_what_dies_out_has_no_logarithm_and_a_colour_of_its_own(measure):
    base = Experiment(activation="tanh", init="xavier_normal")
    x, y = parse("sigma_w=0,0.5"), parse("bias_std=0,0.1")
    seen = map_of(Landscape(base, x, y, measure).sweep())
    assert seen.kinds[DIES_OUT].tolist()[0][0]
    assert (seen.values[~np.isnan(seen.values)] > 0).all()


def test_cells_that_cannot_be_are_told_with_their_reason():
    landscape = Landscape(
        Experiment(depth=3), parse("sigma_w=0.5..2:3"), parse("init=normal,zeros"), "rms", 2
    )
    result = landscape.sweep()
    seen = map_of(result)
    assert seen.kinds[NO_NUMBER].tolist() == [[False] * 3, [True] * 3]
    assert "its weights are 0" in seen.notes[1][0] and seen.notes[0][0] == ""
    assert cell(result, (0, 1)).startswith("σ_w = 0.5, zeros: no number; sigma_w cannot be set")


@pytest.mark.parametrize(
    "landscape, told",
    [
        (small(), "At n = 32 the typical network stays finite through 40 layers up to s = 0.889;"),
        (small("all_zero", number_format="float16"), "does not vanish through 40 layers from s ="),
        (small("log2_std", number_format="float16"), "survives through 40 layers between s ="),
        (small("zero", activation="relu"), "Zero at the last layer goes from "),
        (small("chi_1"), "χ₁ goes from 0.0004 at s = 0.005, n = 16 to 1.6e3 at s = 5, n = 64."),
        (small().replace(x=parse("activation=tanh,relu")), "In 100% of the cells the typical"),
        (
            small().replace(x=parse("scale=0.005,0.01"), y=parse("number_format=float32,float64")),
            "With float32 the typical network stays finite through 40 layers for every s",
        ),
        # Whichever way an axis runs, "up to" is from its smallest value.
        (
            small().replace(x=parse("scale=5..0.005:9")),
            "through 40 layers up to s = 0.889; for every other s on the map",
        ),
        (
            small().replace(x=parse("scale=1,0.005,5,0.3")),
            "through 40 layers up to s = 1; for every other s on the map",
        ),
        (
            small().replace(base=Experiment(init="zeros"), x=parse("sigma_w=1,2")),
            "No cell has a number.",
        ),
    ],
)
def test_what_was_found_is_said_in_one_sentence(landscape, told):
    assert told in summary(landscape.sweep())


def test_of_a_part_it_is_said_so_and_of_the_row_that_most_is_known_of():
    whole = small().sweep()  # its own row is n = 32
    row = small().y.values.index(32)
    engines = whole.engines.copy()
    engines[1:, row] = 0
    part = replace(whole, engines=engines)
    assert summary(part).startswith("At n = ") and "At n = 32" not in summary(part)
    assert " so far the typical network stays finite through 40 layers up to s =" in summary(part)
    sizes = small("chi_1").sweep()
    engines = sizes.engines.copy()
    engines[5:] = 0
    part = replace(sizes, engines=engines)
    assert summary(part).startswith("χ₁ so far goes from 0.0004 at s = 0.005, n = 16 to ")


def test_before_anything_is_known_that_is_said():
    assert summary(small().blank()) == "Nothing is measured yet."
    assert engines(small().blank()) == ""
    assert cell(small().blank(), (0, 0)) == "s = 0.005, n = 16: not computed yet."


def test_a_cell_is_told_with_how_many_networks_came_to_it():
    result = small().sweep()
    iteration = int(result.median[8, 2])
    assert cell(result, (8, 2)) == (
        f"s = 5, n = 32: NaN iteration i = {iteration} in the typical one of 5 networks."
    )
    assert cell(result, (0, 2)).endswith("NaN iteration never in the typical one of 5 networks.")
    assert engines(result) == "The numbers come from networks without matrices, exact in law."


FLOAT8 = Landscape(
    Experiment(width=64, depth=20),
    parse("scale=0.02..10:7"),
    parse("number_format=float8_e4m3fn,float8_e5m2"),
    "log2_std",
)


@pytest.mark.parametrize("measure", ["log2_std", "rms", "mean", "first_nonfinite", "all_zero"])
def test_what_is_stuck_at_the_largest_value_is_no_number_but_a_kind_of_its_own(measure):
    result = FLOAT8.replace(measure=measure).sweep()
    seen, stuck = map_of(result), result.stuck_cells.T
    assert stuck[0].any() and not stuck[0].all() and not stuck[1].any()
    np.testing.assert_array_equal(seen.kinds[STUCK], stuck)
    assert np.isnan(seen.values[stuck]).all()
    assert not (seen.kinds.get(NEVER, stuck & False) & stuck).any()
    column = int(np.flatnonzero(stuck[0])[0])
    assert "stuck at the largest value of its format" in cell(result, (column, 0))
    assert "stuck" not in cell(result, (0, 1))


def test_a_share_of_elements_says_enough_of_what_is_stuck():
    result = FLOAT8.replace(measure="saturated").sweep()
    assert result.stuck_cells.any() and STUCK not in map_of(result).kinds


def test_a_stuck_signal_does_not_survive_and_does_not_stay_in_range():
    own = FLOAT8.replace(base=FLOAT8.base.replace(number_format="float8_e4m3fn"))
    at_most = own.x.values[int(np.flatnonzero(~own.sweep().stuck_cells[:, 0])[-1])]
    said = summary(own.sweep())
    assert said.startswith("With float8_e4m3fn the typical network survives through 20 layers ")
    assert said.endswith(" on the map it explodes, vanishes or sticks at the largest value.")
    assert f"and {at_most:.3g};" in said or f"up to s = {at_most:.3g};" in said
    finite = summary(own.replace(measure="first_nonfinite").sweep())
    assert f"stays in range through 20 layers up to s = {at_most:.3g};" in finite
    assert finite.endswith("becomes Inf, NaN or stuck at the largest value.")
    zero = summary(own.replace(measure="all_zero").sweep())
    assert "does not vanish" in zero and "stuck" not in zero


def test_a_grid_is_told_in_cells_or_in_what_its_sides_are():
    x, y = parse("width=16..2048:8"), parse("depth=1,2,4,8")
    assert grid(x, y) == "8 × 4 cells"
    assert grid(x, y, ("width", "layer")) == "8 widths × 4 layers"
    assert grid(x, parse("depth=3"), ("width", "layer")) == "8 widths × 1 layer"


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_has_a_map_and_words(measure):
    landscape = Landscape(
        Experiment(depth=12, number_format="float16", bias_std=0.1),
        parse("scale=0.01..100:4"),
        parse("activation=tanh,relu"),
        measure,
        2,
    )
    result = landscape.sweep()
    seen = map_of(result)
    known = ~np.isnan(seen.values)
    for mask in seen.kinds.values():
        assert not (known & mask).any()
        known = known | mask
    assert known.all() and not result.errors
    assert len(summary(result)) > 30


def test_a_vanishing_iteration_that_leaves_out_rounding_says_so():
    base = Experiment(width=64, depth=20, weights="fresh", scale=1e-3)
    axes = {"scale": [1e-3, 1e-2], "width": [32, 64]}
    assert "Rounding among the subnormal numbers" in engines(sweep(base, axes, "all_zero"))
    assert "Rounding" not in engines(sweep(base, axes, "all_zero", real=True))
    assert "Rounding" not in engines(sweep(base, axes, "first_nonfinite"))
