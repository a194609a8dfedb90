"""Every rule on an experiment in which it must find something, and on one near it."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.layer.number_formats import NUMBER_FORMATS
from core.probe.check import check
from core.probe.rules import MOST_LOST, RULES
from core.specimens.plain import mlp as pixels
from core.specimens.residual import ResNet
from core.specimens.transformers import GPT, draw_as_gpt

from .models import Call, Skip, mlp, normal, randn, residual

_X = randn(64, 64)
_CLASSES = torch.arange(64) % 10


def found(model, batch=_X, **asked):
    """Rule -> its first finding."""
    report = check(model, batch, seeds=1, **asked)
    return {each.rule: each for each in reversed(report.findings)}


def biased(bias, phi=nn.ReLU):
    model = normal(mlp(4, phi=phi), 2**0.5)
    nn.init.constant_(model[2].bias, bias)
    return model


def ended(value):
    """A residual net whose branches end with a constant matrix."""
    model = residual(4, 64, norm=True)
    for block in model:
        nn.init.constant_(block.branch[-1].weight, value)
    return model


def constant(value):
    model = mlp(4)
    for each in model.parameters():
        nn.init.constant_(each, value)
    return model


def of_size(factor, depth=4):
    """A healthy MLP whose last matrix is multiplied."""
    model = normal(mlp(depth), 2**0.5)
    with torch.no_grad():
        model[-1].weight.mul_(factor)
    return model


def gains(gain, depth=30, phi=nn.ReLU):
    return normal(mlp(depth, phi=phi), gain)


def detached(is_cut):
    def forward(self, x):
        h = self.a(x)
        return self.b(h.detach() if is_cut else h)

    return Call(forward, a=nn.Linear(64, 64), b=nn.Linear(64, 10))


def default(depth):
    torch.manual_seed(0)
    return mlp(depth)


def outgrown(factor):
    model = residual(3, 64, norm=True)
    with torch.no_grad():
        model[0].branch[-1].weight.mul_(factor)
    return model


LOSS = {"target": _CLASSES}
HALF = {"number_format": "float16"}
EXPERIMENTS = {
    "overflow": ((of_size(1e30, 20), 1e12 * _X), (of_size(1e20), 1e12 * _X)),
    "gradient_overflow": (
        (of_size(1e4), _X, LOSS | HALF | {"loss": lambda y, t: 1e3 * F.cross_entropy(y, t)}),
        (of_size(1e1), _X, LOSS | HALF),
    ),
    "explodes": ((gains(None), _X), (gains(2**0.5), _X)),
    "vanishes": ((gains(0.5), _X), (gains(2**0.5, 100), _X)),
    "gradient_explodes": ((gains(2.2), _X), (gains(1.5), _X)),
    "gradient_vanishes": ((default(30), _X), (default(5), _X)),
    "dead_units": ((biased(-10), _X), (biased(0), _X)),
    "saturation": ((gains(8, 5, nn.Tanh), _X), (gains(1, 5, nn.Tanh), _X)),
    "symmetry": ((constant(0.1), _X), (ended(0), _X)),
    "outgrown_stream": ((outgrown(40), _X), (outgrown(2), _X)),
    "initial_loss": ((of_size(10), _X, LOSS), (of_size(0.1), _X, LOSS)),
    "default_initialisation": ((default(30), _X), (default(5), _X)),
    "underflow": ((of_size(1e-5), _X, HALF), (of_size(1e-5), _X)),
    "gradient_underflow": (
        (of_size(1e-3), _X, HALF | LOSS | {"loss": lambda y, t: 1e-3 * F.cross_entropy(y, t)}),
        (of_size(1e-3), _X, HALF),
    ),
    "no_gradient": ((detached(True), _X), (detached(False), _X)),
}


def test_every_rule_has_its_experiment():
    assert EXPERIMENTS.keys() == RULES.keys()
    assert all(name == rule.name for name, rule in RULES.items())


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_what_is_wrong_and_not_what_is_near_it(name):
    (bad, batch, *asked), (near, other, *also) = EXPERIMENTS[name]
    assert name in found(bad, batch, **(asked or [{}])[0])
    assert name not in found(near, other, **(also or [{}])[0])


@pytest.mark.parametrize("depth", [5, 30, 100])
@pytest.mark.parametrize("width", [64, 256])
def test_networks_drawn_by_the_rule_of_their_activation_are_healthy(depth, width):
    batch = randn(64, width)
    assert check(normal(mlp(depth, width), 2**0.5), batch).is_healthy
    assert check(normal(mlp(depth, width, nn.Tanh), 1.0), batch).is_healthy
    assert check(normal(mlp(depth, width, nn.Tanh), 5 / 3), batch).is_healthy or depth > 5


@pytest.mark.parametrize("seed", range(3))
def test_networks_that_people_train_are_healthy(seed):
    torch.manual_seed(seed)
    gpt = GPT(8, 64, 4, vocabulary=200, most_tokens=32)
    draw_as_gpt(gpt, end_of_branch=16**-0.5)
    tokens = torch.randint(200, (4, 17))
    asked = {"target": tokens[:, 1:].flatten(), "loss": None}
    model = Call(lambda self, t: self.gpt(t).flatten(0, 1), gpt=gpt)
    assert check(model, tokens[:, :-1], **asked).verdict.startswith("Healthy")
    net = ResNet((2, 2, 2, 2), bottleneck=False, width=16, classes=10)
    images = randn(8, 3, 64, 64, seed=seed)
    assert check(net, images, target=torch.arange(8)).verdict.startswith("Healthy")
    normed = pixels(30, 64, batch_norm=True)
    assert "explodes" not in found(normed, randn(64, 1, 28, 28))


def test_a_stream_without_norm_explodes_and_one_that_is_scaled_does_not():
    wild, tame = residual(16, 64), residual(16, 64, end=2**0.5 / 16**0.5)
    assert found(wild)["explodes"].word == "explodes" and "explodes" not in found(tame)
    assert "explodes" not in found(residual(16, 64, norm=True))


def test_a_stream_is_seen_also_where_the_block_has_a_parameter_of_its_own():
    class Scaled(Skip):
        def __init__(self, branch):
            super().__init__(branch)
            self.scale = nn.Parameter(torch.tensor(0.5))

        def forward(self, x):
            return x + self.scale * self.branch(x)

    model = nn.Sequential(*(Scaled(nn.Linear(64, 64)) for _ in range(5)))
    assert len(check(model, _X).evidence.additions) == 5


def test_a_shortcut_that_is_computed_after_its_branch_is_the_stream():
    """As in torchvision's residual networks, where the first block of a stage has a shortcut."""

    def forward(self, x):
        branch = 0.05 * self.b(torch.relu(self.a(x)))
        return self.shortcut(x) + branch

    model = Call(forward, **{name: nn.Linear(64, 64) for name in ("a", "b", "shortcut")})
    assert "outgrown_stream" not in found(model)


