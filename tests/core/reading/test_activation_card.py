"""The card of an activation, against torch.nn.init and plain sums over normal numbers."""

import numpy as np
import pytest
import torch

from core import ACTIVATIONS
from core.reading.activation_card import gain_card
from core.theory import mean_field as mf

CARDS = {name: gain_card(name) for name in ACTIVATIONS}
KNOWN = ("linear", "relu", "leaky_relu", "tanh", "sigmoid", "selu")
Z = np.linspace(-12, 12, 200_001)  # odd, so that the kink at zero is a point of the sum
DENSITY = np.exp(-Z * Z / 2) / np.sqrt(2 * np.pi)


def expected(function):
    """E[f(z)] by the trapezoid rule."""
    return np.trapezoid(function(torch.from_numpy(Z)).numpy() * DENSITY, Z)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_moments_and_gain_are_what_sums_over_normal_numbers_give(name):
    phi, card = ACTIVATIONS[name], CARDS[name]
    # 1e-4: the rule is off by half a step, 6e-5, where a derivative jumps.
    assert card.second_moment == pytest.approx(expected(lambda z: phi(z) ** 2), rel=1e-6)
    slope = expected(lambda z: phi.derivative(z) ** 2)
    assert card.derivative_second_moment == pytest.approx(slope, rel=2e-4)
    assert card.gain == pytest.approx(card.second_moment**-0.5, rel=1e-9)
    assert card.chi_1 == pytest.approx(card.gain**2 * slope, rel=2e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_pytorchs_gain_is_there_exactly_where_pytorch_has_one(name):
    card = CARDS[name]
    if name not in KNOWN:
        with pytest.raises(ValueError, match="Unsupported nonlinearity"):
            torch.nn.init.calculate_gain(name)
        assert (card.torch_gain, card.torch_q, card.torch_chi_1) == (None, None, None)
        assert f"knows no {name}" in card.sentence
        return
    param = 0.01 if name == "leaky_relu" else None
    assert card.torch_gain == torch.nn.init.calculate_gain(name, param)


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu"])
def test_equal_gains_say_so(name):
    card = CARDS[name]
    assert card.torch_gain == pytest.approx(card.gain, rel=1e-12)
    assert "says the same" in card.sentence and card.chi_1 == pytest.approx(1, abs=1e-12)
    assert card.returns is None


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "selu"])
def test_different_gains_say_where_the_signal_settles_and_on_which_side(name):
    card = CARDS[name]
    q, gain = card.torch_q, card.torch_gain
    assert mf.length_map(name, q, gain, 0.0) == pytest.approx(q, rel=1e-8)
    at_q = gain**2 * mf.derivative_second_moment(name, q)
    assert card.torch_chi_1 == pytest.approx(at_q, rel=1e-8)
    assert f"{q:.3g} instead of 1" in card.sentence
    assert ("smaller" in card.sentence) == (q < 1)


def test_pytorchs_tanh_is_chaotic_its_selu_shrinks_and_its_sigmoid_is_ordered():
    assert CARDS["tanh"].torch_gain == 5 / 3 and CARDS["tanh"].torch_chi_1 > 1.1
    assert "chaotic" in CARDS["tanh"].sentence
    assert CARDS["selu"].torch_gain == 0.75 and CARDS["selu"].gain == pytest.approx(1, abs=1e-6)
    assert CARDS["selu"].torch_q < 0.1
    assert CARDS["sigmoid"].torch_gain == 1 and "ordered" in CARDS["sigmoid"].sentence


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_unstable_size_is_said(name):
    card = CARDS[name]
    moved = mf.length_map(name, 1.1, card.gain, 0.0)
    if card.returns is None:
        assert moved == pytest.approx(1.1, rel=1e-9)
    else:
        assert card.returns == (moved < 1.1)
    assert ("No gain holds" in card.sentence) == (card.returns is False)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match="phi must be"):
        gain_card("ReLU")
