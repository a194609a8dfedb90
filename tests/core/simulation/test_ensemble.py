"""The ensemble without matrices has the law of real matrix products."""

import numpy as np
import pytest
import torch
from scipy import stats

from core import ACTIVATIONS, Experiment, propagate
from core.host.limits import WorkLimitError
from core.layer.in_law import Tied
from core.layer.scaled import Scaled, ScaledNumbers
from core.question.streams import stream_seed
from core.simulation.ensemble import is_exact_in_law, sample_ensemble

NAMES = ("linear", "relu", "tanh", "gelu")
# Name of a batch -> the number of its inputs.
INPUTS = {"one": 1, "four": 4, "four, two of them equal": 4}
FIELDS = ("log2_rms", "log2_std", "log2_max_abs")
# (rule, width) -> (depth, networks); fewer for wide Haar matrices, whose draw costs n³.
SIZES = {
    ("gaussian", 8): (10, 400),
    ("gaussian", 64): (10, 400),
    ("gaussian", 256): (10, 300),
    ("orthogonal", 8): (10, 400),
    ("orthogonal", 64): (10, 300),
    ("orthogonal", 256): (4, 150),
}
# The probability that any one of all comparisons of this file fails without cause (Bonferroni,
# which holds although the activations of one size see the same matrices).
FAMILY_LEVEL = 0.01
COMPARISONS = len(SIZES) * len(NAMES) * len(INPUTS) * len(FIELDS) + 2 * 13 + 1
DEAD = -1e4  # octaves, for −inf: a test of ranks takes any number below all others
NEVER = 10**4  # an iteration later than all others


def same_law(one, other):
    """Assert that two samples have one law: Kolmogorov–Smirnov's p against this file's level."""
    one, other = (np.where(np.isneginf(values), DEAD, values) for values in (one, other))
    p = stats.ks_2samp(one, other).pvalue
    assert p > FAMILY_LEVEL / COMPARISONS, p


def question(rule, width, name, **fields):
    """A critical network: real products of float64 stay in range."""
    init = {"gaussian": "critical", "orthogonal": "orthogonal"}[rule]
    scale = ACTIVATIONS[name].gain if rule == "orthogonal" else 1.0
    fields = {"weights": "fresh", "init": init, "scale": scale, "activation": name} | fields
    return Experiment(width=width, **fields)


def drawn_inputs(inputs, networks, width, generator, dtype=torch.float64):
    x = torch.randn(networks, width, INPUTS[inputs], generator=generator, dtype=dtype)
    if "equal" in inputs:
        x[:, :, 2] = x[:, :, 0]
    return x


def haar(normal):
    q, r = torch.linalg.qr(normal)
    return q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)


def octaves(x):
    """log2 of rms, std and the largest magnitude of every network's x."""
    flat = x.flatten(1)
    sizes = flat.square().mean(1).sqrt(), flat.std(1), flat.abs().amax(1)
    return dict(zip(FIELDS, (size.log2().numpy() for size in sizes), strict=True))


KEYS = [(name, inputs) for name in NAMES for inputs in INPUTS]
COLUMNS = [INPUTS[inputs] for _, inputs in KEYS]


def bent(h):
    """φ of its gain times h, for every key's own columns."""
    phis = [ACTIVATIONS[name] for name, _ in KEYS]
    parts = zip(phis, h.split(COLUMNS, dim=2), strict=True)
    return torch.cat([phi(phi.gain * part) for phi, part in parts], dim=2)


