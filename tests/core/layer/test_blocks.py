"""Layers with skips, norms and two matrices against modules of torch.nn, there and back."""

import io
from contextlib import redirect_stdout

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core import Experiment, backpropagate, propagate, to_script
from core.layer.branches import BRANCHES, NORM_PLACES, NORMS, SKIPS
from core.layer.inputs import INPUTS
from core.simulation.propagate import draw_input, draw_layer, draw_output_gradient

CPU = torch.device("cpu")
PHI = {"linear": nn.Identity(), "relu": nn.ReLU(), "tanh": nn.Tanh(), "gelu": nn.GELU()}
BLOCKS = st.builds(
    Experiment,
    width=st.sampled_from([2, 5, 16]),
    depth=st.integers(1, 4),
    init=st.sampled_from(["kaiming_normal", "kaiming_uniform_fan_out", "orthogonal", "lsuv"]),
    activation=st.sampled_from(list(PHI)),
    weights=st.sampled_from(["tied", "fresh"]),
    bias_std=st.sampled_from([0.0, 0.3]),
    number_format=st.just("float64"),
    batch_size=st.sampled_from([2, 3, 8]),
    seed=st.integers(0, 1000),
    branch=st.sampled_from(list(BRANCHES)),
    expansion=st.sampled_from([1, 2, 4]),
    skip=st.sampled_from(list(SKIPS)),
    branch_scale=st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    norm=st.sampled_from(list(NORMS)),
    norm_place=st.sampled_from(list(NORM_PLACES)),
    input=st.sampled_from(list(INPUTS)),
    input_scale=st.sampled_from([1.0, 0.5]),
)


def _norm(e: Experiment, units: int) -> nn.Module:
    if e.norm == "batch":
        return nn.BatchNorm1d(units, affine=False, dtype=torch.float64).train()
    if e.norm == "layer":
        return nn.LayerNorm(units, elementwise_affine=False)
    return nn.RMSNorm(units, eps=1e-5, elementwise_affine=False)


def _linear(a: torch.Tensor, b: torch.Tensor | None) -> nn.Linear:
    linear = nn.Linear(a.shape[1], a.shape[0], bias=b is not None, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(a)
        if b is not None:
            linear.bias.copy_(b.flatten())
    return linear


def _flat(parameters: list) -> list[torch.Tensor]:
    """The tensors of a layer, in the order in which they are drawn."""
    found = []
    for each in parameters:
        found += _flat(each) if isinstance(each, list) else [each] * (each is not None)
    return found


class Block(nn.Module):
    """A layer as its authors write it, with rows instead of columns for the inputs."""

    def __init__(self, e: Experiment, parameters: list[torch.Tensor]) -> None:
        super().__init__()
        step = 2 if e.bias_std else 1
        pairs = [parameters[k : k + step] for k in range(0, len(parameters), step)]
        linears = [_linear(pair[0], pair[1] if e.bias_std else None) for pair in pairs]
        phi, hidden = PHI[e.activation], linears[0].out_features
        inside = [_norm(e, hidden)] if e.norm != "none" and e.norm_place == "inside" else []
        parts = {
            "product": [linears[0], *inside, phi],
            "preactivation": [phi, *inside, linears[0]],
            "mlp": [linears[0], *inside, phi, linears[-1]],
        }[e.branch]
        if e.norm != "none" and e.norm_place == "before":
            parts = [_norm(e, e.width), *parts]
        self.branch, self.e = nn.Sequential(*parts), e
        after = e.norm != "none" and e.norm_place == "after"
        self.after = _norm(e, e.width) if after else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.e.skip == "none":
            return self.after(self.branch(x))
        return self.after(x + self.e.branch_scale * self.branch(x))


def _blocks(e: Experiment) -> nn.Sequential:
    """All layers, with the matrices that a run draws; a fitted matrix sees the signal."""
    x = draw_input(e, CPU)
    blocks: list[nn.Module] = []
    drawn: list[torch.Tensor] = []
    for k in range(1, e.depth + 1):
        if not drawn or e.weights == "fresh":
            with torch.no_grad():
                seen = nn.Sequential(*blocks)(x.T).T.contiguous()
            drawn = _flat(draw_layer(e, k, CPU, seen))
        blocks.append(Block(e, drawn))
    return nn.Sequential(*blocks)


def _no_unit_is_constant(e: Experiment) -> bool:
    """Whether no norm divides by a deviation of 0 that only rounding decides about."""
    return e.norm == "none" or e.norm == "rms" or e.input != "ones"


@settings(deadline=None, max_examples=150)
@given(e=BLOCKS)
def test_every_layer_is_that_of_torch(e):
    if not _no_unit_is_constant(e):
        e = e.replace(input="normal")
    x = draw_input(e, CPU).requires_grad_()
    layers = [x.T]
    for block in _blocks(e):
        layers.append(block(layers[-1]))
        layers[-1].retain_grad()
    back = backpropagate(e)
    out = layers[-1].T.detach().numpy()
    # Both add in float64, in another order; norms with ε = 1e-5 raise errors at most 300-fold a
    # layer, where a signal is nothing but ε.
    scale = max(1.0, np.abs(out).max())
    np.testing.assert_allclose(propagate(e).final, out, rtol=1e-9, atol=1e-9 * scale)
    (layers[-1].T * draw_output_gradient(e, CPU)).sum().backward()
    gradient = x.grad.numpy()
    size = max(1.0, np.abs(gradient).max())
    np.testing.assert_allclose(back.final, gradient, rtol=1e-8, atol=1e-8 * size)


@settings(deadline=None, max_examples=60)
@given(
    e=BLOCKS,
    number_format=st.sampled_from(["float32", "float64", "float16", "bfloat16", "float8_e5m2"]),
    batch_size=st.sampled_from([1, 4]),
)
def test_a_script_prints_the_bits_of_every_layer(e, number_format, batch_size):
    if e.norm == "batch":
        batch_size = max(2, batch_size)
    e = e.replace(number_format=number_format, batch_size=batch_size)
    back, printed = backpropagate(e), io.StringIO()
    with redirect_stdout(printed):
        exec(to_script(e, backward=True), {})
    lines = [line for line in printed.getvalue().splitlines() if "mean: " in line]
    for line, stats, layer in zip(lines, (back.run.stats, back.stats), (-1, 0), strict=True):
        mean, std = (float(part.split(": ")[1]) for part in line.split(", "))
        np.testing.assert_array_equal((mean, std), (stats.mean[layer], stats.std[layer]))
