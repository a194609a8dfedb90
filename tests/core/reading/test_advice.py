"""The advice on an activation: every number of its sentence comes true in the length map."""

import re

import numpy as np
import pytest

from core import ACTIVATIONS
from core.reading.advice import advice
from core.theory import mean_field as mf

EACH = pytest.mark.parametrize("name", ACTIVATIONS)
NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
RMS = re.compile(rf"it has an rms of {NUMBER}")
EDGE = re.compile(
    rf"σ_w = {NUMBER}, with biases of std σ_b = {NUMBER} hold it, at an rms of {NUMBER} after "
)


def followed(name, sigma_w, sigma_b, depth):
    """The rms of x at every layer by the length map, from an input of N(0, 1)."""
    q, sizes = sigma_w**2 + sigma_b**2, [1.0]
    for _ in range(depth):
        sizes.append(mf.second_moment(name, q) ** 0.5 if np.isfinite(q) and q < 1e12 else np.inf)
        q = mf.length_map(name, q, sigma_w, sigma_b) if sizes[-1] < 1e6 else np.inf
    return np.array(sizes)


@EACH
@pytest.mark.parametrize("depth", [1, 2, 10, 100])
def test_what_gain_over_root_n_does_is_what_the_length_map_does(name, depth):
    found = advice(name, depth)
    sizes = followed(name, mf.gain(name), 0.0, depth)
    # 1 % a hundred layers: the table of moments is interpolated.
    if np.isfinite(sizes[-1]) and sizes[-1] > 1e-300:
        assert 2**found.log2_rms == pytest.approx(sizes[-1], rel=0.01)
        assert (
            2**found.log2_rms / 2 ** advice(name, depth - 1).log2_rms
            == pytest.approx(found.per_layer, rel=1e-6)
            if depth > 1
            else True
        )
    told = RMS.search(found.sentence)
    if told:
        assert float(told[1]) == pytest.approx(2**found.log2_rms, rel=0.006)  # three digits
        assert f"after {depth} layer{'s' * (depth > 1)}" in found.sentence
    elif "every signal" in found.sentence:
        assert sizes == pytest.approx(np.ones(depth + 1), rel=1e-9)
    else:
        assert name == "relu_squared" and "0 in every number format" in found.sentence


@EACH
@pytest.mark.parametrize("depth", [1, 5, 100])
def test_the_words_fit_the_numbers(name, depth):
    told = advice(name, depth).sentence
    last = followed(name, mf.gain(name), 0.0, 1000)[-1]
    assert ("signal grow:" in told) == (last > 16)
    assert ("signal shrink:" in told) == (last < 1 / 16)
    holds = "hold a unit signal" in told or "keep the rms of every signal" in told
    assert holds == (1 / 16 <= last <= 16)


@EACH
def test_the_edge_that_it_names_holds_the_signal(name):
    found = advice(name, 100)
    told = EDGE.search(found.sentence)
    if found.sigma_w is None:
        assert "No σ_w and σ_b on the edge of chaos hold it." in found.sentence
        for q in np.logspace(-2, 3, 60):  # and there is none
            sigma_w, sigma_b = mf.edge_curve(name, q)
            slope = sigma_w**2 * mf.second_moment_slope(name, q)
            assert np.isnan(sigma_w) or slope > 0.99
        return
    assert found.sigma_w**2 * mf.derivative_second_moment(name, _fixed(name, found)) == (
        pytest.approx(1, rel=1e-9)
    )
    sizes = followed(name, found.sigma_w, found.sigma_b, 2000)
    assert found.held_rms == pytest.approx(sizes[100], rel=0.01)
    assert (np.abs(np.log2(sizes)) < 4).all()  # within 1/16 … 16, and at any depth
    assert bool(told) == (not ACTIVATIONS[name].positively_homogeneous)
    if told:
        sigma_w, sigma_b, rms = map(float, told.groups())
        # 5 %: σ_w with four digits moves a weakly stable fixed point by a hundred times as much.
        assert followed(name, sigma_w, sigma_b, 100)[-1] == pytest.approx(rms, rel=0.05)


def _fixed(name, found):
    """The fixed point that the signal settles at."""
    if ACTIVATIONS[name].positively_homogeneous:
        return 1.0
    return mf.fixed_point(name, found.sigma_w, found.sigma_b)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "relu_squared"])
def test_where_q_1_tips_no_gain_holds_a_signal_for_long(name):
    for sigma_w in np.geomspace(0.5, 4, 33):
        last = followed(name, sigma_w, 0.0, 1000)[-1]
        assert last > 16 or last < 1 / 16


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="phi must be"):
        advice("ReLU", 10)
