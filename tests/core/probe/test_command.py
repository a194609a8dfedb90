"""The command: its exit statuses, its files, and what it says of what it is given."""

import json
import re
import subprocess
import sys

import pytest
import torch

from core.probe import __main__ as command
from core.probe.inputs import batch_of, tensor_of
from core.probe.report import Report
from tests.serving import ROOT

MODELS = """
import torch
from torch import nn


def deep(fill):
    model = nn.Sequential(*(layer for _ in range(30) for layer in (nn.Linear(64, 64), nn.ReLU())))
    for layer in model[::2]:
        fill(layer.weight)
        nn.init.zeros_(layer.bias)
    return model


def broken():
    return deep(nn.init.normal_)


def healthy():
    return deep(nn.init.kaiming_normal_)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.head = nn.Embedding(100, 32), nn.Linear(32, 100)

    def forward(self, tokens, scale=None):
        return self.head(self.tokens(tokens)).transpose(1, 2)


def raises():
    raise KeyError("a weight")


def number():
    return 3


ready = healthy()
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command where a module `mine` is; returns status, what it prints, and errors."""
    (tmp_path / "mine.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("mine", None)

    def run(*arguments):
        try:
            status = command.main(list(arguments))
        except SystemExit as stopped:
            status = stopped.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_a_healthy_model_exits_with_0(run):
    status, out, err = run("mine:healthy", "--input", "16x64")
    assert status == 0
    assert out.startswith("Healthy. Forward, the rms goes from")
    assert "3 of at most 4 runs" in err


def test_a_broken_model_exits_with_1_and_is_healthy_with_the_fix(run):
    status, out, _ = run("mine:broken", "--input", "16x64")
    assert status == 1
    assert out.startswith("Explodes.") and "gradient_explodes  0: × " in out
    status, out, _ = run("mine:broken", "--input", "16x64", "--fix")
    assert status == 0
    _, after, lines = out.split("\n\n")
    assert after.startswith("With the factors:\nHealthy.")
    assert len(re.findall(r'model\.get_parameter\("\d+\.weight"\)\.mul_\(0\.\d+\)', lines)) == 30


def test_both_files_are_written_and_the_json_is_the_report(run, tmp_path):
    run("mine:broken", "--input", "16x64", "--html", "a.html", "--json", "a.json")
    page = (tmp_path / "a.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    report = Report.read((tmp_path / "a.json").read_text())
    assert report.word == "explodes"
    assert json.loads((tmp_path / "a.json").read_text())["evidence"]["seeds"] == 3


def test_integers_feed_embeddings_and_labels_give_a_loss(run):
    status, out, _ = run(
        "mine:Tokens", "--input", "int64:4x10:100", "--target", "int64:4x10:100", "--seeds", "1"
    )
    assert (status, out.split(".")[0]) == (0, "Healthy")
    named = run("mine:Tokens", "--input", "tokens=int64:4x10:100", "--seeds", "1")
    assert named[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nine:build", "--input", "3"], "there is no module 'nine'"),
        (["mine.build", "--input", "3"], "must be named as package.module:build"),
        (["mine:nothing", "--input", "3"], "the module mine has no 'nothing'"),
        (["mine:ready", "--input", "3"], "must be a function or a class that builds"),
        (["mine:number", "--input", "3"], "mine:number must build a module, got int"),
        (["mine:raises", "--input", "3"], "mine:raises raised KeyError: 'a weight'"),
        (["mine:healthy", "--input", "16x65"], "the model's forward raised in 0: RuntimeError"),
        (["mine:healthy", "--input", "16y65"], "--input must be a shape such as"),
        (["mine:healthy", "--input", "16x0"], "must have from 1 to"),
        (["mine:healthy", "--input", "16x64", "--seeds", "0"], "--seeds must be from 1"),
        (["mine:healthy", "--input", "16x64", "--number-format", "half"], "one of float64, fl"),
        (["mine:healthy", "--input", "16x64", "--json", "none/a.json"], "No such file"),
        (["mine:Tokens", "--input", "tokens=int64:4:9", "--input", "3"], "for all inputs, or"),
        (["mine:healthy"], "the following arguments are required: --input"),
    ],
)
def test_what_could_not_be_run_exits_with_2_and_says_why(run, arguments, told):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "name", "dtype", "shape"),
    [
        ("8x3", "", torch.float32, (8, 3)),
        ("float16:2x2", "", torch.float16, (2, 2)),
        ("int64:8x128:50257", "", torch.int64, (8, 128)),
        ("tokens=int32:5:7", "tokens", torch.int32, (5,)),
    ],
)
def test_a_shape_becomes_a_tensor(text, name, dtype, shape):
    found, tensor = tensor_of(text, torch.Generator().manual_seed(0))
    assert (found, tensor.dtype, tuple(tensor.shape)) == (name, dtype, shape)


@pytest.mark.parametrize(
    "text",
    ["", "x", "3x", "3:5", "int64:3", "int64:3:0", "float3:3", "a=b=3", "int64:3:9999999999"],
)
def test_other_texts_are_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match="--input must"):
        tensor_of(text, torch.Generator())


def test_integers_are_below_their_limit_and_the_same_in_every_run():
    first, again = (
        batch_of(["int64:1000:7"], torch.Generator().manual_seed(0))[0] for _ in range(2)
    )
    assert set(first.tolist()) == set(range(7))
    assert first.equal(again)


def test_the_module_runs_as_a_command(tmp_path):
    (tmp_path / "mine.py").write_text(MODELS)
    asked = [sys.executable, "-m", "core.probe", "mine:broken", "--input", "8x64", "--seeds", "1"]
    environment = {"PYTHONPATH": f"{ROOT}", "PATH": ""}
    done = subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("Explodes.")
