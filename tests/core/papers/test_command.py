"""``python -m core.papers``."""

from __future__ import annotations

from dataclasses import replace

from core.papers import CLAIMS
from core.papers.__main__ import main


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
