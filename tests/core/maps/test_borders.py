"""Theory's borders on a map, against closed forms and against measured cells."""

import math
import time

import numpy as np
import pytest

from core import NUMBER_FORMATS, Experiment
from core.maps.borders import borders
from core.sweep import parse, sweep
from core.theory.correlations import chi_1

FRESH = Experiment(weights="fresh", depth=60)


def lines(base, x, y):
    one, other = parse(x), parse(y)
    return {
        line.kind: line
        for line in borders(base, (one.name, one.values), (other.name, other.values))
    }


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_cells_on_either_side_of_the_contours_behave_as_theory_says(activation):
    # Width 128 and more: a network's log rms scatters by sqrt(5·60/128)/2 = 0.8 over 60 layers,
    # as a scale factor 0.8/60 = 1.3 %; the median of 15 of them by a quarter of that. 5 % is
    # beyond both, and beyond what the largest of n elements may differ by (an octave in 60: 1.2 %).
    base = FRESH.replace(activation=activation)
    x, y = "scale=0.003..3:40", "width=128..1024:6"
    found = lines(base, x, y)
    axes = {axis.name: axis.values for axis in (parse(x), parse(y))}
    nan, zero = (
        sweep(base, axes, measure, ensemble_size=15).median
        for measure in ("first_nonfinite", "all_zero")
    )
    scales = np.array(axes["scale"])[:, None]
    over, under = (
        np.interp(axes["width"], found[kind].y, found[kind].x)[None]
        for kind in ("overflow", "underflow")
    )
    beyond, inside = scales > over * 1.05, scales < over / 1.05
    assert np.isfinite(nan[beyond]).all() and beyond.sum() >= 30
    assert np.isnan(nan[inside]).all()
    below, above = scales < under / 1.05, scales > under * 1.05
    assert np.isfinite(zero[below]).all() and below.sum() >= 30
    assert np.isnan(zero[above]).all()


def test_the_edge_of_chaos_over_widths_is_the_scale_that_keeps_a_linear_signal():
    line = lines(Experiment(), "scale=0.01..10:48", "width=16..2048:48")["chaos"]
    np.testing.assert_allclose(line.x, 1 / np.sqrt(line.y), rtol=1e-12)
    same = lines(Experiment(), "sigma_w=0.5..2:9", "width=16..2048:9")["chaos"]
    np.testing.assert_allclose(same.x, 1.0, rtol=1e-12)
    relu = lines(Experiment(activation="relu"), "width=16..2048:9", "scale=0.01..10:48")["chaos"]
    np.testing.assert_allclose(relu.y, np.sqrt(2 / relu.x), rtol=1e-12)  # flipped axes


@pytest.mark.parametrize("activation", ["tanh", "erf", "gelu", "selu", "sin"])
def test_on_the_map_of_both_sigmas_every_point_of_the_line_has_chi_1_of_one(activation):
    base = FRESH.replace(activation=activation, init="xavier_normal")
    found = lines(base, "sigma_w=0.3..4:24", "bias_std=0..2:24")
    line = found["chaos"]
    known = np.isfinite(line.x)
    # 1e-3 is the tolerance that the line itself promises.
    np.testing.assert_allclose(chi_1(activation, line.x[known], line.y[known]), 1, atol=1e-3)
    scaled = lines(base.replace(init="normal"), "scale=0.01..0.3:24", "bias_std=0..2:24")["chaos"]
    np.testing.assert_allclose(scaled.x, line.x / math.sqrt(base.width), rtol=1e-9)


def test_where_no_signal_comes_to_such_a_point_there_is_no_line():
    assert lines(FRESH.replace(activation="sigmoid"), "sigma_w=0.3..4:24", "bias_std=0..2:9") == {}


def test_for_relu_the_edge_is_one_line_whatever_the_bias():
    line = lines(FRESH.replace(activation="relu"), "sigma_w=0.5..3:9", "bias_std=0..1:9")["chaos"]
    np.testing.assert_allclose(line.x, math.sqrt(2), rtol=1e-12)
    assert [*line.y] == [0, 1]


def test_over_choices_the_line_crosses_each_cell_and_is_interrupted_between():
    formats = list(NUMBER_FORMATS)
    line = lines(FRESH, "scale=0.001..10:48", f"number_format={','.join(formats)}")["overflow"]
    assert line.y[:3].tolist() == [-0.5, 0.5, 0.5] and math.isnan(line.x[2])
    assert len(line.x) == 3 * len(formats)
    ends = line.x[::3]
    assert ends[0] > ends[1] > ends[3] > ends[5]  # float64, float32, float16, float8_e4m3fn


def test_there_is_no_line_where_theory_knows_none():
    assert lines(FRESH, "width=16..64:3", "depth=1..50:5") == {}
    assert lines(FRESH, "bias_std=0..1:3", "depth=1..50:5") == {}
    assert lines(FRESH, "scale=1,0.1,10", "width=16..64:3") == {}  # does not ascend
    far = lines(FRESH, "scale=100..1000:5", "width=16..64:3")
    assert far == {}  # all three lines lie outside the map
    zeros = lines(FRESH.replace(init="zeros"), "scale=0.01..10:5", "width=16..64:3")
    assert zeros == {}


def test_the_lines_of_a_smooth_activation_take_less_than_three_seconds():
    start = time.process_time()  # others may have the processor meanwhile
    lines(FRESH.replace(activation="tanh", depth=101), "scale=0.0001..10:48", "width=17..2049:48")
    assert time.process_time() - start < 3
