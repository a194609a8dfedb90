"""FAMILIES: activations with a number of their own, such as ``leaky_relu(0.2)`` or ``sin(30)``."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from ..maths import closed_forms
from .activations import ACTIVATIONS, Activation, celu, elu, leaky_relu, prelu
from .families import Family

_WAVES = 80  # of a sine, on either side of zero, that quadrature follows one by one


def _shifted_relu(shift: float) -> Activation:
    return replace(
        ACTIVATIONS["relu"],
        function=lambda x: x.clamp_min(0) + shift,
        formula=rf"\max(x, 0) {shift:+g}",
        reference="Howard 2018, the shifted ReLU of fast.ai",
        code=f"x.clamp_min(0) + {shift!r}",
        positively_homogeneous=False,
        closed_form=None,
    )


def _sine(omega_0: float) -> Activation:
    return replace(
        ACTIVATIONS["sin"],
        function=lambda x: torch.sin(omega_0 * x),
        derivative=lambda x: omega_0 * torch.cos(omega_0 * x),
        formula=rf"\sin({omega_0:g}\,x)",
        code=f"torch.sin({omega_0!r} * x)",
        backward_code=f"g * torch.cos({omega_0!r} * h) * {omega_0!r}",
        kinks=tuple(side * 6 * k / omega_0 for side in (-1, 1) for k in range(_WAVES)),
        closed_form=closed_forms.rescaled(closed_forms.sin(), inner=omega_0),
    )


def _swish(beta: float) -> Activation:
    def derivative(x: torch.Tensor) -> torch.Tensor:
        s = torch.sigmoid(beta * x)
        return s * (1 + beta * x * (1 - s))

    code = f"x * torch.sigmoid({beta!r} * x)"
    return replace(
        ACTIVATIONS["silu"],
        function=lambda x: x * torch.sigmoid(beta * x),
        derivative=derivative,
        formula=rf"\frac{{x}}{{1 + e^{{-{beta:g}\,x}}}}",
        reference="Ramachandran, Zoph & Le 2017, arXiv:1710.05941",
        code=code,
        backward_code=f"torch.func.vjp(lambda x: {code}, h)[1](g)[0]",
        microseconds=0.004,
    )


def _softplus(beta: float) -> Activation:
    return replace(
        ACTIVATIONS["softplus"],
        function=lambda x: F.softplus(x, beta),
        derivative=lambda x: torch.ops.aten.softplus_backward(torch.ones_like(x), x, beta, 20),
        formula=rf"\tfrac{{1}}{{{beta:g}}}\ln(1 + e^{{{beta:g}\,x}})",
        code=f"torch.nn.functional.softplus(x, {beta!r})",
        backward_code=f"torch.ops.aten.softplus_backward(g, h, {beta!r}, 20)",
    )


FAMILIES: dict[str, Family[Activation]] = {
    each.name: each
    for each in (
        Family(ACTIVATIONS["relu"], "shift", 0.0, -10.0, 10.0, _shifted_relu, is_written=True),
        Family(ACTIVATIONS["leaky_relu"], "negative_slope", 0.01, -10.0, 10.0, leaky_relu),
        Family(ACTIVATIONS["prelu"], "init", 0.25, -10.0, 10.0, prelu),
        Family(ACTIVATIONS["elu"], "alpha", 1.0, 0.01, 10.0, elu),
        Family(ACTIVATIONS["celu"], "alpha", 1.0, 0.1, 10.0, celu),
        Family(ACTIVATIONS["silu"], "beta", 1.0, 0.1, 10.0, _swish),
        Family(ACTIVATIONS["softplus"], "beta", 1.0, 0.1, 10.0, _softplus),
        Family(ACTIVATIONS["sin"], "omega_0", 1.0, 0.01, 100.0, _sine),
    )
}
"""Registry key -> the family whose member with the usual number has that key."""