@pytest.mark.parametrize("scale", [0.3, 0.05])
def test_a_branch_that_is_scaled_down_is_not_taken_for_its_stream(scale):
    torch.manual_seed(0)
    net = ResNet((2, 2), bottleneck=False, width=16, classes=10, scale=scale)
    additions = check(net, randn(8, 3, 32, 32)).evidence.additions
    assert all(each.log2_branch < each.log2_stream for each in additions)
    assert "outgrown_stream" not in found(net, randn(8, 3, 32, 32))


def test_a_mask_that_is_added_to_scores_is_no_branch():
    def forward(self, x):
        q, k = self.q(x), self.k(x)
        hidden = torch.full((9, 9), -torch.inf).triu(1)
        return torch.softmax(q @ k.t() / 8 + hidden, -1) @ self.v(x)

    parts = {name: nn.Linear(64, 64) for name in "qkv"}
    assert "outgrown_stream" not in found(Call(forward, **parts), randn(9, 64))


def test_a_matrix_of_zeros_is_symmetric_only_where_it_stays_so():
    """What gets different gradients for its units has different units after the first step."""
    everywhere = found(constant(0.0))["symmetry"]
    assert everywhere.number == "all 0" and everywhere.module == "0.weight"
    head = normal(mlp(4), 2**0.5)
    nn.init.zeros_(head[-1].weight)
    assert "symmetry" not in found(head)
    one = normal(mlp(4), 2**0.5)
    nn.init.constant_(one[2].weight, 0.05)
    one(_X).square().mean().backward()
    assert (one[2].weight.grad - one[2].weight.grad[:1]).abs().max() > 1e-4
    assert "symmetry" not in found(one)
    blur = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 3))
    nn.init.constant_(blur[0].weight, 1 / 9)
    assert "symmetry" not in found(blur, randn(4, 4, 8, 8))
    assert "symmetry" not in found(constant(0.1).requires_grad_(False))


def test_loss_scales_of_a_report_are_right_by_direct_computation():
    """Every power of 2 from the first to the last, and none beside them."""
    half, model = NUMBER_FORMATS["float16"], of_size(3e-2, 6)
    asked = {"loss": lambda y, t: 1e-3 * F.cross_entropy(y, t), "target": _CLASSES}
    report = check(model, _X, number_format="float16", **asked)
    told = {each.todo for each in report.findings if each.rule == "gradient_underflow"}
    [(least, most)] = {tuple(map(int, re.findall(r"2\^(-?\d+)", each))) for each in told}
    y = _X
    kept = []
    for layer in model:
        y = layer(y)
        y.retain_grad()
        kept.append(y)
    asked["loss"](y, _CLASSES).backward()
    gradients = [each.grad.double() for each in (*kept, *model.parameters())]

    def is_right(power):
        scaled = [(half.cast(g * 2.0**power), g) for g in gradients]
        lost = max(((s == 0) & (g != 0)).double().mean().item() for s, g in scaled)
        return lost <= MOST_LOST and all(s.isfinite().all() for s, _ in scaled)

    assert least < most and all(is_right(power) for power in range(least, most + 1))
    assert not is_right(least - 1) and not is_right(most + 1)
