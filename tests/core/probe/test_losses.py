"""Losses and means over seeds, against torch and plain hooks."""

import math
from collections import defaultdict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.probe.check import check

from .models import Call, mlp, randn
from .test_against_hooks import MODELS, built, by_hooks, log2_rms, near


@pytest.mark.parametrize(
    "shape, classes_first, target",
    [
        ((6, 10), True, torch.arange(6)),
        ((6, 10, 4), True, torch.arange(24).reshape(6, 4) % 10),
        ((6, 4, 10), False, torch.arange(24).reshape(6, 4) % 10),
        ((6, 10, 2, 3), True, torch.arange(36).reshape(6, 2, 3) % 10),
        ((6, 10), True, torch.full((6, 10), 0.1)),
    ],
)
def test_cross_entropy_is_that_of_torch(shape, classes_first, target):
    y = randn(*shape)
    rows = y if classes_first else y.movedim(-1, 1)
    scale = nn.Parameter(torch.tensor(3.0))
    loss = check(Call(lambda self, x: self.scale * x, scale=scale), y, target=target).evidence.loss
    assert loss.value == pytest.approx(F.cross_entropy(3 * rows, target).item(), rel=1e-6)
    assert loss.classes == 10 and loss.by_chance == pytest.approx(math.log(10))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("has_target", [True, False])
def test_a_given_loss_is_the_one_that_is_told_and_gone_back_from(name, has_target):
    model, batch = built(name)
    target = torch.full_like(model(batch).detach(), 0.5)

    def loss(y, t=target):
        return (y - t).square().mean()

    report = check(model, batch, loss=loss, target=target if has_target else None)
    _, gradients, _ = by_hooks(model, batch, loss)
    value = float(loss(model(batch)).detach())
    assert report.evidence.loss.value == pytest.approx(value, rel=1e-5)
    assert report.evidence.loss.by_chance is None
    for row in report.evidence.rows:
        assert row.gradient.log2_rms == near(log2_rms(gradients[row.name][0]), 1e-5)


class Drawn(nn.Sequential):
    def reset_parameters(self):
        for each in self:
            if isinstance(each, nn.Linear):
                each.reset_parameters()


def test_sizes_are_means_over_seeds_of_a_model_that_draws_itself_anew():
    torch.manual_seed(7)
    model = Drawn(*mlp(4, 16, nn.Tanh))
    batch, sizes, back = randn(12, 16), defaultdict(list), defaultdict(list)
    report = check(model, batch, seeds=4)
    for seed in range(4):
        if seed:
            torch.manual_seed(seed)
            model.reset_parameters()
        z = torch.randn(12, 10, generator=torch.Generator().manual_seed(seed))
        outputs, gradients, _ = by_hooks(model, batch, lambda y, z=z: (y * z).sum())
        for name in outputs:
            sizes[name].append(log2_rms(outputs[name][0]))
            back[name].append(log2_rms(gradients[name][0]))
    assert report.evidence.seeds == 4
    for row in report.evidence.rows:
        assert row.output.log2_rms == near(np.mean(sizes[row.name]))
        assert row.spread == near(np.std(sizes[row.name], ddof=1))
        assert row.gradient.log2_rms == near(np.mean(back[row.name]))
        assert row.output.count == 4 * np.prod(row.shape)
