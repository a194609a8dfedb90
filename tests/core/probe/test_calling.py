"""What a model is called with, what it raises, and what its losses raise."""

from collections import UserDict

import pytest
import torch
from torch import nn

from core.probe.check import MOST_SEEDS, check
from core.probe.measure import CheckError

from .keeping import checked, lin, two, untouched
from .models import Call, mlp, normal, randn

_X = randn(6, 8)


def test_arguments_reach_the_model_as_they_are():
    def forward(self, x, scale, text, pair=None, *, mask=None, missing=None):
        assert (scale, text, pair, missing) == (2, "text", (3, None), None)
        return self.a(x) * scale * mask

    model = Call(forward, a=lin())
    mask = torch.ones(6, 8, dtype=torch.bool)
    given = {"x": _X, "scale": 2, "text": "text", "pair": (3, None), "mask": mask}
    report = checked(model, given)
    assert report.evidence.inputs == ((6, 8), (6, 8))
    given = UserDict(x=_X)  # a mapping that is no dict, as tokenizers give
    assert checked(Call(lambda self, x: self.a(x), a=lin()), given).evidence.inputs == ((6, 8),)
    model = Call(lambda self, x, *rest: self.a(x) * len(rest), a=lin())
    for batch in ((_X, 1, "text", None), [_X, None, {"key": _X}]):
        assert checked(model, batch).evidence.goes_back


def test_the_batch_is_not_changed_and_gets_no_gradient():
    batch = _X.clone().requires_grad_()
    checked(nn.Sequential(nn.ReLU(), lin()), batch)
    tokens = torch.arange(6)
    checked(Call(lambda self, x: self.a(_X * x.add_(1)[:, None]), a=lin()), tokens)
    assert torch.equal(tokens, torch.arange(6))
    assert torch.equal(batch, _X) and batch.grad is None and batch._backward_hooks is None


def test_a_model_may_change_its_input_in_place():
    """As pre-activation networks do; the batch stays, also where factors are sought."""
    for first in (nn.ReLU(inplace=True), Call(lambda self, x: x.mul_(2))):
        batch = _X.clone()
        model = nn.Sequential(first, normal(mlp(20, 8)))
        report = checked(model, batch)
        assert not report.is_healthy and report.factors and torch.equal(batch, _X)
    tokens = torch.arange(6)
    model = Call(lambda self, x: self.a(_X * x.add_(1)[:, None]), a=normal(mlp(20, 8)))
    assert checked(model, tokens).factors and torch.equal(tokens, torch.arange(6))


def test_a_model_without_modules_or_parameters():
    for model in (nn.Sequential(), nn.Identity(), nn.Sequential(nn.ReLU(), nn.Flatten())):
        report = checked(model)
        assert report.verdict and not report.factors and report.evidence.number_format == "float32"
    assert checked(nn.Identity()).forward == "No module was called."


def test_a_batch_of_one_is_not_said_to_have_dead_units():
    assert not [each for each in checked(mlp(3, 8), _X[:1]).findings if each.rule == "dead_units"]


def _raises(*given, **named):
    raise KeyError("told by the model")


class Backward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise ArithmeticError("told by the way back")


def test_an_exception_in_forward_names_the_module_and_says_what_it_said():
    inner = nn.Sequential(lin(), Call(_raises))
    model = nn.Sequential(mlp(2, 8, classes=8), nn.ModuleDict({"deep": inner})["deep"])
    with untouched(model), pytest.raises(CheckError, match=r"1\.1: KeyError: .told by the model"):
        check(model, _X)
    with pytest.raises(CheckError, match=r"in 2: RuntimeError: mat1 and mat2"):
        checked(nn.Sequential(lin(), nn.ReLU(), lin(3)))
    with pytest.raises(CheckError, match=r"forward raised.*TypeError: .*positional argument"):
        checked(lin(), (_X, _X))


def test_an_exception_on_the_way_back_says_what_it_said():
    model = two(lambda self, x: self.b(Backward.apply(self.a(x))))
    with pytest.raises(CheckError, match="backward raised: ArithmeticError: told by the way back"):
        checked(model)


def test_an_exception_after_something_was_changed_undoes_that():
    def forward(self, x):
        self.a.weight.data.zero_()
        self.c.zero_()
        self.b.eval()
        self.b.weight.requires_grad_(False)
        torch.manual_seed(3)
        raise RuntimeError("half way")

    with pytest.raises(CheckError, match="half way"):
        checked(two(forward))


def test_an_exception_of_the_loss_is_the_users_own():
    model = mlp(3, 8)
    with untouched(model), pytest.raises(KeyError, match="told by the model"):
        check(model, _X, loss=_raises)
    with untouched(model), pytest.raises(ValueError, match=r"one number, got \(6, 10\)"):
        check(model, _X, loss=lambda y: y)
    with untouched(model), pytest.raises(ValueError, match="one number, got float"):
        check(model, _X, loss=lambda y: 1.0)
    with untouched(model), pytest.raises(ValueError, match=r"target .*\(6, 10\), got \(5,\)"):
        check(model, _X, target=torch.zeros(5, dtype=torch.long))
    with untouched(model), pytest.raises(ValueError, match="target must be a tensor"):
        check(model, _X, target=3)


def test_arguments_that_are_not_allowed_are_named():
    model = mlp(3, 8)
    with pytest.raises(ValueError, match=r"model must be a torch\.nn\.Module, got function"):
        check(lambda x: x, _X)
    for seeds in (0, -1, MOST_SEEDS + 1, 1.5, "3", None):
        with pytest.raises(ValueError, match="seeds must be from 1 to 100, got"):
            check(model, _X, seeds=seeds)
    with pytest.raises(ValueError, match=r"number_format must be one of float64.*got 'float31'"):
        check(model, _X, number_format="float31")


def test_an_interruption_undoes_what_was_changed():
    def forward(self, x):
        self.a.weight.mul_(2) if not torch.is_grad_enabled() else self.c.mul_(2)
        raise KeyboardInterrupt

    model = two(forward)
    with untouched(model), pytest.raises(KeyboardInterrupt):
        check(model, _X)
