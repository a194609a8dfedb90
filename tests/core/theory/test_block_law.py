"""predict() of layers with a skip, a norm or another branch, against sampled networks."""

import itertools

import numpy as np
import pytest

from core import ACTIVATIONS, INITIALIZERS, Experiment, propagate, sample_ensemble
from core.layer.branches import BRANCHES, NORM_PLACES, NORMS, SKIPS
from core.layer.inputs import INPUTS
from core.layer.operation import MICROSECOND
from core.theory.block_law import block_law
from core.theory.finite_width import LEVELS, predict
from core.theory.work import prediction_work

E = Experiment(width=128, depth=20, weights="fresh", init="critical", activation="relu")
BESIDE = {"skip": "identity"}
NETWORKS = 3000
# Octaves that O(1/n) may cost at n = 128, of the median and of the outer quantiles.
MEDIAN, TAIL = 0.02, 0.05
MEDIAN_BACK, TAIL_BACK = 0.1, 0.25

BLOCKS = {
    "product": BESIDE | {"branch_scale": 0.3, "depth": 30},
    "product, gelu and a bias": BESIDE | {"activation": "gelu", "bias_std": 0.2},
    "product, pre-norm": BESIDE | {"norm": "layer", "depth": 40},
    "product, norm inside": {"norm": "rms", "norm_place": "inside", "activation": "gelu"},
    "product, post-norm": BESIDE | {"norm": "rms", "norm_place": "after"},
    "preactivation alone": {"branch": "preactivation", "activation": "tanh", "bias_std": 0.1},
    "preactivation": BESIDE | {"branch": "preactivation", "branch_scale": 0.3},
    "preactivation, pre-norm": BESIDE | {"branch": "preactivation", "norm": "layer"},
    "mlp alone": {"branch": "mlp"},
    "mlp": BESIDE | {"branch": "mlp", "activation": "gelu"},
    "mlp, pre-norm": BESIDE | {"branch": "mlp", "norm": "layer", "depth": 40},
    "mlp, norm inside": BESIDE | {"branch": "mlp", "norm": "layer", "norm_place": "inside"},
    "pixels": {"input": "pixels", "depth": 10},
}


def distances(law, sizes):
    """|law − sample| of the median and of the outer quantiles, less three standard errors."""
    levels = np.array(LEVELS)
    sample = np.quantile(sizes, levels, axis=0)
    around = np.quantile(sizes, np.clip([levels - 0.02, levels + 0.02], 0.01, 0.99), axis=0)
    density = np.maximum((around[1] - around[0]) / 0.04, 0)
    errors = 3 * density * np.sqrt(levels * (1 - levels) / len(sizes))[:, None]
    apart = np.abs(np.array([law[level] for level in LEVELS]) - sample) - errors
    return apart[2].max(), apart[[0, -1]].max()


@pytest.mark.parametrize("changes", BLOCKS.values(), ids=BLOCKS)
def test_the_bands_are_those_of_sampled_networks(changes):
    e = E.replace(**changes)
    law, networks = predict(e), sample_ensemble(e, NETWORKS, backward=True)
    for quantiles, sizes in (
        (law.log2_rms_quantiles, networks.log2_rms),
        (law.log2_std_quantiles, networks.log2_std),
    ):
        median, tail = distances(quantiles, sizes)
        assert median < MEDIAN and tail < TAIL, (median, tail)
    for quantiles, sizes in (
        (law.log2_gradient_rms_quantiles, networks.log2_gradient_rms),
        (law.log2_gradient_std_quantiles, networks.log2_gradient_std),
    ):
        median, tail = distances(quantiles, sizes)
        assert median < MEDIAN_BACK and tail < TAIL_BACK, (median, tail)


def test_a_hundred_layers_of_a_transformers_kind_have_their_bands():
    e = E.replace(branch="mlp", norm="layer", depth=100, **BESIDE)
    law, networks = predict(e), sample_ensemble(e, 1000, backward=True)
    assert max(distances(law.log2_rms_quantiles, networks.log2_rms)) < MEDIAN
    assert max(distances(law.log2_gradient_rms_quantiles, networks.log2_gradient_rms)) < TAIL


def test_real_runs_lie_in_the_band_as_often_as_it_says():
    e = E.replace(branch="preactivation", norm="rms", depth=30, **BESIDE)
    law, runs = predict(e), [propagate(e.replace(seed=seed)) for seed in range(60)]
    last = np.array([run.stats.log2_rms[-1] for run in runs])
    low, high = (law.log2_rms_quantiles[level][-1] for level in (0.05, 0.95))
    # 54 of 60 are expected; three standard deviations of the count are 7.
    assert ((low < last) & (last < high)).sum() >= 47


@pytest.mark.parametrize("depth", [20, 100])
def test_an_un_normed_block_of_two_products_doubles_the_mean_square(depth):
    # He: σ_w² E φ² = p, so that x + f has twice the mean square of x (Yang & Schoenholz 2017).
    e = E.replace(width=16384, branch="preactivation", depth=depth, **BESIDE)
    median = predict(e).log2_rms_quantiles[0.5]
    assert np.allclose(np.diff(median), 0.5, atol=0.01)


def test_a_pre_norm_stream_grows_as_the_root_of_its_depth():
    e = E.replace(width=16384, branch="preactivation", norm="rms", depth=100, **BESIDE)
    median = predict(e).log2_rms_quantiles[0.5]
    assert np.allclose(median, np.log2(1 + np.arange(101)) / 2, atol=0.01)


