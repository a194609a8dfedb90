"""The mean square of a gradient through residual layers: against sampled networks and real ones."""

import numpy as np
import pytest

from core import Experiment, sample_ensemble
from core.simulation.backward import backpropagate
from core.simulation.propagate import propagate
from core.theory.residual_gradient import mean_square_gradient

E = Experiment(
    width=128, depth=20, weights="fresh", init="critical", activation="relu", skip="identity"
)


def log2_root_mean_square(octaves):
    """log2 √(mean of squares over networks) at every layer, and its standard error."""
    largest = octaves.max(0)
    squares = 4.0 ** (octaves - largest)
    error = squares.std(0) / squares.mean(0) / len(squares) ** 0.5 / 2 / np.log(2)
    return np.log2(squares.mean(0)) / 2 + largest, error


@pytest.mark.parametrize(
    "changes",
    [
        {"branch_scale": 0.3, "depth": 30},
        {"bias_std": 0.3},
        {"activation": "gelu"},
        {"activation": "sigmoid", "scale": 4.0, "branch_scale": 0.5},
        {"activation": "tanh", "bias_std": 0.3, "branch_scale": 0.5},
        {"activation": "selu", "bias_std": 0.1, "branch_scale": 0.5},
        {"width": 512, "depth": 100, "branch_scale": 0.1},
        {"width": 512, "depth": 100, "branch_scale": 200**-0.5},
    ],
)
def test_it_is_that_of_sampled_networks(changes):
    e = E.replace(**changes)
    networks = sample_ensemble(e, 400 if e.depth == 100 else 3000, backward=True)
    found, error = log2_root_mean_square(networks.log2_gradient_rms)
    # Four standard errors, and O(1/n) of every layer.
    assert (abs(mean_square_gradient(e).log2_rms - found) < 4 * error + 0.02).all()


def test_a_hundred_full_branches_of_512_units_are_23_octaves_above_infinite_width():
    law = mean_square_gradient(E.replace(width=512, depth=100))
    assert law.log2_rms_wide[0] == pytest.approx(50, abs=1e-9)  # factors of 1 + 1
    assert law.log2_rms[0] == pytest.approx(73.0, abs=0.06)
    assert law.least_width[0] > 2**50


@pytest.mark.parametrize("factor", [1.0, 0.1, 200**-0.5])
def test_real_matrices_have_it(factor):
    e = E.replace(depth=30, branch_scale=factor, number_format="float64")
    runs = (propagate(e.replace(seed=seed)) for seed in range(300))
    gradients = np.array([backpropagate(run.experiment).stats.log2_rms for run in runs])
    found, error = log2_root_mean_square(gradients)
    assert (abs(mean_square_gradient(e).log2_rms - found) < 4 * error + 0.02).all()


def test_wide_networks_have_the_factors_of_infinite_width():
    e = E.replace(width=16384, depth=50, branch_scale=0.1)
    law = mean_square_gradient(e)
    assert law.least_width[0] < 1000
    assert abs(law.octaves_off).max() < 0.01
    assert np.allclose(law.log2_rms_wide, np.log2(1 + 0.01) / 2 * np.arange(50, -1, -1))


@pytest.mark.parametrize("changes", [{"branch": "mlp"}, {"skip": "none"}, {"norm": "rms"}])
def test_another_layer_is_refused(changes):
    with pytest.raises(ValueError, match="must have branch product, a skip and no norm"):
        mean_square_gradient(E.replace(**changes))
