"""Statistics against exact rational arithmetic, on values where float64 formulas fail."""

from dataclasses import fields
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

from core import NUMBER_FORMATS
from core.statistics.layer_stats import EVENTS, STATISTICS, Events, LayerStats
from core.statistics.sums import add_up, joined

mpmath.mp.prec = 200


def stats_of(*layers, name="float64"):
    dtype = NUMBER_FORMATS[name].dtype
    x = torch.tensor(layers, dtype=torch.float64).to(dtype)
    return LayerStats.of(add_up(x, NUMBER_FORMATS[name]))


def exact(values):
    """mean, std and rms as mpmath numbers."""
    numbers = [Fraction(float(value)) for value in values]
    mean = sum(numbers) / len(numbers)
    square = sum((number - mean) ** 2 for number in numbers)

    def root(fraction):
        return mpmath.sqrt(mpmath.mpf(fraction.numerator) / fraction.denominator)

    rms = root(sum(number**2 for number in numbers) / len(numbers))
    std = root(square / (len(numbers) - 1)) if len(numbers) > 1 else mpmath.nan
    return mpmath.mpf(mean.numerator) / mean.denominator, std, rms


def sample(exponent, count=37):
    values = torch.randn(count, generator=torch.Generator().manual_seed(count)).double()
    return torch.ldexp(values / 8, torch.tensor(exponent)).tolist()


@pytest.mark.parametrize("exponent", [0, 1000, 1020, -1000, -1040, 500, -500])
def test_moments_are_true_where_squares_overflow_or_vanish(exponent):
    values = sample(exponent)
    stats, (mean, std, rms) = stats_of(values), exact(values)
    # float64 sums of 37 terms, then rounding of the result: ten units in the last place; a
    # subnormal result is a multiple of 2^-1074.
    tiny = 2 * 5e-324
    assert stats.mean[0] == pytest.approx(float(mean), rel=1e-14, abs=tiny)
    assert stats.std[0] == pytest.approx(float(std), rel=1e-14, abs=tiny)
    assert stats.rms[0] == pytest.approx(float(rms), rel=1e-14, abs=tiny)
    assert stats.log2_std[0] == pytest.approx(float(mpmath.log(std, 2)), abs=1e-12)
    assert stats.log2_rms[0] == pytest.approx(float(mpmath.log(rms, 2)), abs=1e-12)
    assert stats.max_abs[0] == max(map(abs, values))


def test_log2_tells_a_vast_std_that_float64_cannot_hold():
    biggest = np.finfo(float).max
    stats = stats_of([biggest, -biggest])
    assert stats.std[0] == np.inf  # √2 times the largest float64: truly beyond it
    assert stats.log2_std[0] == pytest.approx(1024.5, abs=1e-12)
    assert stats.rms[0] == biggest


def test_all_zero_is_zero_and_nothing_else():
    stats = stats_of([0.0, -0.0, 0.0])
    assert (stats.mean[0], stats.std[0], stats.rms[0], stats.max_abs[0]) == (0, 0, 0, 0)
    assert stats.log2_std[0] == stats.log2_rms[0] == -np.inf
    assert (stats.zero[0], stats.subnormal[0], stats.negative[0], stats.nonfinite[0]) == (
        1,
        0,
        0,
        0,
    )
    assert stats.histogram.counts.sum() == 0


def test_one_element_has_no_unbiased_std():
    stats = stats_of([-3.0])
    assert np.isnan(stats.std[0]) and stats.mean[0] == -3 and stats.rms[0] == 3