def test_a_post_norm_stream_has_size_one():
    e = E.replace(norm="layer", norm_place="after", **BESIDE)
    assert all(abs(law[1:]).max() < 1e-3 for law in predict(e).log2_rms_quantiles.values())


def test_a_branch_of_factor_zero_leaves_signal_and_gradient_alone():
    law = predict(E.replace(branch_scale=0.0, **BESIDE))
    for bands in (law.log2_rms_quantiles, law.log2_gradient_rms_quantiles):
        assert all(np.ptp(band) < 1e-9 for band in bands.values())


def test_the_gradient_that_one_direction_carries_is_told():
    words = predict(E.replace(width=512, depth=100, **BESIDE)).gradient_valid
    assert "goes as |N(0, 1)|" in words and "8.62e6" in words  # 2^(73.04 − 50)


@pytest.mark.parametrize("scale", [0.25, 8.0])
@pytest.mark.parametrize("changes", [{}, {"activation": "tanh", "init": "lecun_normal"}])
def test_a_plain_layer_knows_the_size_of_its_input(scale, changes):
    e = E.replace(input_scale=scale, depth=8, **changes)
    law, networks = predict(e), sample_ensemble(e, NETWORKS, backward=True)
    assert max(distances(law.log2_rms_quantiles, networks.log2_rms)) < TAIL
    assert max(distances(law.log2_gradient_rms_quantiles, networks.log2_gradient_rms)) < TAIL


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"norm": "batch", "batch_size": 4}, "batch norm."),
        ({"batch_size": 4}, "several inputs at once."),
        ({"weights": "tied"}, "one matrix at every step together with a skip"),
        ({"init": "orthogonal"}, "orthogonal weights together with a skip"),
        ({"init": "sparse"}, "the initialiser sparse."),
        ({"init": "zeros"}, "every weight is 0."),
        ({"branch": "preactivation", "input": "pixels"}, "where φ comes before the product."),
        ({"input_scale": 0.0}, "the input is 0."),
        ({"width": 7}, "Width 7 is too small"),
        ({"width": 16, "activation": "relu_squared"}, "Width 16 is too small"),
        ({"number_format": "float8_e4m3fn"}, "holds elements of x at 448"),
    ],
)
def test_where_no_law_is_known_it_says_why(changes, words):
    law = predict(E.replace(**BESIDE | changes))
    assert not law.known and not law.gradient_known and words in law.valid


def test_ends_of_the_range_are_known_only_where_they_are_far():
    far = predict(E.replace(norm="layer", **BESIDE))
    near = predict(E.replace(norm="layer", number_format="float16", scale=1e3, **BESIDE))
    assert far.ends_known and far.overflow_pmf == far.gradient_overflow_pmf == {}
    assert not near.ends_known and near.gradient_overflow_pmf is None
    assert "Where x leaves the range of float16 is not predicted." in near.valid


SETTINGS = list(itertools.product(BRANCHES, SKIPS, NORMS, NORM_PLACES, INPUTS))


def checked(e):
    """predict() of e: known, with finite ascending bands, or with a sentence."""
    law = predict(e)
    assert law.valid.endswith(".") and law.gradient_valid.endswith(".")
    assert prediction_work(e) > 0
    for bands in (law.log2_rms_quantiles, law.log2_gradient_rms_quantiles):
        for low, high in itertools.pairwise(bands.values()):
            assert (low <= high + 1e-9).all() and not np.isnan(high).any()
    assert law.known or law.log2_std_quantiles == {}


@pytest.mark.parametrize("weights", ["fresh", "tied"])
def test_every_combination_has_bands_or_a_reason(weights):
    names, inits = itertools.cycle(ACTIVATIONS), itertools.cycle(INITIALIZERS)
    formats = itertools.cycle(["float32", "float16", "float8_e4m3fn"])
    scales = itertools.cycle([1.0, 0.0, 1e-6, 1e6, 3.0])
    for branch, skip, norm, place, source in SETTINGS:
        e = Experiment(
            width=32,
            depth=3,
            branch=branch,
            skip=skip,
            norm=norm,
            norm_place=place,
            input=source,
            weights=weights,
            batch_size=2 if norm == "batch" else 1,
            activation=next(names),
            init=next(inits),
            number_format=next(formats),
            scale=next(scales),
            branch_scale=next(scales) / 1e3,
            input_scale=next(scales),
            bias_std=next(scales),
        )
        checked(e)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_every_activation_has_bands_at_every_size(activation, scale):
    for branch, norm in itertools.product(BRANCHES, ("none", "layer", "rms")):
        for place in NORM_PLACES:
            changes = {"branch": branch, "norm": norm, "norm_place": place, "scale": scale}
            checked(E.replace(activation=activation, depth=4, skip="identity", **changes))


def test_the_work_is_that_of_sampling(monkeypatch):
    from time import process_time

    e = E.replace(branch="mlp", norm="layer", depth=100, **BESIDE)
    block_law(e.replace(depth=1))  # the moments of φ
    taken = []
    for scale in (1.1, 1.2, 1.3):
        start = process_time()
        block_law(e.replace(scale=scale))
        taken.append(process_time() - start)
    # Within a factor of two on the machine of the measurement; twice that on another one.
    assert 1 / 4 < prediction_work(e) / MICROSECOND / 1e6 / min(taken) < 4
