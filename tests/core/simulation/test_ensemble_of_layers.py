"""Ensembles of layers with skips, norms and two matrices have the law of real networks."""

import itertools

import numpy as np
import pytest

from core import Experiment, backpropagate, sample_ensemble
from core.layer.branches import BRANCHES
from core.layer.inputs import INPUTS

BASE = Experiment(
    width=48,
    depth=4,
    init="lecun_normal",
    activation="gelu",
    weights="fresh",
    bias_std=0.2,
    expansion=2,
    branch_scale=0.7,
)
PARTS = [
    {"branch": branch, "skip": skip, "norm": norm, "norm_place": place}
    for branch, skip, (norm, place) in itertools.product(
        BRANCHES,
        ("none", "identity"),
        [("none", "before"), ("layer", "before"), ("rms", "inside"), ("batch", "inside")],
    )
]
REAL, SAMPLED = 60, 300


def mean_error(sampled, real):
    """The largest difference of means over layers, in standard errors."""
    error = np.sqrt(sampled.var(0) / len(sampled) + real.var(0) / len(real))
    # A norm leaves no spread: there, a part in a thousand of rounding and of ε.
    return (np.abs(sampled.mean(0) - real.mean(0)) / (error + 3e-4)).max()


def check(e, *, exact):
    sampled = sample_ensemble(e, SAMPLED, backward=True)
    assert sampled.exact_in_law == exact
    runs = [backpropagate(e.replace(seed=seed)) for seed in range(REAL)]
    there = np.array([run.run.stats.log2_rms for run in runs])
    back = np.array([run.stats.log2_rms for run in runs])
    weights = np.array([run.weights.log2_rms[1:] for run in runs])
    # 27 experiments of some 15 means, of skewed laws: 5 standard errors.
    assert mean_error(sampled.log2_rms, there) < 5
    assert mean_error(sample_ensemble(e, SAMPLED).log2_rms, there) < 5
    assert mean_error(sampled.log2_gradient_rms, back) < 5
    assert mean_error(sampled.log2_weight_gradient_rms[:, 1:], weights) < 5


@pytest.mark.parametrize("changes", PARTS, ids=lambda c: " ".join(c.values()))
def test_fresh_gaussian_weights_are_exact_in_law_with_every_operation(changes):
    check(BASE.replace(batch_size=6 if changes["norm"] == "batch" else 1, **changes), exact=True)


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_enters_an_ensemble(name):
    check(BASE.replace(input=name, input_scale=0.5, batch_size=2, skip="identity"), exact=True)


@pytest.mark.parametrize("init", ["orthogonal", "truncated_normal", "lsuv"])
@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_matrices_that_are_not_square_are_drawn_where_no_law_is_known(init, weights):
    e = BASE.replace(
        init=init, weights=weights, branch="mlp", skip="identity", norm="rms", width=16
    )
    check(e, exact=False)


def test_a_stream_beyond_every_number_format_has_a_size():
    e = BASE.replace(depth=600, skip="identity", branch="mlp", scale=30.0, bias_std=0.0)
    sampled = sample_ensemble(e, 4, backward=True)
    steps = np.diff(sampled.log2_rms, axis=1)
    assert np.isfinite(sampled.log2_rms).all() and np.isfinite(sampled.log2_gradient_rms).all()
    assert sampled.log2_rms[:, -1].min() > 2000 and steps[:, 100:].std() < 1
    assert (sampled.first_overflow > 0).all()


def test_an_ensemble_overflows_where_the_runs_do():
    e = BASE.replace(depth=40, skip="identity", branch="mlp", scale=3.0, number_format="float16")
    sampled = sample_ensemble(e, 200).first_overflow
    found = [backpropagate(e.replace(seed=seed)).run.events.first_nonfinite for seed in range(40)]
    assert np.median(sampled) == pytest.approx(np.median(found), abs=1)


def test_a_dead_signal_behind_a_norm_has_a_gradient():
    """Zeros times a growing power of two are zeros still."""
    e = BASE.replace(width=8, depth=7, init="critical", activation="relu_squared", batch_size=3)
    e = e.replace(bias_std=0.0, input_scale=0.0, norm="rms", norm_place="after", scale=1e6)
    sampled = sample_ensemble(e.replace(branch="mlp"), 5, backward=True)
    assert np.isneginf(sampled.log2_rms).all()
    assert np.isneginf(sampled.log2_gradient_rms[:, :-1]).all()
