"""The joint law of x at the output and δ at the input: published values, and sampled networks."""

from __future__ import annotations

import numpy as np
import pytest

from core.question.experiment import Experiment
from core.reading.gradient_notes import together
from core.simulation.ensemble import sample_ensemble
from core.theory.finite_width import predict
from core.theory.joint_law import joint_law

NETWORKS = 40_000
FRESH = Experiment(width=32, depth=20, init="xavier_normal", weights="fresh")


@pytest.mark.parametrize(
    ("activation", "depth", "expected"),
    [("linear", 20, 0.21), ("relu", 20, 0.48), ("linear", 100, 0.53), ("relu", 100, 0.77)],
)
def test_signal_and_gradient_are_large_together(
    activation: str, depth: int, expected: float
) -> None:
    """The standard error is at most 0.005, and the values have two digits."""
    law = joint_law(FRESH.replace(activation=activation, depth=depth, scale=1.3), NETWORKS)
    assert law is not None
    assert law.correlation == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    "e",
    [
        FRESH.replace(loss_scale=64.0),
        FRESH.replace(activation="relu", init="kaiming_normal"),
        FRESH.replace(activation="abs", width=8),
        FRESH.replace(activation="relu", init="orthogonal", width=16),
        FRESH.replace(activation="relu", init="kaiming_normal", width=4, depth=5),
        FRESH.replace(width=1, depth=3),
    ],
    ids=lambda e: f"{e.activation}-{e.init}-{e.width}",
)
def test_as_in_networks_that_are_sampled_whole(e: Experiment) -> None:
    """Both marginal laws by their quantiles, and the correlation, within 4.5 standard errors."""
    law, many = joint_law(e, NETWORKS), sample_ensemble(e, 4000, backward=True)
    assert law is not None
    assert many.log2_gradient_rms is not None
    x, gradient = many.log2_rms[:, -1], many.log2_gradient_rms[:, 0]
    alive = np.isfinite(x) & np.isfinite(gradient)
    share = len(law.log2_rms) / NETWORKS
    error = np.sqrt(share * (1 - share) / len(x))
    assert alive.mean() == pytest.approx(share, abs=4.5 * error + 1e-12)
    for known, seen in ((law.log2_rms, x[alive]), (law.log2_gradient_rms, gradient[alive])):
        for level in (0.05, 0.5, 0.95):
            below = float(np.mean(seen <= np.quantile(known, level)))
            error = np.sqrt(level * (1 - level) * (1 / len(seen) + 1 / len(known)))
            assert below == pytest.approx(level, abs=4.5 * error)
    found = np.corrcoef(x[alive], gradient[alive])[0, 1]
    error = (1 - found**2) * np.sqrt(1 / alive.sum() + 1 / len(law.log2_rms))
    assert law.correlation == pytest.approx(found, abs=4.5 * error * 1.5)  # tails are not normal


def test_its_margins_are_those_of_the_prediction() -> None:
    e = FRESH.replace(activation="relu", depth=40, loss_scale=0.25)
    law, predicted = joint_law(e, NETWORKS), predict(e)
    assert law is not None
    for sizes, quantiles in (
        (law.log2_rms, [q[-1] for q in predicted.log2_rms_quantiles.values()]),
        (law.log2_gradient_rms, [q[0] for q in predicted.log2_gradient_rms_quantiles.values()]),
    ):
        levels = np.array(list(predicted.log2_rms_quantiles))
        below = np.array([np.mean(sizes <= q) for q in quantiles])
        assert np.all(np.abs(below - levels) < 4.5 * np.sqrt(levels * (1 - levels) / NETWORKS))


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "tanh"},
        {"activation": "leaky_relu"},
        {"weights": "tied"},
        {"batch_size": 2},
        {"bias_std": 0.1},
        {"scale": 0.0},
    ],
    ids=str,
)
def test_none_where_none_is_known(changes: dict[str, object]) -> None:
    assert joint_law(FRESH.replace(**changes)) is None
    assert together(FRESH.replace(**changes)) == ""


def test_an_orthogonal_matrix_passes_no_size_on() -> None:
    """Without φ, the sizes at the two ends are those of the two normal vectors drawn there."""
    law = joint_law(FRESH.replace(init="orthogonal"), NETWORKS)
    assert law is not None
    assert abs(law.correlation) < 0.02
    assert "hardly depend" in together(FRESH.replace(init="orthogonal"))


def test_one_network_has_no_correlation_and_dead_ones_have_none() -> None:
    dying = FRESH.replace(activation="relu", width=1, depth=60)
    for law in (joint_law(FRESH, 1), joint_law(dying)):
        assert law is not None
        assert np.isnan(law.correlation)
    assert together(dying) == ""


def test_in_words() -> None:
    words = together(FRESH.replace(activation="relu", init="kaiming_normal"))
    assert "0.47" in words or "0.48" in words
