"""A model is after a check as it was before, whatever it does and wherever it fails."""

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from core.probe.check import check
from core.probe.measure import CheckError

from .keeping import checked, lin, two
from .models import Call, mlp, randn

_X = randn(6, 8)
Pair = namedtuple("Pair", "left right")


@dataclass
class Found:
    logits: Any
    loss: Any = None


def _slices(self, x):
    y = self.a(x).clone()
    y[:, :4] = 0
    y[:, 4:] += 1
    return self.b(y).add_(1).mul_(2).relu_()


def _buffers(self, x):
    self.c.mul_(0.5)
    self.c += x.detach().mean(0)
    return self.b(self.a(x)) + self.c


def _new_buffer(self, x):
    self.c = x.detach().mean(0)
    return self.b(self.a(x))


def _new_parameter(self, x):
    self.a.weight = nn.Parameter(2 * self.a.weight.detach())
    return self.b(self.a(x))


def _new_module(self, x):
    self.a = nn.Linear(8, 8)
    return self.b(self.a(x))


def _through_data(self, x):
    self.a.weight.data.mul_(0.5)
    self.c.data.add_(1)
    return self.b(self.a(x))


def _data_replaced(self, x):
    self.a.weight.data = self.a.weight.data[:4].clone()
    self.a.bias.data = self.a.bias.data[:4].clone()
    return F.pad(self.a(x), (0, 4)) + self.b(x)


def _sets_modes(self, x):
    self.a.requires_grad_(False)
    self.b.eval()
    return self.b(self.a(x))


def _zeroes_gradients(self, x):
    self.zero_grad(set_to_none=False)
    return self.b(self.a(x))


def _goes_back_by_itself(self, x):
    y = self.b(self.a(x))
    y.sum().backward(retain_graph=True)
    return y


def _catches(self, x):
    try:
        self.a(x[:, :3])
    except RuntimeError:
        return self.b(x)


FORWARDS = {
    "slices in place": _slices,
    "adds in place to its input": lambda self, x: self.b(self.a(x.mul(1).add_(1))),
    "an output without a gradient": lambda self, x: (self.b(self.a(x)), self.a(x).detach()),
    "None": lambda self, x: (None, self.b(self.a(x)), None),
    "nothing but None": lambda self, x: None,
    "a dict": lambda self, x: {"y": self.a(x), "none": None, "list": [self.b(x)]},
    "a namedtuple": lambda self, x: Pair(self.a(x), self.b(x)),
    "a dataclass": lambda self, x: Found(self.a(x), Found(self.b(x))),
    "a module several times": lambda self, x: self.a(self.b(self.a(self.a(x)))),
    "random numbers": lambda self, x: self.b(F.dropout(self.a(x)) + torch.randn(6, 8)),
    "whole numbers alone": lambda self, x: self.b(self.a(x)).argmax(-1),
    "complex numbers in between": lambda self, x: torch.fft.ifft(torch.fft.fft(self.a(x))).abs(),
    "complex numbers at the end": lambda self, x: torch.fft.fft(self.b(self.a(x))),
    "no elements": lambda self, x: self.b(self.a(x)[:0]),
    "sums of no elements": lambda self, x: self.a(x)[:0] + self.b(x)[:0],
    "a view": lambda self, x: self.b(self.a(x)).view(3, 16).t()[::2],
    "no_grad inside": lambda self, x: self.b(torch.no_grad()(self.a)(x)),
    "buffers in place": _buffers,
    "a new buffer": _new_buffer,
    "a new parameter": _new_parameter,
    "a new module": _new_module,
    "parameters through data": _through_data,
    "other data of a parameter": _data_replaced,
    "modes and requires_grad": _sets_modes,
    "gradients zeroed": _zeroes_gradients,
    "backward in forward": _goes_back_by_itself,
    "an exception that is caught": _catches,
    "a checkpoint": lambda self, x: checkpoint(
        lambda h: self.b(F.dropout(self.a(h)).relu()), x, use_reentrant=False
    ),
    "its own parameter": lambda self, x: self.a(x) @ self.b.weight,
}


@pytest.mark.parametrize("what", FORWARDS)
def test_a_model_whose_forward_has(what):
    model = two(FORWARDS[what])
    model.a.weight.grad = torch.ones(8, 8)
    report = checked(model)
    assert report.verdict and len(report.table) == len(report.evidence.rows)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("seeds", [1, 3])
