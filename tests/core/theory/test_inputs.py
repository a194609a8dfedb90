import numpy as np
import pytest

from core import ACTIVATIONS, Experiment, mean_field, propagate
from core.layer.operation import Moments
from core.theory.inputs import cosine_of_inputs

WIDE = Experiment(width=2048, depth=6, weights="fresh", batch_size=8)


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "relu", "init": "kaiming_normal"},
        {"activation": "tanh", "init": "xavier_normal", "bias_std": 0.3},
        {"activation": "gelu", "init": "xavier_uniform", "scale": 1.5},
    ],
)
def test_measured_inputs_become_as_alike_as_theory_says(changes):
    e = WIDE.replace(**changes)
    measured = propagate(e).stats.cosine_of_inputs
    # A cosine of two of n numbers scatters by 1/√n; 28 pairs and six layers: five of these.
    assert measured == pytest.approx(cosine_of_inputs(e), abs=5 / np.sqrt(2048))


def test_it_is_the_correlation_map_for_the_activations():
    e = WIDE.replace(activation="relu", init="kaiming_normal")
    pre = 0.0
    for layer in range(1, 5):
        cosine = cosine_of_inputs(e)[layer]
        assert cosine == pytest.approx(mean_field.correlation_map("relu", pre, np.sqrt(2), 0.0))
        pre = cosine  # without a bias, a product keeps the cosine


def test_a_linear_network_keeps_the_angle_and_a_bias_closes_it():
    assert cosine_of_inputs(WIDE).tolist() == [0.0] * 7
    e = WIDE.replace(bias_std=1.0, scale=1 / 2048**0.5)
    assert cosine_of_inputs(e) == pytest.approx([k / (k + 1) for k in range(7)])


def test_it_is_unknown_without_a_signal_or_a_law():
    assert np.isnan(cosine_of_inputs(WIDE.replace(scale=0.0))[1:]).all()
    assert np.isnan(cosine_of_inputs(WIDE.replace(init="identity"))[1:]).all()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_the_sum_over_hermite_polynomials_is_the_integral(name):
    """Against two-dimensional quadrature; kinks away from zero cost the fourth digit."""
    e = WIDE.replace(activation=name, init="critical", bias_std=0.3, depth=4)
    now, found = Moments(square=1.0, cross=0.0), [0.0]
    for _ in range(4):
        now = e.layer.moments(now)
        found.append(float(now.cross) / float(now.square))
    assert cosine_of_inputs(e) == pytest.approx(found, abs=3e-4)


def test_a_deep_network_is_computed_to_its_end():
    e = WIDE.replace(activation="hardtanh", init="xavier_normal", bias_std=0.5, depth=2000)
    cosine = cosine_of_inputs(e)
    assert len(cosine) == 2001 and np.isfinite(cosine).all() and np.ptp(cosine[100:]) < 1e-8
    creeps = cosine_of_inputs(e.replace(activation="relu", init="kaiming_normal", bias_std=0.0))
    assert (np.diff(creeps) >= 0).all() and 0.9999 < creeps[-1] < 1
