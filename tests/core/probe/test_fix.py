"""The factors of a report, against an LSUV written here, and what they make of a model."""

import copy

import pytest
import torch
from torch import nn

from core.probe.check import check
from core.probe.fitting import TOLERANCE
from core.specimens.transformers import GPT

from .models import Call, mlp, normal, randn, residual

_X = randn(64, 64)
BROKEN = {
    "relu": lambda: normal(mlp(30)),
    "tanh": lambda: normal(mlp(30, phi=nn.Tanh)),
    "default": lambda: torch.manual_seed(0) and mlp(40),
    "tiny": lambda: normal(mlp(30), 0.1),
    "residual": lambda: residual(16, 64),
}


def rms(y):
    return y.double().square().mean().sqrt().item()


def lsuv(layers, y, end=1.0):
    """Multiply each matrix until its output has variance 1, the last one of them until end²."""
    factors, last = [], layers[-1]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            wanted, total = end if layer is last else 1.0, 1.0
            for _ in range(10):
                ratio = rms(layer(y)) / wanted
                if abs(ratio**2 - 1) < TOLERANCE:
                    break
                layer.weight.mul_(1 / ratio)
                total /= ratio
            factors.append(total)
        y = layer(y)
    return factors, y


def same(a, b, slack=1e-5):
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=slack, atol=0)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_is_healthy_after_its_fix(name):
    model = BROKEN[name]()
    report = check(model, _X)
    assert not report.is_healthy and report.factors and report.after.is_healthy
    assert report.fix(model) is model
    again = check(model, _X)
    assert again.verdict == report.after.verdict and again.is_healthy
    assert not again.factors and again.lines == "" and again.after is None


@pytest.mark.parametrize("name", ["relu", "tanh", "default", "tiny"])
@torch.no_grad()
def test_factors_are_those_of_lsuv(name):
    model = BROKEN[name]()
    for k, each in enumerate(model.parameters()):
        if each.dim() == 1:  # one multiplication is not enough beside a bias
            each.copy_(randn(len(each), seed=k) / 4)
    report = check(model, _X)
    mine, _ = lsuv(list(model), _X)
    assert [each.factor for each in report.factors] == pytest.approx(mine, rel=1e-4)
    assert [each.parameter for each in report.factors] == [
        f"{k}.weight" for k, layer in enumerate(model) if isinstance(layer, nn.Linear)
    ]
    for each in report.factors:
        weight = model.get_parameter(each.parameter)
        assert each.gain == pytest.approx(rms(weight) * 64**0.5, rel=1e-3) and each.wanted == 1


@torch.no_grad()
def test_branches_end_with_one_over_the_root_of_their_number():
    model = residual(16, 64)
    report = check(model, _X)
    y, mine = _X, []
    for block in model:
        factors, branch = lsuv(list(block.branch), y, end=16**-0.5)
        mine, y = mine + factors, y + branch
    assert [each.factor for each in report.factors] == pytest.approx(mine, rel=1e-4)
    assert [each.wanted for each in report.factors] == pytest.approx([1, 0.25] * 16)


@pytest.mark.parametrize("name", BROKEN)
def test_the_lines_do_what_fix_does(name):
    model = BROKEN[name]()
    report = check(model, _X)
    other = copy.deepcopy(model)
    report.fix(model)
    exec(report.lines, {"model": other, "torch": torch})
    same(model, other)
    assert report.lines.startswith("with torch.no_grad():\n    model.get_parameter(")


def test_a_model_that_lacks_a_parameter_is_named_and_left_as_it_is():
    report, other = check(BROKEN["relu"](), _X), mlp(4)
    before = copy.deepcopy(other)
    with pytest.raises(ValueError, match=r"parameter '8\.weight'"):
        report.fix(other)
    same(before, other, 0)


def test_a_healthy_model_has_no_factors():
    report = check(normal(mlp(5), 2**0.5), _X)
    assert report.is_healthy and report.factors == () and report.lines == ""
    model = mlp(5)
    before = copy.deepcopy(model)
    same(before, report.fix(model), 0)


def gpt():
    model = normal(GPT(2, 32, 2, vocabulary=50, most_tokens=16))
    tokens = torch.randint(50, (4, 8), generator=torch.Generator().manual_seed(0))
    return model, tokens, check(model, tokens, target=tokens)


def test_a_matrix_that_is_shared_is_fitted_once_under_a_name_that_fix_knows():
    model, tokens, report = gpt()
    other = copy.deepcopy(model)
    names = [each.parameter for each in report.factors]
    assert len(names) == len(set(names)) and {"head.weight", "tokens.weight"} & set(names)
    exec(report.lines, {"model": other, "torch": torch})
    report.fix(model)
    same(model, other)
    assert model.head.weight is model.tokens.weight
    assert check(model, tokens, target=tokens).forward == report.after.forward


def test_the_last_matrix_of_a_branch_has_a_factor_also_before_the_norm_of_the_next_branch():
    wanted = {each.parameter: each.wanted for each in gpt()[2].factors}
    ends = ("attention.proj.weight", "mlp.2.weight")
    branches = {f"blocks.{k}.{end}" for k in range(2) for end in ends}
    assert branches <= wanted.keys() and {wanted[each] for each in branches} == {0.5}


def test_a_module_that_is_called_twice_is_fitted_at_its_first_call():
    layer = nn.Linear(64, 64, bias=False)
    model = normal(Call(lambda self, x: self.a(torch.tanh(self.a(x))), a=layer))
    report = check(model, _X, number_format="float16", loss=lambda y: 1e9 * y.square().mean())
    [factor] = report.factors
    assert factor.factor == pytest.approx(1 / rms(_X @ layer.weight.T.detach()), rel=1e-4)


@pytest.mark.parametrize(
    "layer, batch, fan_in",
    [
        (nn.Linear(64, 16), randn(256, 64), 64),
        (nn.Conv2d(8, 16, 3), randn(16, 8, 12, 12), 72),
        (nn.Conv2d(8, 16, 3, groups=4), randn(16, 8, 12, 12), 18),
        (nn.ConvTranspose2d(16, 4, 1), randn(16, 16, 12, 12), 16),
        (nn.Bilinear(8, 8, 16), (randn(256, 8), randn(256, 8, seed=2)), 64),
    ],
)
def test_the_gain_is_the_std_times_the_root_of_fan_in(layer, batch, fan_in):
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(layer.bias)
    # A loss far from its chance makes a report of one matrix unhealthy.
    wrong = {"number_format": "float16", "loss": lambda y: 1e12 * y.square().sum()}
    [factor] = check(layer, batch, seeds=1, **wrong).factors
    weight = layer.weight.detach() * factor.factor
    assert factor.gain == pytest.approx(rms(weight) * fan_in**0.5, rel=1e-4)
    assert factor.gain == pytest.approx(1, rel=0.15) and factor.rule.startswith("LeCun's")


def test_the_usual_rules_are_recognised_by_their_gain():
    report = check(BROKEN["relu"](), _X)
    rules = [each.rule for each in report.factors]
    assert rules[0] == "LeCun's, 1/√fan_in"  # of the input itself
    assert sum(rule.startswith("kaiming_normal") for rule in rules) > 10
