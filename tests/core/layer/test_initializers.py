import math

import pytest
import torch

from core import ACTIVATIONS, INITIALIZERS
from core.layer.sparse import kept_outputs

N = 400
RELU = ACTIVATIONS["relu"]
TORCH_RULES = {
    "normal": lambda w: torch.nn.init.normal_(w),
    "xavier_normal": lambda w: torch.nn.init.xavier_normal_(w),
    "xavier_uniform": lambda w: torch.nn.init.xavier_uniform_(w),
    "kaiming_normal": lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "kaiming_uniform": lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    "torch_linear": lambda w: torch.nn.init.kaiming_uniform_(w, a=math.sqrt(5)),
    "uniform": lambda w: torch.nn.init.uniform_(w, -math.sqrt(3), math.sqrt(3)),
    "identity": lambda w: torch.nn.init.eye_(w),
    "zeros": lambda w: torch.nn.init.zeros_(w),
    "orthogonal": lambda w: torch.nn.init.orthogonal_(w),
}


def draw(name, fan_in=N, fan_out=N, seed=1, activation=RELU):
    generator = torch.Generator().manual_seed(seed)
    return INITIALIZERS[name].sample(fan_in, fan_out, activation, generator=generator)


def rms(w):
    return w.double().square().mean().sqrt().item()


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("shape", [(N, N), (300, 200), (200, 300)])
def test_entries_have_the_stated_std(name, shape):
    fan_out, fan_in = shape
    w = draw(name, fan_in, fan_out)
    assert w.shape == shape and w.dtype == torch.float32
    stated = INITIALIZERS[name].weight_std(fan_in, fan_out, RELU)
    # The rms of m independent entries has a relative standard error of at most √(κ/4m) with
    # kurtosis κ ≤ 30 (sparse); five of those. spectral's stated std is a limit, 2 % away here.
    error = 5 * math.sqrt(30 / (4 * w.numel()))
    assert rms(w) == pytest.approx(stated, rel=max(error, 0.02), abs=0)
    mean = 1 / max(shape) if name == "identity" else 0
    assert abs(w.double().mean().item() - mean) <= 5 * stated / math.sqrt(w.numel())


@pytest.mark.parametrize("name", TORCH_RULES)
def test_std_and_range_agree_with_torch(name):
    torch.manual_seed(0)
    theirs, ours = TORCH_RULES[name](torch.empty(300, 200)), draw(name, 200, 300)
    # Two independent samples of 60,000 entries: five standard errors of the ratio.
    assert rms(ours) == pytest.approx(rms(theirs), rel=5 * math.sqrt(2 / 60_000), abs=1e-12)
    if "uniform" in name or name == "torch_linear":
        assert ours.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=1e-3)


def test_orthogonal_is_orthogonal_and_uniformly_signed():
    for shape in ((64, 64), (80, 50), (50, 80)):
        w = draw("orthogonal", shape[1], shape[0]).double()
        gram = w.T @ w if shape[0] >= shape[1] else w @ w.T
        # float32 QR: a few eps·√n.
        torch.testing.assert_close(gram, torch.eye(len(gram)).double(), rtol=0, atol=5e-6)
    # Without the correction of signs, the diagonal of QR's Q is mostly negative.
    signs = [draw("orthogonal", 8, 8, seed=seed)[0, 0].sign().item() for seed in range(400)]
    assert abs(sum(signs)) < 5 * math.sqrt(400)


def test_spectral_norm_is_one():
    norm = torch.linalg.matrix_norm(draw("spectral").double(), 2)
    assert norm.item() == pytest.approx(1, abs=1e-5)


def test_truncated_normal_is_cut_and_rescaled():
    w = draw("truncated_normal", 1000, 1000)
    cut = 2 / 0.8796256610342398
    assert w.abs().max().item() <= cut * (1 + 1e-6)
    assert w.abs().max().item() > 0.999 * cut
    # A million entries: the std has a standard error of about 0.06 %.
    assert w.std().item() == pytest.approx(1, abs=5 * 6e-4)


@pytest.mark.parametrize("n", [1, 2, 9, 10, 400])
def test_sparse_keeps_the_same_number_in_every_column(n):
    kept = (draw("sparse", n, n) != 0).sum(0)
    assert set(kept.tolist()) == {kept_outputs(0.1, n)}


def test_sparse_leaves_as_many_zeros_as_torch():
    theirs = torch.nn.init.sparse_(torch.empty(N, N), sparsity=0.9)
    assert (draw("sparse") == 0).sum() == (theirs == 0).sum()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_critical_keeps_the_second_moment_of_every_activation(name):
    phi = ACTIVATIONS[name]
    w = draw("critical", 1000, 1000, activation=phi).double()
    x = torch.randn(1000, 30, generator=torch.Generator().manual_seed(3)).double()
    h = w @ phi(x)
    # E[h²] = gain²·E[φ²] = 1. 30,000 correlated values: a few per cent.
    assert h.square().mean().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_code_draws_the_same_matrix_to_the_last_bit(name):
    for n, m in ((1, 1), (7, 7), (40, 40), (7, 28), (28, 7)):
        names = {"torch": torch, "n": n, "m": m, "generator": torch.Generator().manual_seed(1)}
        lines = INITIALIZERS[name].lines("a", "m", "n", RELU.gain, wide=m < n)
        exec("\n".join(lines), names)
        assert torch.equal(names["a"], draw(name, n, m))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_drawing_leaves_torchs_own_generator_alone(name):
    before = torch.get_rng_state()
    draw(name, 8, 8)
    assert torch.equal(before, torch.get_rng_state())