@pytest.fixture(scope="module")
def products():
    """(rule, width, activation, inputs) -> sizes of the last x, from real float64 products.

    The same matrices serve every activation and all inputs, side by side in one product.
    """
    found = {}
    generator = torch.Generator().manual_seed(20)
    for (rule, width), (depth, networks) in SIZES.items():
        chunks = []
        for _ in range(networks // 50):
            x = torch.cat([drawn_inputs(inputs, 50, width, generator) for _, inputs in KEYS], dim=2)
            for _ in range(depth):
                a = torch.randn(50, width, width, generator=generator)
                a = (haar(a) if rule == "orthogonal" else a / width**0.5).double()
                x = bent(a @ x)
            chunks.append(x)
        for key, x in zip(KEYS, torch.cat(chunks).split(COLUMNS, dim=2), strict=True):
            found[rule, width, *key] = octaves(x)
    return found


def sampled_octaves(e, networks, inputs):
    """log2 sizes of the last x in sampled networks.

    Equal inputs are passed to the layers directly: the inputs of an Experiment always differ.
    """
    if "equal" not in inputs:
        sampled = sample_ensemble(e, networks, seed=7)
        assert sampled.exact_in_law
        return {what: getattr(sampled, what)[:, -1] for what in FIELDS}
    generator = torch.Generator().manual_seed(7)
    x = drawn_inputs(inputs, networks, e.width, generator, torch.float32)
    parameters, x = e.layer.in_law(networks, e.shape, generator), ScaledNumbers.of(x)
    for _ in range(e.depth):
        x = e.layer.forward(parameters, x, Scaled())
    return octaves(true_values(x))


def true_values(x):
    """The values of ScaledNumbers in float64."""
    return x.numbers.double() * torch.exp2(x.power).view(-1, 1, 1)


def one_product(e, x, seed=2):
    """a @ x as an ensemble samples it."""
    stream = torch.Generator().manual_seed(seed)
    (product,) = e.layer.affine.in_law(len(x), e.shape, stream)
    return true_values(product.times(ScaledNumbers.of(x)))


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule, width", SIZES)
def test_sizes_have_the_law_of_real_products(products, rule, width, name, inputs):
    depth, networks = SIZES[rule, width]
    e = question(rule, width, name, depth=depth, batch_size=INPUTS[inputs])
    sampled = sampled_octaves(e, networks, inputs)
    for what in FIELDS:
        same_law(sampled[what], products[rule, width, name, inputs][what])


def run_sizes(e, seeds):
    runs = [propagate(e.replace(seed=seed)) for seed in seeds]
    return np.array([run.stats.log2_rms[-1] for run in runs]), runs


# Fields -> whether that needs no matrix.
ON_SCREEN = [
    ({"weights": "tied"}, True),
    ({"weights": "tied", "activation": "relu", "depth": 16}, True),
    ({"weights": "tied", "activation": "relu", "depth": 17}, False),
    ({"weights": "tied", "activation": "gelu", "batch_size": 4, "depth": 4}, True),
    ({"weights": "tied", "activation": "relu", "batch_size": 3}, False),
    ({"weights": "tied", "activation": "tanh", "bias_std": 0.5, "scale": 2.0}, True),
    ({"weights": "tied", "init": "orthogonal", "activation": "relu"}, False),
    ({"weights": "tied", "bias_std": 1.0, "depth": 16}, True),
    ({"weights": "tied", "init": "identity", "bias_std": 0.5}, False),
    ({"weights": "fresh", "init": "torch_linear", "activation": "gelu", "scale": 2.0}, False),
    ({"weights": "fresh", "activation": "sigmoid", "bias_std": 1.0, "batch_size": 2}, True),
    ({"weights": "fresh", "activation": "relu", "bias_std": 0.3}, True),
    ({"weights": "fresh", "init": "lsuv", "activation": "relu", "batch_size": 2}, False),
]


@pytest.mark.parametrize(("fields", "without_matrices"), ON_SCREEN)
def test_sizes_have_the_law_of_the_run_on_screen(fields, without_matrices):
    e = Experiment(**{"width": 32, "depth": 10, "init": "critical"} | fields)
    sampled = sample_ensemble(e, 300, seed=3)
    assert sampled.exact_in_law == is_exact_in_law(e) == without_matrices
    sizes, runs = run_sizes(e, range(300))
    same_law(sampled.log2_rms[:, -1], sizes)
    largest = np.log2([run.stats.max_abs[-1] for run in runs])
    same_law(sampled.log2_max_abs[:, -1], largest)


def test_one_matrix_does_to_a_vector_that_it_met_what_it_did_before():
    stream = torch.Generator().manual_seed(4)
    x = torch.randn(5, 64, 1, generator=stream)
    product = Tied(5, 8, 64, 1 / 8, stream)

    def times(v):
        return true_values(product.times(ScaledNumbers.of(v)))

    first, second = times(x), times(torch.roll(x, 1, dims=1))
    again = times(3 * x - torch.roll(x, 1, dims=1))
    assert torch.allclose(again, 3 * first - second, rtol=0, atol=1e-5)  # float32, sums of 64
    assert not torch.allclose(first, second, atol=0.1)


def test_overflow_comes_when_it_comes_in_the_run_on_screen():
    e = Experiment(width=64, depth=18, weights="fresh", scale=0.25, number_format="float16")
    sampled = sample_ensemble(e, 400).first_overflow
    _, runs = run_sizes(e, range(400))
    found = [run.events.first_nonfinite for run in runs]
    same_law(
        np.where(np.isnan(sampled), NEVER, sampled),
        np.array([NEVER if i is None else i for i in found]),
    )
    assert 8 < np.nanmedian(sampled) < 16


def test_all_zero_comes_when_it_comes_in_the_run_on_screen():
    # The ensemble does not round, so its last layer may differ by one or two.
    e = Experiment(width=64, depth=20, weights="fresh", scale=0.02, number_format="float16")
    sampled = np.median(sample_ensemble(e, 100).first_all_zero)
    _, runs = run_sizes(e, range(100))
    assert sampled == pytest.approx(np.median([run.events.all_zero for run in runs]), abs=1.5)


@pytest.mark.parametrize("rule", ["gaussian", "orthogonal"])
def test_equal_inputs_stay_equal_and_dead_inputs_stay_dead(rule):
    e = question(rule, 16, "linear", batch_size=4)
    x = torch.randn(50, 16, 4, generator=torch.Generator().manual_seed(1))
    x[:, :, 2], x[:, :, 3] = x[:, :, 0], 0
    h = one_product(e, x)
    # Rounding of the root of a singular matrix: √ε of float64 in h, about 1e-8, and float32's own.
    assert torch.allclose(h[:, :, 0], h[:, :, 2], rtol=0, atol=1e-5)
    assert h[:, :, 3].abs().max() < 1e-5
    # Where every input is zero, the product is exactly zero.
    assert torch.count_nonzero(one_product(e, torch.zeros_like(x))) == 0


def test_orthogonal_weights_keep_inner_products():
    e = Experiment(width=16, weights="fresh", init="orthogonal", batch_size=4)
    x = torch.randn(20, 16, 4, generator=torch.Generator().manual_seed(1))
    h = one_product(e, x).float()
    assert torch.allclose(h.mT @ h, x.mT @ x, atol=1e-4)  # float32 in sums of 16 terms


def test_gaussian_units_have_the_covariance_of_the_inputs():
    e = Experiment(width=4000, weights="fresh", init="lecun_normal", batch_size=3)
    x = torch.randn(1, 4000, 3, generator=torch.Generator().manual_seed(1))
    x[:, :, 1] = 0.5 * x[:, :, 0] + 0.1 * x[:, :, 1]
    h = one_product(e, x).float()
    # 4000 units: a standard error of √(2/4000) = 2.2 % at most, and four of them.
    assert torch.allclose(h.mT @ h / 4000, x.mT @ x / 4000, atol=0.09)


def test_the_same_seed_gives_the_same_numbers():
    e = Experiment(width=16, depth=5, weights="fresh", activation="tanh", bias_std=0.1)
    one, again, other = (sample_ensemble(e, 30, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(one.log2_rms, again.log2_rms) and np.array_equal(one.mean, again.mean)
    assert not np.intersect1d(one.log2_rms[:, -1], other.log2_rms[:, -1]).size
    assert len(np.unique(one.log2_rms[:, -1])) == 30


def test_streams_are_those_of_no_run():
    runs = {stream_seed(0, layer) for layer in range(2001)}
    assert stream_seed(0, 2**32) not in runs


@pytest.mark.parametrize("fields", [{}, {"weights": "tied"}, {"batch_size": 3}])
def test_every_column_has_a_row_for_each_network(fields):
    e = Experiment(**{"width": 8, "depth": 6, "weights": "fresh"} | fields)
    sampled = sample_ensemble(e, 11)
    for what in (*FIELDS, "mean", "zero", "log2_reach"):
        values = getattr(sampled, what)
        assert values.shape == (11, 7) and values.dtype == np.float64, what
    assert sampled.first_overflow.shape == sampled.first_all_zero.shape == (11,)


def test_one_number_has_no_std():
    sampled = sample_ensemble(Experiment(width=1, depth=3, weights="fresh"), 5)
    assert np.isnan(sampled.log2_std).all() and np.isfinite(sampled.log2_rms).all()


@pytest.mark.parametrize("init", ["normal", "orthogonal"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_bias_alone_is_what_is_left_of_tiny_weights(name, init):
    e = Experiment(
        width=400, depth=2, weights="fresh", init=init, scale=1e-9, activation=name, bias_std=0.7
    )
    sampled = sample_ensemble(e, 50).log2_rms[:, -1]
    h = 0.7 * torch.randn(10**6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = ACTIVATIONS[name](h).square().mean().log2().item() / 2
    # 20000 units; the square of one of these has a relative sd of at most 4.
    assert np.log2(np.mean(4.0**sampled)) / 2 == pytest.approx(expected, abs=0.08)


@pytest.mark.parametrize("weights", ["fresh", "tied"])
@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu", "gelu", "softplus", "abs"])
def test_nothing_overflows_at_depth_500(name, weights):
    e = Experiment(width=64, depth=500, weights=weights, activation=name)
    sampled = sample_ensemble(e, 5)
    # 3 octaves a product, or 2.5 where half of the square is lost: far beyond any format.
    assert np.isfinite(sampled.log2_rms).all() and (sampled.log2_rms[:, -1] > 1000).all()
    assert not np.isnan(sampled.log2_std).any() and not np.isnan(sampled.first_overflow).any()


@pytest.mark.parametrize("name", ["linear", "relu", "tanh", "gelu", "silu", "sin"])
def test_nothing_vanishes_at_depth_500(name):
    e = Experiment(width=64, depth=500, weights="fresh", activation=name, scale=1e-3)
    sampled = sample_ensemble(e, 5)
    assert np.isfinite(sampled.log2_rms).all() and (sampled.log2_rms[:, -1] < -2000).all()


def test_relu_squared_grows_by_its_own_power():
    h = ScaledNumbers(torch.full((1, 1, 1), 1.5), torch.tensor([1000.0], dtype=torch.float64))
    x = Scaled().apply(ACTIVATIONS["relu_squared"], h)
    assert x.numbers.log2().item() + x.power.item() == pytest.approx(2 * (1000 + np.log2(1.5)))


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_a_square_that_leaves_every_range_and_then_dies_is_no_nan(scale):
    e = Experiment(width=2, depth=30, weights="fresh", activation="relu_squared", scale=scale)
    sampled = sample_ensemble(e, 200)
    assert (sampled.zero[:, -1] == 1).all()  # 1 − (3/4)^30
    for size in (sampled.log2_rms, sampled.log2_max_abs, sampled.log2_reach, sampled.mean):
        assert not np.isnan(size).any()


def test_zero_weights_leave_nothing():
    sampled = sample_ensemble(Experiment(width=8, depth=3, weights="fresh", scale=0.0), 4)
    assert np.isneginf(sampled.log2_rms[:, 1:]).all()
    assert (sampled.first_all_zero == 0).all()


def test_relu_of_few_units_dies_as_often_as_it_should():
    e = Experiment(width=3, depth=10, weights="fresh", activation="relu")
    dead = np.isneginf(sample_ensemble(e, 2000).log2_rms)
    expected = 1 - (1 - 2.0**-3) ** np.arange(11)
    error = np.sqrt(expected * (1 - expected) / 2000)
    assert (abs(dead.mean(0) - expected) <= 4 * error).all()
    assert (sample_ensemble(e, 50).zero[:, 1:].mean() > 0.4).all()


# Fields of ReLU networks that die: every way in which an ensemble samples a product.
DYING = [
    {"weights": "fresh"},
    {"weights": "tied", "width": 4, "depth": 2, "scale": 0.5},
    {"weights": "tied"},
    {"weights": "fresh", "init": "orthogonal"},
    {"weights": "fresh", "init": "torch_linear"},
    {"weights": "fresh", "batch_size": 2},
    {"weights": "fresh", "batch_size": 2, "init": "orthogonal"},
    {"weights": "tied", "batch_size": 3},
    {"weights": "fresh", "activation": "relu6"},
    {"weights": "tied", "activation": "linear", "init": "zeros"},
    {"weights": "tied", "activation": "tanh", "scale": 0.0},
]


@pytest.mark.parametrize("number_format", ["float32", "float16", "float8_e4m3fn"])
@pytest.mark.parametrize("fields", DYING, ids=str)
def test_a_network_that_is_dead_stays_dead(fields, number_format):
    fields = {"width": 2, "depth": 10, "activation": "relu"} | fields
    e = Experiment(**fields, number_format=number_format)
    sampled = sample_ensemble(e, 100)
    dead = sampled.zero == 1
    assert dead[:, -1].any() and not dead[:, 0].any()
    assert (dead[:, 1:] >= dead[:, :-1]).all()
    for size in (sampled.log2_rms, sampled.log2_std, sampled.log2_max_abs, sampled.log2_reach):
        assert np.isneginf(size[:, 1:][dead[:, :-1]]).all()
    assert (np.isneginf(sampled.log2_rms) == dead).all() and (sampled.mean[dead] == 0).all()


def test_the_share_of_dead_networks_is_the_exact_one():
    e = Experiment(width=2, depth=10, weights="fresh", activation="relu")
    for sampled in (sample_ensemble(e, 4000), sample_ensemble(e.replace(scale=2.0), 4000).at(e)):
        dead = (sampled.zero == 1).mean(0)
        expected = 1 - (3 / 4) ** np.arange(11)  # a layer dies where both units are negative
        error = np.sqrt(expected * (1 - expected) / 4000)
        assert (abs(dead - expected) <= 4 * error).all()
        # A network that is alive has one or two positive units, with 2/3 and 1/3.
        zero = expected + (1 - expected) / 3 * (np.arange(11) > 0)
        assert sampled.zero.mean(0) == pytest.approx(zero, abs=4 * 0.5 / 4000**0.5)


def test_tied_networks_die_as_often_as_runs_do():
    e = Experiment(width=3, depth=10, weights="tied", activation="relu")
    sampled = (sample_ensemble(e, 1500).zero[:, -1] == 1).mean()
    runs = [propagate(e.replace(seed=seed)).stats.zero[-1] == 1 for seed in range(1500)]
    assert sampled == pytest.approx(np.mean(runs), abs=4 * (0.5 / 1500) ** 0.5)


def test_units_that_a_sparse_matrix_does_not_feed_are_zero():
    e = Experiment(width=20, depth=6, weights="fresh", init="sparse")
    sampled = sample_ensemble(e, 200).zero[:, -1]
    runs = [propagate(e.replace(seed=seed)).stats.zero[-1] for seed in range(200)]
    assert np.mean(runs) > 0.1
    error = 4 * np.hypot(np.std(runs), np.std(sampled)) / 200**0.5
    assert sampled.mean() == pytest.approx(np.mean(runs), abs=error)
    assert (sample_ensemble(e.replace(bias_std=0.1), 20).zero == 0).all()


def test_an_input_that_is_zero_stays_zero_beside_others():
    e = Experiment(width=8, depth=1, weights="fresh", batch_size=3)
    x = torch.randn(5, 8, 3, generator=torch.Generator().manual_seed(1))
    x[:, :, 1] = 0
    for init in ("normal", "orthogonal"):
        h = one_product(e.replace(init=init), x)
        assert (h[:, :, 1] == 0).all() and (h[:, :, [0, 2]] != 0).all()


def test_at_scale_0_only_the_input_is_left():
    e = Experiment(width=4, depth=3, weights="fresh")
    sampled = sample_ensemble(e, 3).at(e.replace(scale=0.0))
    assert (sampled.zero == [0, 1, 1, 1]).all()


def test_a_format_without_infinity_never_overflows():
    e = Experiment(width=16, depth=20, weights="fresh", number_format="float8_e4m3fn")
    assert np.isnan(sample_ensemble(e, 5).first_overflow).all()


@pytest.mark.parametrize("size", [0, -1, 2.0, True, None])
def test_the_size_of_an_ensemble_is_a_whole_number(size):
    with pytest.raises(ValueError, match=f"ensemble_size must be .* at least 1, got {size}"):
        sample_ensemble(Experiment(width=4, depth=2, weights="fresh"), size)


@pytest.mark.parametrize("seed", [-1, 0.5, True, "1", None])
def test_the_seed_of_an_ensemble_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=f"seed must be .* at least 0, got {seed!r}"):
        sample_ensemble(Experiment(width=4, depth=2, weights="fresh"), 2, seed=seed)


def test_numpys_whole_numbers_do_as_well():
    e = Experiment(width=4, depth=2, weights="fresh")
    one, other = sample_ensemble(e, np.int64(3), seed=np.uint8(5)), sample_ensemble(e, 3, seed=5)
    assert np.array_equal(one.log2_rms, other.log2_rms)


@pytest.mark.parametrize("weights", ["fresh", "tied"])
def test_an_ensemble_beyond_the_hosts_limit_is_refused(monkeypatch, weights):
    e = Experiment(width=64, depth=10, weights=weights)
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e6")
    with pytest.raises(
        WorkLimitError, match=r"100 networks .* lower width, depth or ensemble_size"
    ):
        sample_ensemble(e, 100)
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e9")
    assert sample_ensemble(e, 2).log2_rms.shape == (2, 11)
