"""The card of an activation, against torch.nn.init and plain sums over normal numbers."""

import numpy as np
import pytest
import torch

from core import ACTIVATIONS
from core.reading.activation_card import gain_card, torch_gain, variance_gain
from core.reading.nf_gains import NF_GAINS, sampled_gain, sampling_error
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


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_variance_gain_is_one_over_the_std_of_phi(name):
    phi, card = ACTIVATIONS[name], CARDS[name]
    mean = expected(phi)
    variance = expected(lambda z: (phi(z) - mean) ** 2)
    # 1e-5: the trapezoid rule's, on functions with kinks.
    assert card.variance_gain == pytest.approx(variance**-0.5, rel=1e-5)
    assert card.variance_gain >= card.gain * (1 - 1e-12)
    assert ("The mean of φ(z) is zero" in card.which) == (abs(mean) < 1e-9)


def test_known_variance_gains():
    assert variance_gain("relu") == pytest.approx((2 / (1 - 1 / np.pi)) ** 0.5, rel=1e-12)
    assert variance_gain("selu") == pytest.approx(1, abs=1e-9)  # self-normalising: mean 0, std 1
    exact = {"silu": 1.78719, "gelu": 1.70093, "tanh": 1.59254, "sigmoid": 4.80131}
    exact |= {"softplus": 1.91913, "softsign": 2.33753, "elu": 1.27084}
    for name, value in exact.items():
        assert variance_gain(name) == pytest.approx(value, abs=5.1e-6)  # the last digit given
    assert variance_gain("1000+x*0.001") == pytest.approx(1000, rel=1e-9)  # 1 beside a mean of 1e6


def test_with_the_variance_gain_a_wide_layer_of_independent_weights_gains_what_the_card_says():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(4096, 64, generator=generator)
    for name in ("relu", "elu"):
        phi, card = ACTIVATIONS[name], CARDS[name]
        a = torch.randn(4096, 4096, generator=generator) * (card.variance_gain / 64)
        square = (a @ phi(z)).square().mean().item()
        said = (card.variance_gain / card.gain) ** 2
        assert f"into {said:.3g}" in card.which
        assert square == pytest.approx(said, rel=0.02)  # 4096 columns share z: error 0.5 %
        a -= a.mean(1, keepdim=True)  # rows that add up to zero
        assert (a @ phi(z)).square().mean().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("name", NF_GAINS)
def test_the_public_constants_of_nf_nets_are_ours_within_their_recipes_error(name):
    phi, card = ACTIVATIONS[name], CARDS[name]
    error = sampling_error(phi)
    many = [sampled_gain(phi, generator=torch.Generator().manual_seed(s)) for s in range(24)]
    off = np.array(many) / card.variance_gain - 1
    # 256 numbers a row, divided by 256: 1/512 too large; 4 errors of a mean of 24.
    assert off.mean() == pytest.approx(1 / 512, abs=4 * error / 24**0.5)
    assert off.std() == pytest.approx(error, rel=0.6)  # 4 errors of a std of 24
    assert card.nf_gain == NF_GAINS[name]
    if name == "linear":
        return
    printed = NF_GAINS[name] / card.variance_gain - 1
    assert abs(printed) < 1e-3  # each of them is within a thousandth
    assert abs(printed - 1 / 512) < 3 * error
    assert f"{printed * 100:.2f} % more" in card.which


def test_one_function_has_two_public_constants():
    z = torch.linspace(-9, 9, 1001)
    assert torch.equal(ACTIVATIONS["celu"](z), ACTIVATIONS["elu"](z))
    assert NF_GAINS["celu"] != NF_GAINS["elu"]
    apart = NF_GAINS["elu"] / NF_GAINS["celu"] - 1
    assert apart < 2**0.5 * sampling_error(ACTIVATIONS["elu"])


@pytest.mark.parametrize("slope", [0.2, 0.5, 1.5])
def test_pytorch_has_a_gain_for_every_slope(slope):
    name = f"leaky_relu({slope})"
    assert torch_gain(name) == torch.nn.init.calculate_gain("leaky_relu", slope)
    assert "says the same" in gain_card(name).sentence
    assert torch_gain(f"prelu({slope})") is None


def test_the_card_of_a_formula():
    card = gain_card("x*sigmoid(1.702*x)")
    z = torch.from_numpy(Z)
    values = (z * torch.sigmoid(1.702 * z)).numpy()
    square = np.trapezoid(values**2 * DENSITY, Z)
    assert card.gain == pytest.approx(square**-0.5, rel=1e-9)
    assert card.nf_gain is None and card.torch_gain is None


def test_a_small_mean_is_called_small():
    assert "almost zero" in gain_card("max(x-6,0)").which
    assert "almost the same" in gain_card("abs(x)-0.8").which
    assert "is zero: 1/std" in gain_card("sin(x)+tanh(x)").which
