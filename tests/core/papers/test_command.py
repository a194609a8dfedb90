"""``python -m core.papers``."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from core.papers import CLAIMS
from core.papers.__main__ import main
from tests.serving import ROOT


def test_a_row_by_its_name(capsys):
    assert main(["he-vgg", "--small"]) == 0
    printed = capsys.readouterr().out
    assert "he-vgg: Weights of 0.01 in a VGG network" in printed
    assert "He et al. 2015, arXiv:1502.01852" in printed and "1/1.7e4" in printed
    assert "±" in printed and "1 rows" not in printed and "1 row in" in printed


def test_a_row_that_differs_says_why_and_is_no_failure(capsys):
    assert main(["selu-gain", "--small"]) == 0
    printed = capsys.readouterr().out
    assert "differs" in printed and CLAIMS["selu-gain"].why in printed


def test_a_row_that_is_not_what_its_entry_says_is_a_failure(capsys, monkeypatch):
    wrong = replace(CLAIMS["orthogonal-lengths"], printed=("1.0000", "1.0100"))
    monkeypatch.setitem(CLAIMS, wrong.name, wrong)
    assert main([wrong.name, "--small"]) == 1
    printed = capsys.readouterr().out
    assert "NOT AS ITS ENTRY SAYS" in printed
    assert "Not as their entries say: orthogonal-lengths." in printed


def test_an_unknown_name_is_refused_with_the_names_that_there_are(capsys):
    assert main(["lesson-nan", "no-such-row"]) == 2
    out, error = capsys.readouterr()
    assert not out and "there is no row 'no-such-row'" in error
    assert all(name in error for name in CLAIMS)


def test_a_name_that_is_spelt_alike_is_told(capsys):
    assert main(["Lesson-NaN"]) == 2
    assert "perhaps lesson-nan" in capsys.readouterr().err


def test_a_name_given_twice_is_measured_once(capsys):
    assert main(["selu-gain", "selu-gain", "--small"]) == 0
    assert "1 row in" in capsys.readouterr().out


def test_a_reader_may_stop_reading():
    command = [sys.executable, "-m", "core.papers", "selu-gain", "born-dead", "--small"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, bufsize=0
    ) as run:
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 1
