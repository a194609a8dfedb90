"""Windows of scale factors, against closed forms and against real runs."""

import math
import time

import pytest

from core import NUMBER_FORMATS, Experiment, propagate
from core.layer.inputs import largest_of
from core.theory.windows import scale_window, scale_windows

BASE = Experiment(width=256, depth=60, weights="fresh")
# At width 256, the log rms of a fresh network has an sd of √(5·60/256)/2 ≈ 0.5 after 60 layers: 1 %
# of the scale factor of each. The largest of 256 values varies by an octave, again 1 %. A margin of
# five per cent is beyond both, so that "just inside" and "outside" hold for every seed tried.
MARGIN = 1.05
FORMATS = ("float32", "bfloat16", "float16")
GROWING = ("linear", "relu")


def broken(run):
    return run.events.first_nonfinite is not None


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("activation", GROWING)
@pytest.mark.parametrize("seed", [0, 1])
def test_inside_a_window_real_runs_survive_and_outside_they_break(activation, name, seed):
    e = BASE.replace(activation=activation, number_format=name, seed=seed)
    window = scale_window(e, name)
    for scale in (window.low * MARGIN, (window.low * window.high) ** 0.5, window.high / MARGIN):
        run = propagate(e.replace(scale=scale))
        assert not broken(run) and run.events.all_zero is None, scale
    assert broken(propagate(e.replace(scale=window.high * MARGIN)))
    assert propagate(e.replace(scale=window.low / MARGIN)).events.all_zero is not None


@pytest.mark.parametrize("name", FORMATS)
def test_tanh_never_overflows_until_its_weights_do(name):
    e = BASE.replace(activation="tanh", number_format=name)
    window = scale_window(e, name)
    assert window.high == pytest.approx(e.format.max / largest_of(256**2), rel=1e-3)
    largest = min(1e6, window.high)  # an Experiment takes no larger scale factor
    for scale in (window.low * MARGIN, 1.0, largest / 2):
        run = propagate(e.replace(scale=scale))
        assert not broken(run) and run.events.all_zero is None, scale
    if name == "float16":  # then so many weights are Inf that some row has Inf − Inf
        assert broken(propagate(e.replace(scale=window.high * 4)))
    assert propagate(e.replace(scale=window.low / MARGIN)).events.all_zero is not None


@pytest.mark.parametrize("name", NUMBER_FORMATS)
@pytest.mark.parametrize(("activation", "kept"), [("linear", 1), ("relu", 0.5), ("abs", 1)])
@pytest.mark.parametrize("depth", [3, 100, 2000])
def test_homogeneous_windows_are_the_closed_form(activation, kept, name, depth):
    e = Experiment(width=300, depth=depth, activation=activation)
    window, limit = scale_window(e, name), NUMBER_FORMATS[name]
    # The rms of h at layer L is (s √n)^L kept^((L − 1)/2); log2, for float64 is too short.
    mean = 0.5 * math.log2(kept)
    top = (math.log2(limit.max / largest_of(300)) + mean) / depth - mean
    # Half the smallest number rounds to zero; where subnormals are flushed, all below half an ulp
    # under the smallest normal one.
    lost = math.log2(limit.smallest_subnormal) - 1
    if limit.flushes:
        lost = math.log2(limit.smallest_normal) + math.log2(1 - limit.epsilon / 2)
    low = lost / depth - mean
    if limit.smallest_operand > limit.smallest_subnormal:  # x before the last product is in blocks
        low = max(low, (math.log2(limit.smallest_operand) - 1) / (depth - 1) - mean)
    assert math.log2(window.high * 300**0.5) == pytest.approx(top, abs=1e-5)
    assert math.log2(window.low * 300**0.5) == pytest.approx(low, abs=1e-5)


def test_the_general_map_agrees_with_the_closed_form_where_both_hold():
    # A bias this small changes nothing in float16's range, but selects the general map.
    exact = scale_window(BASE.replace(activation="relu"), "float16")
    general = scale_window(BASE.replace(activation="relu", bias_std=1e-30), "float16")
    assert general.high == pytest.approx(exact.high, rel=1e-4)
    assert general.low == pytest.approx(exact.low, rel=1e-4)


def test_float8_without_infinity_sticks_above_its_window():
    e = BASE.replace(number_format="float8_e4m3fn", depth=20)
    window = scale_window(e, e.number_format)
    inside = propagate(e.replace(scale=window.high / 1.1))
    outside = propagate(e.replace(scale=window.high * 1.1))
    assert inside.stats.saturated.max() == 0
    assert outside.stats.saturated[-1] > 0.05 and not broken(outside)


def test_windows_nest_as_formats_do_and_close_with_depth():
    for activation in ("linear", "relu", "tanh", "gelu", "relu_squared"):
        shallow = scale_windows(BASE.replace(activation=activation, depth=10))
        deep = scale_windows(BASE.replace(activation=activation, depth=200))
        for name in NUMBER_FORMATS:
            assert shallow[name].low <= deep[name].low * (1 + 1e-4)
            assert shallow[name].high >= deep[name].high * (1 - 1e-4)
        assert deep["float64"].low <= deep["float32"].low <= deep["bfloat16"].low
        assert deep["float64"].high >= deep["float32"].high >= deep["float16"].high


def test_what_needs_no_weights_has_no_lower_end():
    assert scale_window(BASE.replace(activation="sigmoid"), "float16").low == 0
    assert scale_window(BASE.replace(bias_std=0.1), "float16").low == 0
    assert scale_window(BASE.replace(bias_std=1e-9), "float16").low > 0


def test_where_no_scale_factor_helps_the_window_is_empty():
    assert scale_window(BASE.replace(init="zeros"), "float32").is_empty
    assert scale_window(BASE.replace(bias_std=1e6), "float16").is_empty
    assert not scale_window(BASE.replace(bias_std=1e6), "float16").holds(0.0)
    assert not scale_window(BASE.replace(init="zeros", activation="sigmoid"), "float32").is_empty


def test_the_current_scale_format_and_seed_do_not_matter():
    other = BASE.replace(scale=7.0, number_format="float16", seed=3)
    assert scale_windows(other) == scale_windows(BASE)
    assert scale_window(BASE, "float16").holds(1 / 16) and not scale_window(BASE, "float16").holds(
        1
    )


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="format_name must be one of float64"):
        scale_window(BASE, "float128")


@pytest.mark.parametrize("activation", ["linear", "tanh", "softplus"])
def test_six_windows_at_depth_100_take_less_than_a_third_of_a_second(activation):
    best = math.inf
    for width in (101, 102, 103):  # not in the cache
        start = time.process_time()  # other processes may use the processor meanwhile
        scale_windows(Experiment(width=width, activation=activation))
        best = min(best, time.process_time() - start)
    assert best < 0.3


@pytest.mark.parametrize(
    "name, scale, number_format",
    [("bytes", 1000.0, "float16"), ("normal", 1e5, "float16"), ("bytes", 10.0, "float8_e4m3fn")],
)
def test_an_input_beyond_the_format_leaves_no_window(name, scale, number_format):
    e = Experiment(width=64, input=name, input_scale=scale, number_format=number_format)
    stats = propagate(e.replace(depth=1)).stats
    assert stats.nonfinite[0] > 0 or stats.saturated[0] > 0
    assert scale_window(e.replace(activation="tanh"), number_format).is_empty
