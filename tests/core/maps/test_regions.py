"""The names of regions on a map stand where signals have that fate."""

import numpy as np
import pytest

from core import Experiment, propagate
from core.maps.borders import borders
from core.maps.landscape import Landscape
from core.maps.map import map_of
from core.maps.regions import regions
from core.reading.verdict import judge
from core.sweep import parse

BASE = Experiment(depth=60, weights="fresh")
X, Y = parse("scale=0.0005..5:24"), parse("width=32..128:12")
KINDS = {
    "explodes": {"explodes"},
    "vanishes": {"vanishes", "dies"},
    "sticks": {"saturates"},
    "stays finite": {"holds", "grows", "shrinks", "vanishes"},
}


def found_in(landscape):
    result = landscape.sweep()
    sides = [(axis.name, axis.values) for axis in (landscape.x, landscape.y)]
    lines = borders(landscape.base, *sides)
    return {each.name: each for each in regions(result, map_of(result), lines)}


@pytest.mark.parametrize("measure", ["first_nonfinite", "all_zero", "log2_std"])
@pytest.mark.parametrize("x, y", [(X, Y), (Y, X)])
def test_the_cell_under_a_name_has_that_fate(measure, x, y):
    landscape = Landscape(BASE, x, y, measure)
    names = found_in(landscape)
    assert {*names} == {"explodes", "holds", "vanishes"}
    for name, region in names.items():
        run = propagate(landscape.experiment(region.column, region.row))
        kind = judge(run).kind
        assert kind in KINDS[name] if name in KINDS else not {kind} & KINDS["explodes"], name
        # Well inside: the cells around have the same name.
        assert 0 < region.column < len(x.values) - 1 and 0 < region.row < len(y.values) - 1


def test_without_a_line_that_tells_them_apart_what_never_happens_is_named_as_that():
    over_seeds = Landscape(BASE, X, parse("seed=0..9:10"), "first_nonfinite")
    assert {*found_in(over_seeds)} == {"explodes", "stays finite"}
    zero = found_in(over_seeds.replace(measure="all_zero"))
    assert {*zero} == {"vanishes", "does not vanish"}


def test_what_is_stuck_has_a_name_and_theorys_measures_have_none():
    base = BASE.replace(number_format="float8_e4m3fn", depth=12, width=48)
    landscape = Landscape(base, parse("scale=0.05..50:12"), parse("seed=0..7:8"), "log2_std")
    names = found_in(landscape)
    region = names["sticks"]
    assert judge(propagate(landscape.experiment(region.column, region.row))).kind == "saturates"
    assert "explodes" not in names
    assert found_in(Landscape(BASE, X, Y, "chi_1")) == {}


def test_a_region_too_small_for_a_name_and_a_map_on_its_way_have_none():
    landscape = Landscape(BASE, X, Y, "first_nonfinite")
    result = landscape.sweep()
    assert regions(landscape.blank(), map_of(landscape.blank()), []) == []
    seen = map_of(result)
    seen.values[:] = np.nan
    seen.values[:, :2] = 1.0  # two columns of 24
    assert "explodes" not in [each.name for each in regions(result, seen, [])]
    one = Landscape(BASE, parse("scale=10"), parse("width=16"), "first_nonfinite")
    assert {*found_in(one)} == {"explodes"}
