"""The coordinate check: exponents of width against what each initialiser is known to do."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from core import Experiment
from core.sweep import sweep
from core.sweep.coordinate_check import MEASURE, CoordinateCheck, Slope, coordinate_check
from core.sweep.coordinate_check import checked as checked_sweep
from core.sweep.over_depth import OverDepth
from core.theory import mean_field as mf

WIDTHS = [16, 32, 64, 128, 256, 512, 1024]
LAYERS = [1, 2, 4]
SIGMAS = 4.0  # standard errors: with 12 slopes each in 5 tests, one false alarm in 250 seeds


def checked(ensemble_size=16, **fields):
    return coordinate_check(Experiment(**fields), WIDTHS, LAYERS, ensemble_size)


def agrees(check, exponents):
    for each, exponent in zip(check.slopes, exponents, strict=True):
        assert abs(each.slope - exponent) < SIGMAS * each.standard_error, each


@pytest.mark.parametrize(
    "init, activation, weights",
    [
        ("xavier_normal", "linear", "tied"),
        ("xavier_normal", "linear", "fresh"),
        ("kaiming_normal", "relu", "tied"),
        ("kaiming_normal", "relu", "fresh"),
        ("orthogonal", "linear", "fresh"),
    ],
)
def test_what_keeps_the_size_is_flat(init, activation, weights):
    check = checked(init=init, activation=activation, weights=weights)
    agrees(check, [0, 0, 0])
    assert check.sentence.startswith("Flat: the size does not depend on width")


@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_unscaled_normal_weights_grow_by_half_a_power_of_width_per_layer(weights):
    check = checked(weights=weights)
    agrees(check, [0.5, 1.0, 2.0])
    assert check.slope_per_layer == pytest.approx(0.5, abs=0.02)
    assert check.sentence.startswith("Grows with width: as n^0.5")
    assert check.sentence.endswith("the exponent grows by ½ per layer.")


def test_torchs_own_linear_layer_is_flat_but_falls_with_depth():
    check = coordinate_check(Experiment(init="torch_linear", weights="fresh"), WIDTHS, LAYERS, 8)
    agrees(check, [0, 0, 0])
    # Its weights have variance 1/(3n). At n = 1024 a layer's log2 rms scatters by 0.03 a network.
    assert check.factor_per_layer == pytest.approx(1 / math.sqrt(3), rel=0.02)
    assert check.sentence == (
        "Flat: the size does not depend on width. But it falls with depth: every layer multiplies "
        f"it by {check.factor_per_layer:.3g}, at every width."
    )


TANH = Experiment(activation="tanh", init="xavier_normal", weights="fresh")


def sizes_by_theory(layers):
    """The rms of wide tanh networks, by iterating the length map from an input of variance 1."""
    q, found = 1.0, {}
    for layer in range(1, max(layers) + 1):
        q = float(mf.second_moment("tanh", q))
        found[layer] = math.sqrt(q)
    return found


@pytest.mark.parametrize("layers", [[1, 2, 4], [1, 4, 16], [2, 8, 32], [1, 2, 4, 8, 16, 32]])
@pytest.mark.parametrize("networks", [4, 16])
def test_a_network_that_falls_ever_more_slowly_has_no_factor_whatever_layers_are_ticked(
    layers, networks
):
    check = coordinate_check(TANH, [64, 256, 1024], layers, networks)
    assert check.over_depth.is_steady is False and math.isnan(check.factor_per_layer)
    assert check.sentence.startswith("Flat: the size does not depend on width. But it changes with")
    assert check.sentence.endswith(": no constant factor.") and "every layer" not in check.sentence
    size = sizes_by_theory(layers)
    told = re.findall(r"from (?:layer )?(\d+) to (\d+) it falls to ([\d.]+) of", check.sentence)
    steps = [(int(first), int(last)) for first, last, _ in told]
    assert steps[:3] == [*itertools.pairwise(layers)][:3]
    assert int(told[-1][1]) == layers[-1]
    for first, last, factor in told:
        # 1/n effects at n = 256 and the scatter of 4 networks come to 3 %.
        assert float(factor) == pytest.approx(size[int(last)] / size[int(first)], rel=0.05)


@pytest.mark.parametrize("layers", [[1, 2, 4], [2, 3, 4, 6, 8, 12], [3, 9, 27]])
@pytest.mark.parametrize("scale, per_layer", [(1.0, 1.0), (0.8, 0.8), (1.25, 1.25)])
def test_a_linear_network_has_the_same_factor_whatever_layers_are_ticked(scale, per_layer, layers):
    base = Experiment(init="xavier_normal", weights="fresh", scale=scale)
    check = coordinate_check(base, WIDTHS, layers, 8)
    assert check.over_depth.is_steady
    # A layer's log2 rms scatters by 0.03 a network at n = 1024.
    assert check.factor_per_layer == pytest.approx(per_layer, rel=0.015)
    if per_layer == 1:
        assert check.sentence.endswith("width, and every layer keeps it.")
    else:
        assert f"every layer multiplies it by {check.factor_per_layer:.3g}," in check.sentence


@pytest.mark.parametrize("base", [TANH, Experiment(init="torch_linear", weights="fresh")])
@pytest.mark.parametrize("layers, networks", [([1, 2, 8], 1), ([2, 8], 16)])
def test_where_there_is_nothing_to_compare_the_whole_change_is_told(base, layers, networks):
    check = coordinate_check(base, WIDTHS, layers, networks)
    assert check.over_depth.is_steady is None and math.isnan(check.factor_per_layer)
    whole = check.over_depth.whole
    assert check.sentence == (
        f"Flat: the size does not depend on width. From layer {layers[0]} to 8 it falls to "
        f"{whole.factor:.3g} of its size."
    )
    size = sizes_by_theory(layers) if base is TANH else {k: 3 ** (-k / 2) for k in layers}
    # One network of 1024 units scatters by 0.03·√7 octaves over seven layers: three of those.
    assert whole.factor == pytest.approx(size[8] / size[layers[0]], rel=0.17)


def test_what_is_the_same_at_two_layers_is_told_so_and_one_layer_has_no_depth():
    base = Experiment(init="orthogonal", weights="fresh")
    same = coordinate_check(base, [64, 256], [3, 5], 4)
    assert same.sentence.endswith("depend on width. From layer 3 to 5 it keeps its size.")
    one = coordinate_check(base, [64, 256], [3], 4)
    assert one.sentence == "Flat: the size does not depend on width."


@pytest.mark.parametrize("slopes, told", [((0.5, 1.0, 2.0), 0.5), ((0.5, 1.0, 1.3), math.nan)])
def test_an_exponent_per_layer_is_told_only_if_the_exponents_lie_on_a_line(slopes, told):
    fitted = tuple(Slope(k, slope, 0.01) for k, slope in zip((1, 2, 4), slopes, strict=True))
    sizes = np.zeros((2, 2, 3))
    check = CoordinateCheck(Experiment(), (16, 64), (1, 2, 4), sizes, fitted, OverDepth())
    assert check.slope_per_layer == pytest.approx(told, nan_ok=True)
    assert ("per layer" in check.sentence) == (told == 0.5)
    pair = replace(check, layers=(1, 2), log2_rms=sizes[..., :2], slopes=fitted[:2])
    assert math.isnan(pair.slope_per_layer)  # through two exponents there is always a line


def test_the_axes_may_be_in_any_order_and_have_a_value_twice():
    axes = {"width": [64, 16, 32, 16], "depth": [4, 1, 4, 2]}
    found = checked_sweep(sweep(Experiment(), axes, MEASURE, ensemble_size=3))
    expected = coordinate_check(Experiment(), [16, 32, 64], [1, 2, 4], 3)
    assert (found.widths, found.layers) == (expected.widths, expected.layers)
    np.testing.assert_array_equal(found.log2_rms, expected.log2_rms)
    assert found.slopes == expected.slopes and found.sentence == expected.sentence
    assert found.over_depth == expected.over_depth


def test_the_exponent_per_layer_is_that_of_layers_at_which_all_have_a_size():
    layers = [1, 2, 4, 100]  # at the last one, wide networks have left float32
    check = coordinate_check(Experiment(), WIDTHS, layers, 4)
    assert "At layer 100 some networks have no size" in check.notes[0]
    whole = [each.slope for each in check.slopes if each.layer < 100]
    assert check.slope_per_layer == pytest.approx(np.polyfit([1, 2, 4], whole, 1)[0], rel=1e-9)
    few = coordinate_check(Experiment(), WIDTHS, [1, 100], 4)
    assert math.isnan(few.slope_per_layer) and "per layer" not in few.sentence
    none = coordinate_check(Experiment(init="zeros"), WIDTHS, LAYERS, 2)
    assert none.sentence == "There is no slope: it takes two widths at which x has a size."


def test_the_standard_error_is_the_spread_of_slopes_over_seeds():
    slopes = [
        coordinate_check(Experiment(init="xavier_normal", seed=seed), WIDTHS, [2], 16).slopes[0]
        for seed in range(40)
    ]
    told = np.mean([each.standard_error for each in slopes])
    spread = np.std([each.slope for each in slopes], ddof=1)
    # A standard deviation of 40 values is known to 1/√80 = 11 %: three of those.
    assert told == pytest.approx(spread, rel=0.34)
    assert abs(np.mean([each.slope for each in slopes])) < 3 * spread / math.sqrt(40)


def test_the_slope_is_the_weighted_least_squares_of_the_sizes():
    check = coordinate_check(Experiment(), [16, 64, 256], [1], 5)  # too few widths for a c/n
    sizes = check.log2_rms[:, :, 0]
    n = np.broadcast_to([16.0, 64.0, 256.0], sizes.shape)
    fitted = np.polyfit(np.log2(n).ravel(), sizes.ravel(), 1, w=np.sqrt(n.ravel()))
    assert check.slopes[0].slope == pytest.approx(fitted[0], rel=1e-9)


def test_it_is_the_sweep_over_width_and_depth():
    base = Experiment(activation="tanh", weights="fresh", init="xavier_normal")
    check = coordinate_check(base, [64, 16, 16], [3, 1], 4)
    result = sweep(base, {"width": [16, 64], "depth": [1, 3]}, "log2_rms", ensemble_size=4)
    assert (check.widths, check.layers) == ((16, 64), (1, 3))
    np.testing.assert_array_equal(check.log2_rms, result.values)


def test_layers_outside_the_number_format_are_left_out_and_named():
    check = coordinate_check(Experiment(number_format="float16"), [16, 64, 4096], [1, 4], 4)
    assert [each.layer for each in check.slopes] == [1, 4]
    assert np.isnan(check.log2_rms[:, 2, 1]).all()  # 64⁴ > 65504
    assert check.notes == [
        "At layer 4 some networks have no size: they left the range of float16, or are zero. The "
        "slope is that of the others."
    ]
    assert coordinate_check(Experiment(scale=0.0), [16, 32], [1], 2).slopes == ()


def test_one_width_has_no_slope_and_wrong_values_are_refused():
    check = coordinate_check(Experiment(), [64], [1, 2], 2)
    assert check.slopes == () and "two widths" in check.sentence
    assert check.over_depth.whole.factor == pytest.approx(8, rel=0.5)
    with pytest.raises(ValueError, match="width must be a whole number from 1"):
        coordinate_check(Experiment(), [0, 16], [1])
    with pytest.raises(ValueError, match="ensemble_size"):
        coordinate_check(Experiment(), [8, 16], [1], 0)


@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_gradients_of_unscaled_weights_grow_by_half_a_power_of_width_per_product(weights):
    for measure, exponents in (
        ("log2_gradient_rms", [0.5, 1.0, 2.0]),
        ("log2_weight_gradient_rms", [0.0, 0.5, 1.5]),  # of the first matrix: one product less
    ):
        e = Experiment(weights=weights)
        check = coordinate_check(e, WIDTHS, LAYERS, 16, measure=measure)
        agrees(check, exponents)
        assert check.sentence.startswith(f"{check.size.subject} grows with width: as n^")


def test_gradients_of_scaled_weights_are_flat():
    e = Experiment(init="kaiming_normal", activation="relu", weights="fresh")
    check = coordinate_check(e, WIDTHS, LAYERS, 16, measure="log2_gradient_rms")
    agrees(check, [0, 0, 0])
    assert check.sentence.startswith("The gradient is flat: the size does not depend on width")


def test_a_size_that_no_check_knows_is_refused():
    with pytest.raises(ValueError, match=r"measure must be one of log2_rms, .*, got 'std'"):
        coordinate_check(Experiment(), [16, 32], [1], measure="std")
