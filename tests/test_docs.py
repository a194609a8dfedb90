"""The documents: every path exists, every link resolves, every block of Python runs."""

from __future__ import annotations

import importlib
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

import core
import core.sweep
from core import mean_field
from tests.test_architecture import CORE, PAGES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
TEXTS = {path: path.read_text() for path in DOCUMENTS}
API = TEXTS[ROOT / "docs" / "api.md"]

FOLDERS = ("core", "pages", "tests", "docs", "deploy", r"\.ci", r"\.streamlit")
PATH = re.compile(rf"(?<![\w/.~-])(?:{'|'.join(FOLDERS)})/[\w./@*-]*[\w/*]")
MODULE = re.compile(r"python -m ((?:core|tests)[\w.]*)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")

named = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


def blocks(path, language):
    return [body for name, body in BLOCK.findall(TEXTS[path]) if name == language]


def without_blocks(path):
    return BLOCK.sub("", TEXTS[path])


def anchors(path):
    """What GitHub calls the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(path), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@named
def test_every_path_that_is_named_exists(path):
    missing = [each for each in PATH.findall(TEXTS[path]) if not list(ROOT.glob(each))]
    assert not missing


@named
def test_every_module_that_is_to_be_run_exists(path):
    for module in MODULE.findall(TEXTS[path]):
        assert find_spec(module), module


@named
def test_every_link_resolves(path):
    for link in LINK.findall(without_blocks(path)):
        if "://" in link or link.startswith("?"):  # of the app: see tests/test_why_sqrt_5.py
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@named
def test_every_block_of_python_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some of them write files
    names: dict[str, object] = {}
    for body in blocks(path, "python"):
        exec(compile(body, path.name, "exec"), names)


def test_the_documents_of_the_api_have_code_that_is_run():
    assert (
        blocks(ROOT / "README.md", "python") and len(blocks(ROOT / "docs" / "api.md", "python")) > 9
    )


def commands(path):
    lines = [line for body in blocks(path, "sh") for line in body.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("python -m core")]


@pytest.mark.parametrize("command", commands(ROOT / "docs" / "api.md"), ids=" ".join)
def test_every_command_of_the_api_ends_well(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    module, *arguments = command
    assert importlib.import_module(f"{module}.__main__").main(arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("module", [core, core.sweep, mean_field], ids=lambda each: each.__name__)
def test_every_public_name_is_described(module):
    told = set(re.findall(r"\w+", API))
    assert not set(module.__all__) - told


def rows(heading):
    """Folder -> what CONTRIBUTING says that it may import."""
    text = TEXTS[ROOT / "CONTRIBUTING.md"].split(f"\n### {heading}\n")[1].split("\n### ")[0]
    found = re.findall(r"^\| `([\w.]+)/?` \| .+ \| (.+) \|$", text, re.MULTILINE)
    above: list[str] = []
    meant: dict[str, set[str]] = {}
    for folder, words in found:
        folder = folder.removesuffix(".py")
        said = {part.strip() for part in words.removeprefix("all above but ").split(",")}
        meant[folder] = set(above) - said if words.startswith("all above") else said - {"nothing"}
        above.append(folder)
    return meant


def test_the_tables_of_the_house_are_the_rows_that_are_held():
    assert rows("core") == CORE
    assert rows("pages") == PAGES


def test_pictures_are_small_and_all_of_them_are_shown():
    shown = set(re.findall(r"\((docs/pictures/[\w-]+\.png)\)", TEXTS[ROOT / "README.md"]))
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert {str(picture.relative_to(ROOT)) for picture in pictures} == shown
    assert len(shown) == 8 and all(picture.stat().st_size < 120_000 for picture in pictures)
