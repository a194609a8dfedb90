"""Sweeps over the fields of a layer: the engines agree, and theory of plain layers says no."""

import numpy as np
import pytest

from core import Experiment
from core.maps.borders import borders
from core.sweep import sweep
from core.theory.additions import doubling_branch_scale

STREAM = Experiment(
    width=64,
    depth=12,
    init="xavier_normal",
    activation="gelu",
    weights="fresh",
    branch="mlp",
    skip="identity",
    norm="layer",
)


@pytest.mark.parametrize("measure", ["log2_rms", "gradient_ratio"])
def test_a_map_of_branch_scale_and_depth_is_that_of_real_runs(measure):
    axes = {"branch_scale": [0.01, 0.3, 3.0], "depth": [2, 12]}
    sampled = sweep(STREAM, axes, measure, ensemble_size=64)
    real = sweep(STREAM, axes, measure, ensemble_size=24, real=True)
    assert not sampled.errors and not real.errors
    one, two = (np.asarray(each.values) for each in (sampled, real))
    error = np.sqrt(one.var(0) / 64 + two.var(0) / 24)
    assert (np.abs(one.mean(0) - two.mean(0)) <= 4.5 * error + 1e-3).all()


@pytest.mark.parametrize("measure", ["chi_1", "xi_c", "q_star"])
def test_theory_of_plain_layers_names_the_fields_that_are_in_its_way(measure):
    found = sweep(STREAM, {"branch_scale": [0.1, 1.0]}, measure)
    assert all("branch must be product, skip none" in error for error in found.errors.values())
    assert len(found.errors) == 2


def test_the_border_of_a_stream_is_where_real_networks_have_doubled_it():
    depths = [1, 4, 16, 64]
    factors = list(np.geomspace(1e-2, 10, 16))
    (border,) = borders(STREAM, ("branch_scale", factors), ("depth", depths))
    assert border.kind == "doubles" and border.y.tolist() == depths
    # With a norm in front of the branch, each layer adds the same variance: α = c/√L.
    np.testing.assert_allclose(border.x * np.sqrt(depths), border.x[0], rtol=2e-3)
    for depth in (4, 16):
        e = STREAM.replace(depth=depth)
        e = e.replace(branch_scale=doubling_branch_scale(e))
        grown = sweep(e, {"seed": [0]}, "log2_rms", ensemble_size=200)
        start = sweep(e, {"seed": [0]}, "log2_rms@0", ensemble_size=200)
        octaves = 2 * (np.median(grown.values) - np.median(start.values))
        assert octaves == pytest.approx(1, abs=0.08)  # its spread at width 64 over √200, and O(1/n)


def test_no_border_of_plain_layers_is_drawn_on_a_map_of_others():
    strength = ("scale", list(np.geomspace(0.1, 10, 8)))
    assert borders(STREAM, strength, ("width", [16, 32, 64])) == []
    other = STREAM.replace(skip="none")
    assert borders(other, ("branch_scale", [0.1, 1.0]), ("depth", [1, 2])) == []