@pytest.mark.parametrize(
    "values",
    [
        [1.0, np.nan, 2.0],
        [1.0, np.inf, 2.0],
        [-np.inf, 1.0, -2.0],
        [np.inf, -np.inf, 0.0],
        [np.nan, np.inf, -np.inf, 5.0, 0.0],
        [-1.7e308, -1.7e308, np.inf],
    ],
)
def test_mixtures_with_nan_and_infinity_follow_numpy(values):
    stats, array = stats_of(values), np.array(values)
    with np.errstate(all="ignore"):
        scaled = array / 2.0**1000  # keeps NumPy's own sums from overflowing
        np.testing.assert_equal(stats.mean[0], np.mean(scaled))
        np.testing.assert_equal(stats.std[0], np.std(scaled, ddof=1))
        np.testing.assert_equal(stats.rms[0], np.sqrt(np.mean(scaled**2)))
        np.testing.assert_equal(stats.max_abs[0], np.max(np.abs(array)))
    assert stats.nonfinite[0] == np.mean(~np.isfinite(array))
    assert stats.nan[0] == np.mean(np.isnan(array))
    assert stats.zero[0] == np.mean(array == 0)


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_fractions_count_every_class_of_every_format(name):
    entry = NUMBER_FORMATS[name]
    small, normal, big = entry.smallest_normal * entry.epsilon, entry.smallest_normal, entry.max
    values = [0.0, -0.0, small, -small, normal - small, normal, -1.0, big, -big, 1.0]
    stats = LayerStats.of(add_up(entry.cast(torch.tensor([values], dtype=torch.float64)), entry))
    assert stats.zero[0] == (0.5 if entry.flushes else 0.2)
    assert stats.subnormal[0] == (0 if entry.flushes else 0.3)
    assert stats.negative[0] == (0.2 if entry.flushes else 0.3)
    assert stats.saturated[0] == (0.2 if entry.saturates else 0)
    assert stats.max_abs[0] == big
    assert stats.histogram.counts.sum() == (5 if entry.flushes else 8)


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_histogram_drops_nothing_and_bins_by_magnitude(name):
    entry = NUMBER_FORMATS[name]
    x = torch.randn(5, 300, generator=torch.Generator().manual_seed(2)).double()
    x[1] *= entry.max / 2
    x[2] *= 3 * entry.smallest_subnormal
    x[3, ::3] = torch.nan
    x = entry.cast(x)
    stats = LayerStats.of(add_up(x, entry))
    whole = np.rint(300 * (1 - stats.zero - stats.nonfinite))
    np.testing.assert_array_equal(stats.histogram.counts.sum(axis=1), whole)
    edges = stats.histogram.log2_edges
    for layer, row in enumerate(stats.histogram.counts):
        sizes = x[layer].double().abs().numpy()
        sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
        # Edges are log2 of exact numbers; half a unit keeps boundary values on their side.
        expected, _ = np.histogram(np.log2(sizes) + 1e-12, edges)
        np.testing.assert_array_equal(row, expected)


def test_statistics_do_not_depend_on_how_layers_are_chunked():
    x = torch.randn(40, 33, 5, generator=torch.Generator().manual_seed(4))
    x[30:] *= 1e30
    entry = NUMBER_FORMATS["float32"]
    whole = LayerStats.of(add_up(x, entry))
    for size in (1, 7, 39):
        parts = [add_up(x[start : start + size], entry) for start in range(0, 40, size)]
        chunked = LayerStats.of(joined(parts))
        for name in STATISTICS:
            np.testing.assert_array_equal(whole.values[name], chunked.values[name])
        np.testing.assert_array_equal(whole.histogram.counts, chunked.histogram.counts)
        assert whole.histogram.first_key == chunked.histogram.first_key


def test_a_name_that_is_no_statistic_is_an_attribute_error_that_lists_them():
    with pytest.raises(AttributeError, match="no statistic 'variance'; there are mean, std"):
        stats_of([1.0, 2.0]).variance


def test_every_event_has_words_a_place_in_a_run_and_one_that_tells_it():
    assert tuple(EVENTS) == tuple(item.name for item in fields(Events))
    for event in EVENTS.values():
        assert event.label and event.when
        assert (event.at is None) == (event.printed is not None)


def test_inputs_are_compared_as_numpy_compares_them():
    """Against plain float64 formulas; one input that is zero has no angle and is left out."""
    x = np.random.default_rng(5).normal(3.0, 1.0, (2, 7, 4)).astype(np.float32)
    x[1, :, 2] = 0
    found = LayerStats.of(add_up(torch.from_numpy(x), NUMBER_FORMATS["float32"]))
    wide = x.astype(np.float64)
    across = np.sqrt(wide.var(2, ddof=1).mean(1))
    assert found.std_across_inputs == pytest.approx(across, rel=1e-12)
    for layer, inputs in ((0, [0, 1, 2, 3]), (1, [0, 1, 3])):
        columns = wide[layer][:, inputs] / np.linalg.norm(wide[layer][:, inputs], axis=0)
        pairs = (columns.T @ columns)[np.triu_indices(len(inputs), 1)]
        assert found.cosine_of_inputs[layer] == pytest.approx(pairs.mean(), rel=1e-12)


def test_inputs_that_are_nearly_equal_keep_their_distance():
    """A difference of 1e-10 beside 1 is far below the rounding of a sum of squares."""
    x = torch.ones(1, 64, 2, dtype=torch.float64)
    x[..., 1] += 1e-10
    found = LayerStats.of(add_up(x, NUMBER_FORMATS["float64"]))
    assert found.std_across_inputs[0] == pytest.approx(1e-10 / 2**0.5, rel=1e-5)


def test_one_input_is_compared_with_nothing():
    found = LayerStats.of(add_up(torch.ones(2, 5), NUMBER_FORMATS["float32"]))
    assert np.isnan(found.std_across_inputs).all() and np.isnan(found.cosine_of_inputs).all()
