"""Specimens: their published sizes and behaviour, and what a check of the largest costs."""

import json
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from core.probe.check import check
from core.specimens.plain import LSTM, lenet, mlp, vgg_16
from core.specimens.residual import ResNet, end_branches_at_zero
from core.specimens.transformers import GPT, ViT, draw_as_gpt

from .models import normal, randn

_CHECKED = """
import json, resource, sys, time
import torch
from core.probe.check import check
from core.specimens.residual import ResNet
from core.specimens.transformers import GPT, draw_as_gpt

torch.manual_seed(0)
if sys.argv[1] == "resnet-50":
    model, batch = ResNet((3, 4, 6, 3), bottleneck=True), torch.randn(4, 3, 112, 112)
    target = torch.arange(4)
else:
    model, batch = GPT(12, 768, 12), torch.randint(50257, (2, 64))
    draw_as_gpt(model, end_of_branch=24**-0.5)
    target = torch.randint(50257, (2, 64))
before = time.perf_counter()
report = check(model, batch, target=target)
seconds = time.perf_counter() - before
mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
print(json.dumps({"seconds": seconds, "mib": mib, "word": report.word, "verdict": report.verdict}))
"""


def size(*parts):
    return sum(each.numel() for part in parts for each in part.parameters())


def convolutions(model):
    return [each for each in model.modules() if isinstance(each, nn.Conv2d)]


@pytest.mark.parametrize("name", ["resnet-50", "gpt-2"])
def test_large_models_are_checked_within_20_s_and_3_gib(name):
    asked = [sys.executable, "-c", _CHECKED, name]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    told = subprocess.run(asked, check=True, capture_output=True, text=True, env=alone).stdout
    found = json.loads(told)
    assert found["word"] == "healthy", found["verdict"]
    assert found["seconds"] < 20 and found["mib"] < 3 * 2**10


def test_models_have_as_many_parameters_as_published():
    with torch.device("meta"):
        assert size(ResNet((3, 4, 6, 3), bottleneck=True)) == 25_557_032
        assert size(ResNet((2, 2, 2, 2), bottleneck=False)) == 11_689_512
        assert size(GPT(12, 768, 12)) == 124_439_808
        assert size(*convolutions(vgg_16())) == 14_714_688
        assert size(ViT(12, 192, 3)) == 5_717_416
        assert size(lenet()) == 61_706
        assert size(mlp(2, 300)) == 785 * 300 + 301 * 300 + 301 * 10
        assert size(LSTM(2, 64).lstm) == 2 * (4 * 64 * (64 + 64) + 2 * 4 * 64)


def test_models_give_logits_of_their_classes():
    images, tokens = randn(2, 3, 64, 64), torch.randint(50, (2, 7))
    assert vgg_16(width=8, batch_norm=True)(images).shape == (2, 1000)
    assert ResNet((1, 1), bottleneck=True, width=8, classes=7)(images).shape == (2, 7)
    assert ViT(2, 32, 4, side=64, classes=7)(images).shape == (2, 7)
    assert GPT(2, 32, 4, vocabulary=50, most_tokens=7)(tokens).shape == (2, 7, 50)
    assert LSTM(2, 32, vocabulary=50)(tokens).shape == (2, 7, 50)
    assert lenet()(randn(2, 1, 28, 28)).shape == mlp(2, 30)(randn(2, 1, 28, 28)).shape == (2, 10)


def test_a_decoder_sees_no_token_after_its_own():
    torch.manual_seed(0)
    tokens, model = torch.randint(50, (1, 8)), GPT(2, 32, 4, vocabulary=50, most_tokens=8)
    changed = tokens.clone()
    changed[0, 5] = (tokens[0, 5] + 1) % 50
    with torch.no_grad():
        differs = (model(tokens) - model(changed)).abs().amax(-1)[0] > 1e-6
    assert differs.tolist() == [False] * 5 + [True] * 3


def he(model, seed=0):
    """He's rule for convolutions, as of the paper and of torchvision."""
    torch.manual_seed(seed)
    for each in convolutions(model):
        nn.init.kaiming_normal_(each.weight, mode="fan_out", nonlinearity="relu")
    return model


def test_a_residual_network_needs_its_norm():
    images, asked = randn(8, 3, 64, 64), {"target": torch.arange(8)}
    build = {"blocks": (3, 4, 6, 3), "bottleneck": True, "width": 16}
    plain = check(he(ResNet(**build, batch_norm=False)), images, **asked)
    assert "explodes" in plain.forward
    sums = [each.log2_sum for each in plain.evidence.additions]
    assert len(sums) == 16 and sums[-1] - sums[0] > 4
    normed = check(he(ResNet(**build)), images, **asked)
    assert normed.is_healthy, normed.verdict
    scaled = check(he(ResNet(**build, batch_norm=False, scale=0.1)), images, **asked)
    assert "explodes" not in scaled.forward


def test_blocks_that_begin_as_their_shortcut_add_nothing():
    model = he(ResNet((2, 2), bottleneck=False, width=8, classes=10))
    end_branches_at_zero(model)
    report = check(model, randn(8, 3, 32, 32), target=torch.arange(8))
    branches = [each.log2_branch for each in report.evidence.additions]
    assert branches == [-torch.inf] * 4
    assert not {"symmetry", "outgrown_stream"} & {each.rule for each in report.findings}


def growth(end_of_branch, depth=24):
    torch.manual_seed(0)
    model = GPT(depth, 128, 4, vocabulary=200, most_tokens=32)
    draw_as_gpt(model, end_of_branch=end_of_branch)
    tokens = torch.randint(200, (4, 32), generator=torch.Generator().manual_seed(0))
    additions = check(model, tokens, target=tokens).evidence.additions
    branches = [each for each in additions if each.log2_branch < torch.inf]
    return branches[-1].log2_sum - branches[0].log2_stream


def test_gpt_2_keeps_its_stream_small_by_one_over_the_root_of_its_branches():
    smaller, larger = growth(48**-0.5), growth(1.0)
    assert 0 <= smaller < 1 < larger and larger - smaller > 1


def test_a_stream_with_its_norm_after_each_addition_stays():
    tokens = torch.randint(200, (4, 32), generator=torch.Generator().manual_seed(0))
    build = {"vocabulary": 200, "most_tokens": 32}
    after = check(normal(GPT(12, 64, 4, norm_place="after", **build), 1.0), tokens)
    rows = [row for row in after.evidence.rows if row.kind == "LayerNorm"]
    assert len(rows) == 24 and all(abs(row.output.log2_rms) < 0.01 for row in rows)


def test_vgg_16_of_the_default_loses_its_signal_and_he_keeps_it():
    torch.manual_seed(0)
    images, model = randn(2, 3, 64, 64), vgg_16()
    lost = check(model, images, target=torch.arange(2))
    assert lost.evidence.forward.total < -4
    kept = check(he(model), images, target=torch.arange(2))
    assert abs(kept.evidence.forward.total) < 3
