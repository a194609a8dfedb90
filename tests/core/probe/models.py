"""Small models for the tests of the check."""

import torch
from torch import nn


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def normal(model, gain=None, seed=0):
    """All matrices from N(0, 1), or from N(0, gain²/fan_in); biases 0."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2:
            nn.init.zeros_(parameter) if name.endswith("bias") else None
            continue
        std = 1.0 if gain is None else gain * parameter[0].numel() ** -0.5
        nn.init.normal_(parameter, std=std, generator=generator)
    return model


def mlp(depth, width=64, phi=nn.ReLU, classes=10):
    layers = []
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), phi()]
    return nn.Sequential(*layers, nn.Linear(width, classes))


class Skip(nn.Module):
    """x + branch(x), or branch(x) in place of a branch that is None."""

    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


def residual(blocks, width=32, *, norm=False, end=None):
    """Blocks of two matrices, N(0, 2/fan_in); the second of each N(0, end²/fan_in)."""
    made = []
    for _ in range(blocks):
        first = [nn.LayerNorm(width)] if norm else []
        made.append(
            Skip(nn.Sequential(*first, nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)))
        )
    model = nn.Sequential(*made)
    matrices = [each for each in model.modules() if isinstance(each, nn.Linear)]
    for k, each in enumerate(matrices):
        normal(each, 2**0.5 if end is None or k % 2 == 0 else end, seed=k)
    return model


class Call(nn.Module):
    """A model of one function; its parts are attributes of this module."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.given = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args, **kwargs):
        return self.given(self, *args, **kwargs)
