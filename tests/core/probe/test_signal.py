"""Signal: sizes in formats that cannot hold their own squares, and activations in place."""

import numpy as np
import pytest
import torch
from torch import nn

from core.probe.check import check
from core.probe.signal import Signal, mean_of

from .models import Call, mlp, normal, randn


@pytest.mark.parametrize("exponent", [100, -100, 126, -140])
def test_squares_that_float32_cannot_hold_are_no_infinity(exponent):
    model = normal(mlp(4, 32), 2**0.5)
    batch = torch.ldexp(randn(8, 32) / 8, torch.tensor(exponent))
    report = check(model, batch)
    y = batch.double()
    with torch.no_grad():
        for row, layer in zip(report.evidence.rows, model.double(), strict=True):
            y = layer(y)
            rms = np.log2(y.square().mean().sqrt().item())
            assert row.output.nonfinite == 0
            assert row.output.log2_rms == pytest.approx(rms, abs=1e-3 if exponent > -140 else 0.1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_models_of_other_formats_are_measured_in_float64(dtype):
    model = normal(mlp(5, 32), 2**0.5).to(dtype)
    batch = (256 * randn(8, 32)).to(dtype)
    report = check(model, batch)
    assert report.evidence.number_format == str(dtype).removeprefix("torch.")
    y = batch
    with torch.no_grad():
        for row, layer in zip(report.evidence.rows, model, strict=True):
            y = layer(y)
            rms = np.log2(np.sqrt(np.mean(y.double().numpy() ** 2)))
            assert row.output.log2_rms == pytest.approx(rms, abs=1e-9)
            assert row.output.nonfinite == 0 and row.gradient.nonfinite == 0


def test_what_has_no_size_is_told_by_its_logarithm():
    zero = Signal.of(torch.zeros(7))
    assert zero.log2_rms == zero.log2_max_abs == -np.inf and zero.zero == 1 and not zero.octaves
    broken = Signal.of(torch.tensor([1.0, torch.inf, 0.0, 2.0]))
    assert broken.log2_rms == np.inf and broken.nonfinite == broken.zero == 0.25
    lost = Signal.of(torch.tensor([1.0, torch.nan]))
    assert np.isnan(lost.log2_rms) and lost.nonfinite == 0.5


def test_a_large_tensor_is_counted_piece_by_piece_to_the_same_sizes():
    x = torch.cat([randn(2**20) * 1e30, randn(2**20 - 1, seed=2), torch.zeros(2)])
    found, wide = Signal.of(x), x.double()
    assert found.log2_rms == pytest.approx(np.log2(wide.square().mean().sqrt().item()), abs=1e-9)
    assert found.log2_std == pytest.approx(np.log2(wide.std(unbiased=False).item()), abs=1e-9)
    assert found.zero == (x == 0).double().mean() and sum(found.octaves) == (x != 0).sum()
    assert found.share_below(40) == pytest.approx(((x.abs() < 2**40) & (x != 0)).double().mean())


def test_the_mean_of_signals_holds_all_of_their_elements():
    parts = [Signal.of(randn(50, seed=k) * 4.0**k) for k in range(3)]
    whole = mean_of(parts)
    assert whole.count == 150 and sum(whole.octaves) == 150
    assert whole.log2_rms == pytest.approx(np.mean([each.log2_rms for each in parts]))
    assert whole.log2_max_abs == max(each.log2_max_abs for each in parts)
    broken = [*parts, Signal.of(torch.zeros(3)), Signal.of(torch.tensor([torch.inf]))]
    assert mean_of(broken).log2_rms == np.inf
    assert mean_of(broken[:-1]).log2_rms == -np.inf


@pytest.mark.parametrize(
    "phi",
    [nn.ReLU, nn.ELU, nn.SELU, nn.SiLU, nn.Hardtanh, nn.ReLU6, nn.Hardswish, nn.Mish, nn.LeakyReLU],
)
def test_an_activation_in_place_is_as_flat_as_one_that_is_not(phi):
    batch = 3 * randn(64, 16)
    found = [
        check(nn.Sequential(nn.Linear(16, 16), phi(inplace=inplace)), batch, seeds=1).evidence.rows
        for inplace in (False, True)
        if torch.manual_seed(2)
    ]
    assert found[0][1].flat == found[1][1].flat
    assert found[0][0].output == found[1][0].output


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "gelu", "silu"])
def test_an_activation_as_a_function_is_told_like_its_module(name):
    layer, module = nn.Linear(16, 16), {"gelu": "GELU", "silu": "SiLU", "relu": "ReLU"}
    phi = getattr(nn, module.get(name, name.capitalize()))()
    function = getattr(nn.functional, name)
    batch = 5 * randn(64, 16)
    one = check(Call(lambda self, x: self.phi(self.layer(x)), layer=layer, phi=phi), batch)
    other = check(Call(lambda self, x: function(self.layer(x)), layer=layer), batch)
    a, b = one.evidence.rows[-1], other.evidence.rows[-1]
    assert b.name == f"{name}()" and b.role == a.role == "activation"
    assert (a.output, a.gradient, a.dead, a.flat) == (b.output, b.gradient, b.dead, b.flat)
