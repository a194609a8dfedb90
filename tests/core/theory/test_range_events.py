"""The law of the iteration at which a format's range ends, against real runs."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from core import ACTIVATIONS, Experiment, propagate
from core.simulation.ensemble import sample_ensemble
from core.theory.finite_width import predict
from core.theory.tied_law import DRAWS

RUNS = 500
NETWORKS = 2000  # of an ensemble, which replaces a law that is not known
FADING = 2000  # signals in the law's own sample of the last layers before zero
LEAST_EXPECTED = 5  # runs in a cell, so that the statistic has nearly the law of χ²
# The probability that any one of all comparisons of this file fails without cause (Bonferroni,
# which holds although formats with the same seeds see the same networks).
FAMILY_LEVEL = 0.01
COMPARISONS = 12 + 9 + 1 + 2 + 4 + 8

WEIGHTS = ("tied", "fresh")
NAMES = ("linear", "relu")
# format -> (scale, depth of linear, depth of ReLU): a few layers past the likely end.
OVERFLOWS = {
    "float16": (0.4, 16, 24),
    "bfloat16": (2.5, 36, 42),
    "float32": (2.5, 36, 42),
}
VANISHES = {"float16": (0.01, 10, 10), "bfloat16": (0.01, 42, 42), "float32": (0.01, 46, 46)}


def question(sizes, number_format, weights, name):
    scale, linear, relu = sizes[number_format]
    return Experiment(
        width=48,
        depth=linear if name == "linear" else relu,
        scale=scale,
        activation=name,
        weights=weights,
        number_format=number_format,
    )


def ends(e, event):
    """Loop index -> the number of runs with the event there; runs without it count at the depth."""
    runs = (propagate(e.replace(seed=seed)) for seed in range(RUNS))
    found = (getattr(run.events, event) for run in runs)
    return Counter(e.depth if i is None else i for i in found)


def frequencies(found):
    """The frequencies of an ensemble, in the form of a law of ``predict``."""
    values, counts = np.unique(found[~np.isnan(found)], return_counts=True)
    return dict(zip(values.astype(int).tolist(), (counts / len(found)).tolist(), strict=True))


def cells(pmf, found, depth):
    """Runs expected and found per cell; a cell joins iterations until enough runs are expected."""
    shares = [pmf.get(i, 0.0) for i in range(depth)]
    pooled = [[0.0, 0]]
    for i, share in enumerate([*shares, 1 - sum(shares)]):
        if pooled[-1][0] >= LEAST_EXPECTED:
            pooled.append([0.0, 0])
        pooled[-1][0] += RUNS * share
        pooled[-1][1] += found[i]
    if pooled[-1][0] < LEAST_EXPECTED:
        few = pooled.pop()
        pooled[-1] = [pooled[-1][0] + few[0], pooled[-1][1] + few[1]]
    return np.array(pooled).T


def same_law(pmf, found, depth, drawn=np.inf):
    """Assert that events have a law: χ²'s p against this file's level.

    A law that is itself sampled ``drawn`` times has an error too, at most that of the frequencies
    of these draws. It multiplies every variance by the factor 1 + runs/drawn.
    """
    expected, counted = cells(pmf, found, depth)
    assert len(expected) > 1
    chi_square = ((counted - expected) ** 2 / expected).sum() / (1 + RUNS / drawn)
    p = stats.chi2.sf(chi_square, len(expected) - 1)
    assert p > FAMILY_LEVEL / COMPARISONS, (p, expected, counted)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("number_format", OVERFLOWS)
def test_overflow_comes_when_it_should(number_format, weights, name):
    e = question(OVERFLOWS, number_format, weights, name)
    found, law = ends(e, "first_nonfinite"), predict(e)
    if (weights, name) == ("tied", "relu"):
        assert not law.known and "relu" in law.valid and law.overflow_pmf == {}
        ensemble = sample_ensemble(e, NETWORKS)
        same_law(frequencies(ensemble.first_overflow), found, e.depth, NETWORKS)
    else:
        drawn = DRAWS if weights == "tied" else np.inf
        same_law(law.overflow_pmf, found, e.depth, drawn)


@pytest.mark.parametrize(
    "weights, name", [("tied", "linear"), ("fresh", "linear"), ("fresh", "relu")]
)
@pytest.mark.parametrize("number_format", VANISHES)
def test_zero_comes_when_it_should(number_format, weights, name):
    e = question(VANISHES, number_format, weights, name)
    same_law(predict(e).all_zero_pmf, ends(e, "all_zero"), e.depth, FADING)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(
    ("number_format", "scale", "depth"),
    [("float16_float16_sums", 0.4, 16), ("float8_e4m3fn_nan", 0.4, 9)],
)
def test_overflow_comes_when_it_should_by_other_conventions(number_format, scale, depth, weights):
    e = Experiment(width=48, depth=depth, scale=scale, weights=weights, number_format=number_format)
    law = predict(e)
    drawn = DRAWS if weights == "tied" else np.inf
    same_law(law.overflow_pmf, ends(e, "first_nonfinite"), depth, drawn)


@pytest.mark.parametrize(
    ("number_format", "weights", "scale", "depth"),
    [
        ("float32_flushed", "tied", 0.01, 46),
        ("float32_flushed", "fresh", 0.01, 46),
        ("bfloat16_flushed", "tied", 0.01, 42),
        ("bfloat16_flushed", "fresh", 0.012, 46),
        ("float16_flushed", "tied", 0.01, 10),
        ("float16_flushed", "fresh", 0.01, 10),
        ("float16_float16_sums", "tied", 0.025, 14),
        ("float16_float16_sums", "fresh", 0.03, 14),
    ],
)
def test_zero_comes_when_it_should_by_other_conventions(number_format, weights, scale, depth):
    e = Experiment(width=48, depth=depth, scale=scale, weights=weights, number_format=number_format)
    same_law(predict(e).all_zero_pmf, ends(e, "all_zero"), depth, FADING)


@pytest.mark.parametrize("name", ["mxfp8_e4m3", "mxfp8_e5m2", "mxfp4_e2m1", "nvfp4"])
def test_blocks_have_a_law_that_says_what_it_leaves_out_and_no_end(name):
    law = predict(Experiment(width=64, depth=60, number_format=name))
    assert law.known and not law.ends_known and not law.overflow_pmf
    assert "The rounding in blocks of" in law.valid and "The rounding in bl" in law.gradient_valid
    assert f"Where x leaves the range of {name} is not predicted." in law.valid
    # Far from both ends it is known that neither comes, whatever the drift.
    held = predict(Experiment(width=64, depth=9, init="critical", number_format=name))
    assert held.ends_known and held.overflow_pmf == held.all_zero_pmf == {}


def test_an_end_without_a_law_is_not_told():
    for sizes in (OVERFLOWS, VANISHES):
        law = predict(question(sizes, "float32", "tied", "relu"))
        assert not law.known and "relu" in law.valid
        assert law.overflow_pmf == law.all_zero_pmf == {}


@pytest.mark.parametrize("number_format", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu", "gelu", "softplus"])
@pytest.mark.parametrize("scale", [1e-3, 0.3, 30.0])
def test_probabilities_are_no_more_than_one(number_format, name, scale):
    e = Experiment(width=32, depth=30, weights="fresh", activation=name)
    law = predict(e.replace(number_format=number_format, scale=scale))
    for pmf in (law.overflow_pmf, law.all_zero_pmf):
        assert all(0 <= i < 30 and type(i) is int and 0 < p <= 1 for i, p in pmf.items())
        assert sum(pmf.values()) <= 1 + 1e-12  # rounding of a sum of thirty


@pytest.mark.parametrize("name, sides", [("linear", 2), ("relu", 1), ("gelu", 2)])
def test_the_first_overflow_is_an_integral_over_the_input(name, sides):
    # One of 64 pre-activations N(0, s²‖x‖²) beyond the largest value. GELU of −∞ is NaN.
    e = Experiment(width=64, depth=1, weights="fresh", activation=name, number_format="float16")
    e = e.replace(scale=65520 / 25)
    length = np.linspace(4, 13, 4001)
    fits = (1 - sides * stats.norm.sf(25 / length)) ** 64
    expected = 1 - np.trapezoid(fits * stats.chi.pdf(length, 64), length)
    # The grid adds 1/3000 to the variance of lengths, on which this far tail depends steeply.
    assert predict(e).overflow_pmf[0] == pytest.approx(expected, rel=5e-3)


def test_weights_beyond_the_format_end_it_at_once():
    e = Experiment(width=64, depth=5, weights="fresh", number_format="float16", scale=1e5)
    assert predict(e).overflow_pmf == {0: pytest.approx(1.0, abs=1e-6)}


def test_a_format_without_infinity_has_no_overflow():
    e = Experiment(width=64, depth=30, weights="fresh", number_format="float8_e4m3fn")
    assert predict(e).overflow_pmf == {}
    assert predict(e.replace(number_format="float8_e5m2")).overflow_pmf


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu6", "hardtanh", "sin", "softsign"])
def test_a_bounded_phi_does_not_overflow(name):
    e = Experiment(width=64, depth=20, weights="fresh", activation=name, scale=10.0)
    assert predict(e).overflow_pmf == {}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_bias_keeps_x_from_zero(name):
    e = Experiment(width=64, depth=5, weights="fresh", activation=name, bias_std=0.1, scale=1e-6)
    assert predict(e).all_zero_pmf == {}


def test_weights_that_all_round_to_zero_end_it_at_once():
    e = Experiment(width=64, depth=5, weights="fresh", scale=1e-6, number_format="float8_e5m2")
    assert predict(e).all_zero_pmf == {0: pytest.approx(1.0, abs=1e-6)}


@pytest.mark.parametrize("width", [1, 2, 4, 12])
@pytest.mark.parametrize("scale", [0.5, 1e6])
def test_relu_of_few_units_ends_as_often_as_none_is_positive(width, scale):
    e = Experiment(width=width, depth=12, weights="fresh", activation="relu", scale=scale)
    pmf = predict(e.replace(number_format="float64")).all_zero_pmf
    found = np.cumsum([pmf.get(i, 0.0) for i in range(12)])
    # Probabilities below 1e-6 are left out.
    assert found == pytest.approx(1 - (1 - 2.0**-width) ** np.arange(1, 13), abs=12e-6)


def test_a_signal_that_dies_and_fades_ends_once():
    # By φ with probability 1/4 a layer, and by rounding within eight layers.
    e = Experiment(width=2, depth=40, weights="fresh", activation="relu", scale=1e-4)
    e = e.replace(number_format="bfloat16")
    same_law(predict(e).all_zero_pmf, ends(e, "all_zero"), e.depth, FADING / 2)


@pytest.mark.parametrize("sigma_w, event", [(0.68, "all_zero"), (0.95, "first_nonfinite")])
def test_a_square_ends_within_few_layers(sigma_w, event):
    # log2 of x doubles at every layer, so the first layers decide whether it rises or falls.
    e = Experiment(width=256, depth=10, weights="fresh", init="lecun_normal", scale=sigma_w)
    e = e.replace(activation="relu_squared")
    law = predict(e)
    pmf = law.all_zero_pmf if event == "all_zero" else law.overflow_pmf
    same_law(pmf, ends(e, event), e.depth)
