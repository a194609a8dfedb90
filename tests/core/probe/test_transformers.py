"""Models of the transformers library, with random weights, against plain hooks."""

import json
import subprocess
import sys

import pytest

from tests.serving import ROOT

# In a process of its own: the library warns of what is installed beside it.
SCRIPT = """
import json, torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel
from core import check

torch.manual_seed(0)
tokens = torch.randint(500, (2, 32))
sizes = {"n_layer": 4, "n_embd": 128, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0}
gpt = GPT2LMHeadModel(GPT2Config(vocab_size=500, **sizes)).eval()
seen = {}
for name, module in gpt.named_modules():
    note = lambda module, args, output, name=name: seen.update({name: output})
    module.register_forward_hook(note)
report = check(gpt, {"input_ids": tokens, "labels": tokens}, loss=lambda outputs: outputs.loss)
plain = gpt(input_ids=tokens, labels=tokens)
plain.loss.backward()
rms = lambda x: float(x.detach().double().square().mean().sqrt().log2())
rows = {row.name: row for row in report.evidence.rows}
names = [name for name in rows if isinstance(seen.get(name), torch.Tensor)]
weight = gpt.transformer.h[0].attn.c_attn.weight
of_weight = [w for w in rows["transformer.h.0.attn.c_attn"].weights if w.name == "weight"][0]
bert = BertModel(BertConfig(num_hidden_layers=2, hidden_size=64, num_attention_heads=2,
                            intermediate_size=128, vocab_size=500))
print(json.dumps({
    "names": len(names),
    "apart": max(abs(rows[name].output.log2_rms - rms(seen[name])) for name in names),
    "gradient apart": abs(of_weight.gradient.log2_rms - rms(weight.grad)),
    "fan_in": of_weight.fan_in,
    "additions": len(report.evidence.additions),
    "loss apart": abs(report.evidence.loss.value - float(plain.loss)),
    "word": report.word,
    "bert": check(bert, {"input_ids": tokens}).word,
}))
"""


@pytest.fixture(scope="module")
def found():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_gpt_2_has_the_sizes_that_plain_hooks_see(found):
    """Sums in float64 of float32 numbers, added in another order."""
    assert found["names"] > 20
    assert found["apart"] < 1e-9
    assert found["gradient apart"] < 1e-5  # products are added in another order by two threads
    assert found["loss apart"] < 1e-5


def test_both_branches_of_each_block_are_added_to_the_stream(found):
    assert found["additions"] == 2 * 4


def test_the_matrix_of_a_conv1d_has_its_inputs_first(found):
    assert found["fan_in"] == 128


def test_gpt_2_and_bert_are_healthy_as_their_library_draws_them(found):
    assert (found["word"], found["bert"]) == ("healthy", "healthy")