def test_norms_dropout_and_drawing_anew_leave_no_trace(training, seeds):
    class Drawn(nn.Sequential):
        def reset_parameters(self):
            self[0].weight.data.normal_()
            self[1].reset_parameters()

    model = Drawn(lin(), nn.BatchNorm1d(8), nn.Dropout(), lin()).train(training)
    assert checked(model, seeds=seeds).evidence.seeds == seeds


@pytest.mark.parametrize("training", [True, False])
def test_modules_of_torch_that_have_much_inside(training):
    tokens = torch.randint(20, (3, 5))
    embedding, sparse = nn.Embedding(20, 8), nn.Embedding(20, 8, sparse=True)
    head = nn.Linear(8, 20, bias=False)
    head.weight = embedding.weight
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    models = [
        (nn.LSTM(8, 8, 2, dropout=0.5, batch_first=True), randn(3, 5, 8)),
        (nn.GRU(8, 8, bidirectional=True), randn(3, 5, 8)),
        (encoder, randn(3, 5, 8)),
        (nn.Sequential(embedding, head), tokens),
        (nn.Sequential(sparse, lin()), tokens),
        (nn.Sequential(nn.utils.parametrizations.weight_norm(lin()), lin()), _X),
        (nn.Sequential(nn.utils.parametrizations.spectral_norm(lin()), lin()), _X),
        (nn.Transformer(8, 2, 1, 1, 16, batch_first=True), (randn(3, 5, 8), randn(3, 4, 8))),
    ]
    for model, batch in models:
        assert checked(model.train(training), batch).evidence.goes_back


def test_lazy_modules_tell_that_they_have_no_shape_yet():
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), lin())
    with pytest.raises((CheckError, ValueError), match=r"(?i)lazy|uninitialized"):
        check(model, _X)
    assert isinstance(model[0], nn.LazyLinear) and model[0].has_uninitialized_params()
    model(_X)
    assert checked(model).evidence.rows


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_models_of_other_formats(dtype):
    assert checked(mlp(4, 8).to(dtype), _X.to(dtype)).evidence.rows[0].dtype == str(dtype)[6:]


def test_frozen_parameters_stay_frozen_and_are_not_missed():
    model = mlp(3, 8)
    model[0].requires_grad_(False)
    model[2].bias.requires_grad_(False)
    report = checked(model)
    assert "no_gradient" not in {each.rule for each in report.findings}
    assert report.evidence.rows[0].weights[0].gradient is None
    assert checked(mlp(3, 8).requires_grad_(False)).evidence.goes_back


def test_hooks_of_the_user_see_the_run_and_stay():
    model, seen = mlp(3, 8), []
    model[0].register_forward_hook(lambda *given: seen.append("forward"))
    model[0].register_forward_pre_hook(lambda *given: seen.append("before"))
    model[2].register_full_backward_hook(lambda *given: seen.append("back"))
    model[4].weight.register_hook(lambda g: seen.append("weight"))
    checked(model)
    assert {"forward", "before", "back", "weight"} <= set(seen)


def test_no_hook_stays_on_a_parameter_that_a_module_hands_out():
    class Places(nn.Module):
        def __init__(self):
            super().__init__()
            self.places = nn.Parameter(torch.ones(6, 8))

        def forward(self):
            return self.places

    model = Call(lambda self, x: self.a(x) + self.places(), a=lin(), places=Places())
    assert len(checked(model).evidence.rows) == 2


def test_parameters_that_are_no_plain_floats():
    model = two(lambda self, x: self.b(self.a(x)) * (self.z * self.z.conj()).real.sum())
    model.z = nn.Parameter(torch.full((3, 3), 3 + 4j))
    model.count = nn.Parameter(torch.arange(4), requires_grad=False)
    model.none = nn.Parameter(torch.empty(0, 5))
    [whole] = [row for row in checked(model).evidence.rows if row.kind == "Call"]
    assert {w.name: w.log2_rms for w in whole.weights}["z"] == pytest.approx(2.321928)  # of 5


def test_parameters_of_8_bits_have_a_size():
    model = Call(lambda self, x: x @ self.w.float())
    weight = torch.full((8, 8), 0.5).to(torch.float8_e4m3fn)
    model.w = nn.Parameter(weight, requires_grad=False)
    report = checked(model)
    assert report.evidence.rows[0].weights[0].log2_rms == -1


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (nn.Linear(8, 8, device="meta"), "must be on a device with memory"),
        (nn.Linear, "must be a torch.nn.Module, got type"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(model, told):
    with pytest.raises(ValueError, match=told):
        check(model, randn(6, 8))
