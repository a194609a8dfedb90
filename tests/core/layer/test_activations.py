import math

import mpmath
import pytest
import torch

from core import ACTIVATIONS
from core.layer.activations import leaky_relu
from core.maths.quadrature import _rule, gaussian_expectation

BOTH_SIDES = torch.linspace(-7.3, 7.1, 401, dtype=torch.float64)
EACH = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())

# E[φ(z)²] for z ~ N(0, 1), where a closed form is known.
CLOSED_FORMS = {
    "linear": 1.0,
    "relu": 0.5,
    "leaky_relu": (1 + 0.01**2) / 2,
    "abs": 1.0,
    "relu_squared": 1.5,
    "erf": 2 / math.pi * math.asin(2 / 3),
    "gelu": 0.25 + math.asin(0.5) / (2 * math.pi) + 1 / (2 * math.pi * math.sqrt(3)),
    "sin": (1 - math.exp(-2)) / 2,
    "hardtanh": 1 - math.sqrt(2 / math.pi) * math.exp(-0.5),
    "selu": 1.0,
}


@EACH
def test_derivative_agrees_with_autograd(activation):
    x = BOTH_SIDES.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(activation(x).sum(), x)
    # Two float64 formulas of one function differ by a few units in the last place of O(1) numbers.
    torch.testing.assert_close(activation.derivative(x.detach()), gradient, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "name, theirs",
    [
        ("relu", torch.relu),
        ("leaky_relu", torch.nn.functional.leaky_relu),
        ("elu", torch.nn.functional.elu),
        ("abs", torch.abs),
    ],
)
def test_derivative_at_the_kink_is_that_of_torchs_own_function(name, theirs):
    x = torch.zeros(1, requires_grad=True)
    (gradient,) = torch.autograd.grad(theirs(x).sum(), x)
    assert ACTIVATIONS[name].derivative(x.detach()).item() == pytest.approx(gradient.item())


@EACH
def test_code_is_the_function_to_the_last_bit(activation):
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        x = BOTH_SIDES.to(dtype)
        assert torch.equal(eval(activation.code, {"torch": torch, "x": x}), activation(x))


@EACH
def test_entry_is_complete(activation):
    assert ACTIVATIONS[activation.name] is activation
    assert activation.formula and activation.reference
    x = torch.randn(3, 5, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    assert activation(x).shape == x.shape and activation(x).dtype == x.dtype
    assert activation.derivative(x).dtype == x.dtype


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_gain_agrees_with_the_closed_form(name):
    assert ACTIVATIONS[name].gain == pytest.approx(CLOSED_FORMS[name] ** -0.5, rel=1e-9)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "silu", "softplus", "elu"])
def test_gain_agrees_with_an_independent_quadrature(name):
    functions = {
        "tanh": mpmath.tanh,
        "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
        "silu": lambda z: z / (1 + mpmath.exp(-z)),
        "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
        "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    }
    moment = mpmath.quad(lambda z: functions[name](z) ** 2 * mpmath.npdf(z), [-12, -4, 0, 4, 12])
    # float64 quadrature against 15 digits: the density beyond |z| = 12 is 1e-33.
    assert ACTIVATIONS[name].gain == pytest.approx(float(moment) ** -0.5, rel=1e-9)


def test_leaky_relu_can_be_made_with_any_slope():
    x = torch.tensor([-2.0, 3.0])
    assert leaky_relu(0.25)(x).tolist() == [-0.5, 3.0]
    assert leaky_relu(0.0).gain == pytest.approx(2**0.5)


def test_a_gain_first_asked_for_in_inference_mode_leaves_autograd_alone():
    _rule.cache_clear()
    with torch.inference_mode():
        gaussian_expectation(torch.tanh)
    slope = torch.ones((), dtype=torch.float64, requires_grad=True)
    z, weights = _rule((0.0,))
    (weights * torch.tanh(slope * z) ** 2).sum().backward()
    assert slope.grad is not None


@EACH
def test_positively_homogeneous_is_said_of_exactly_those_that_are(activation):
    # A power of two changes no mantissa, so equality is exact, for torch's leaky ReLU too.
    scaled = [activation(BOTH_SIDES * 2.0**octave) for octave in (-3, 1, 5)]
    shifted = [activation(BOTH_SIDES) * 2.0**octave for octave in (-3, 1, 5)]
    agree = all(torch.equal(a, b) for a, b in zip(scaled, shifted, strict=True))
    assert agree == activation.positively_homogeneous
