"""What a check tells of a model, against plain hooks and autograd, in float64 NumPy."""

from collections import defaultdict
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from core.probe.check import check

from .models import Call, randn


def perceptron():
    model = nn.Sequential(
        nn.Linear(20, 64),
        nn.ReLU(inplace=True),
        nn.Linear(64, 64),
        nn.ReLU(inplace=True),
        nn.Linear(64, 10),
    )
    with torch.no_grad():
        model[0].bias[:20] = -30  # dead
    return model, randn(32, 20)


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.branch = nn.Sequential(
            nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        )
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 10)
        with torch.no_grad():
            self.branch[0].bias[:3] = -30

    def forward(self, x):
        x = self.stem(x)
        return self.head(self.relu(x + self.branch(x)).mean((2, 3)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(50, 16)
        self.norm_1, self.norm_2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16))
        self.head = nn.Linear(16, 50)

    def forward(self, tokens):
        x = self.tokens(tokens)
        h = self.norm_1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        x = x + self.mlp(self.norm_2(x))
        return self.head(x)


def built(name):
    torch.manual_seed(5)
    if name == "perceptron":
        return perceptron()
    if name == "convolutions":
        return Convolutions(), randn(4, 3, 6, 6)
    tokens = torch.randint(50, (3, 7), generator=torch.Generator().manual_seed(1))
    return Block(), tokens


MODELS = ("perceptron", "convolutions", "block")
UNITS = {"perceptron": -1, "convolutions": 1, "block": -1}


def by_hooks(model, batch, cotangent):
    """Outputs and their gradients by module, and the gradient of each parameter."""
    outputs, gradients = defaultdict(list), defaultdict(list)

    def hook(name):
        def see(module, args, y):
            y = y[0] if isinstance(y, tuple) else y
            outputs[name].append(y.detach().double().numpy().copy())
            y.register_hook(lambda g: gradients[name].append(g.double().numpy().copy()))

        return see

    handles = [
        each.register_forward_hook(hook(name)) for name, each in model.named_modules() if name
    ]
    y = model(batch)
    z = torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    loss = (y * z).sum() if cotangent is None else cotangent(y)
    found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    for handle in handles:
        handle.remove()
    names = [name for name, _ in model.named_parameters()]
    return outputs, gradients, dict(zip(names, found, strict=True))


@cache
def both(name):
    model, batch = built(name)
    report = check(model, batch)
    return model, report, by_hooks(model, batch, None)


def log2_rms(x):
    with np.errstate(divide="ignore"):
        return np.log2(np.sqrt(np.mean(np.asarray(x, dtype=np.float64) ** 2)))


def near(value, slack=1e-6):
    return pytest.approx(value, abs=slack)


@pytest.mark.parametrize("name", MODELS)
def test_every_output_has_the_sizes_that_hooks_see(name):
    _, report, (outputs, _, _) = both(name)
    assert len(report.evidence.rows) >= 5
    for row in report.evidence.rows:
        [y] = outputs[row.name]
        assert row.shape == y.shape and row.output.count == y.size
        assert row.output.log2_rms == near(log2_rms(y))
        assert row.output.mean == near(y.mean())
        assert row.output.log2_std == near(np.log2(y.std()))
        assert row.output.log2_max_abs == near(np.log2(np.abs(y).max()))
        assert row.output.zero == np.mean(y == 0) and row.output.nonfinite == 0


@pytest.mark.parametrize("name", MODELS)
def test_every_gradient_of_an_output_has_the_rms_that_hooks_see(name):
    _, report, (_, gradients, _) = both(name)
    for row in report.evidence.rows:
        [g] = gradients[row.name]
        assert row.gradient.log2_rms == near(log2_rms(g))
        assert row.gradient.log2_max_abs == near(np.log2(np.abs(g).max()))
        assert row.gradient.zero == np.mean(g == 0)


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_and_its_gradient_has_its_own_rms(name):
    model, report, (_, _, found) = both(name)
    weights = {f"{row.name}.{w.name}": w for row in report.evidence.rows for w in row.weights}
    own = {key: each for key, each in model.named_parameters() if "out_proj" not in key}
    assert weights.keys() == own.keys()
    for key, parameter in own.items():
        assert weights[key].log2_rms == near(log2_rms(parameter.detach()))
        g = found[key].double().numpy()
        assert weights[key].gradient.log2_max_abs == near(np.log2(np.abs(g).max()), 1e-4)
        if np.abs(g).max() > 1e-4:  # biases before a norm have rounding errors alone
            assert weights[key].gradient.log2_rms == near(log2_rms(g), 1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_dead_units_of_activations_are_those_that_are_zero_for_every_input(name):
    _, report, (outputs, _, _) = both(name)
    rows = [row for row in report.evidence.rows if row.role == "activation"]
    assert rows
    for row in rows:
        units = np.moveaxis(outputs[row.name][0], UNITS[name], 0)
        assert row.dead == np.mean([not unit.any() for unit in units])
    assert any(row.dead for row in rows) == (name != "block")


@pytest.mark.parametrize("name", MODELS)
def test_shares_below_an_octave_are_counted(name):
    _, report, (outputs, gradients, _) = both(name)
    for row in report.evidence.rows:
        for signal, [x] in ((row.output, outputs[row.name]), (row.gradient, gradients[row.name])):
            for octave in (-30, -8, -5, -3, -2, -1, 0, 1, 2, 4, 30):
                share = np.mean((np.abs(x) < 2.0**octave) & (x != 0))
                assert signal.share_below(octave) == pytest.approx(share, abs=1e-12)
            grown = 2.0 ** signal.needs(3, 0.05) * x
            assert np.mean((np.abs(grown) < 8) & (x != 0)) <= 0.05
            assert np.mean((np.abs(grown / 2) < 8) & (x != 0)) > 0.05


def test_additions_have_the_sizes_of_stream_branch_and_sum():
    _, report, (outputs, _, _) = both("convolutions")
    [added] = report.evidence.additions
    stream, branch = outputs["stem"][0], outputs["branch"][0]
    assert (added.log2_stream, added.log2_branch) == (
        near(log2_rms(stream)),
        near(log2_rms(branch)),
    )
    assert added.log2_sum == near(log2_rms(stream + branch))
    _, report, (outputs, _, _) = both("block")
    first, second = report.evidence.additions
    x, a, m = (outputs[key][0] for key in ("tokens", "attention", "mlp"))
    assert (first.log2_stream, first.log2_branch) == (near(log2_rms(x)), near(log2_rms(a)))
    assert (second.log2_stream, second.log2_branch) == (near(log2_rms(x + a)), near(log2_rms(m)))
    assert second.log2_sum == near(log2_rms(x + a + m))


def test_a_branch_is_found_whichever_side_of_the_sum_it_is_on():
    def forward(self, x):
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x) + x
        x += 16 * self.end(1 * x)
        return torch.add(x, self.last(x))

    layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
    parts = {name: nn.Linear(8, 8) for name in ("stem", "end", "last")}
    model = Call(forward, layers=layers, **parts)
    found = check(model, randn(5, 8)).evidence.additions
    with torch.no_grad():
        x = model.stem(randn(5, 8))
        for added, layer in zip(
            found, [*layers, lambda x: 16 * model.end(x), model.last], strict=True
        ):
            branch = layer(x)
            assert (added.log2_stream, added.log2_branch) == (
                near(log2_rms(x)),
                near(log2_rms(branch)),
            )
            x = x + branch
