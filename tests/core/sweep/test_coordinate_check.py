"""The coordinate check: exponents of width against what each initialiser is known to do."""

import math

import numpy as np
import pytest

from core import Experiment
from core.sweep import sweep
from core.sweep.coordinate_check import MEASURE, coordinate_check
from core.sweep.coordinate_check import checked as checked_sweep

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


def test_the_axes_may_be_in_any_order_and_have_a_value_twice():
    axes = {"width": [64, 16, 32, 16], "depth": [4, 1, 4, 2]}
    found = checked_sweep(sweep(Experiment(), axes, MEASURE, ensemble_size=3))
    expected = coordinate_check(Experiment(), [16, 32, 64], [1, 2, 4], 3)
    assert (found.widths, found.layers) == (expected.widths, expected.layers)
    np.testing.assert_array_equal(found.log2_rms, expected.log2_rms)
    assert found.slopes == expected.slopes and found.sentence == expected.sentence
    assert found.factor_per_layer == expected.factor_per_layer


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
    assert check.factor_per_layer == pytest.approx(8, rel=0.5)
    with pytest.raises(ValueError, match="width must be a whole number from 1"):
        coordinate_check(Experiment(), [0, 16], [1])
    with pytest.raises(ValueError, match="ensemble_size"):
        coordinate_check(Experiment(), [8, 16], [1], 0)
