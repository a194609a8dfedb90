"""The folder core as an installed package: a wheel, used where nothing else of it is."""

import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.serving import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SCRIPT = """
import good_init, torch
from good_init import check, Experiment, propagate
assert good_init.__file__.startswith({home!r}), good_init.__file__
assert check(torch.nn.Linear(64, 64), torch.randn(8, 64)).word == "healthy"
assert propagate(Experiment()).events.first_nonfinite == 28
try:
    import core
except ModuleNotFoundError:
    print("alone")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what the repository has."""
    source = tmp_path_factory.mktemp("source")
    for name in ("core", "pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
        subprocess.run(["cp", "-r", ROOT / name, source], check=True)
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", folder, source]
    subprocess.run(command, check=True, capture_output=True)
    [found] = folder.glob("*.whl")
    return found


def test_every_module_and_every_file_of_core_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as packed:
        inside = {name for name in packed.namelist() if name.startswith("good_init/")}
    files = (path for path in (ROOT / "core").rglob("*") if path.is_file())
    ours = {
        f"good_init/{path.relative_to(ROOT / 'core')}"
        for path in files
        if "__pycache__" not in path.parts
    }
    assert inside == ours


def test_the_extra_has_what_the_app_needs(wheel):
    with zipfile.ZipFile(wheel) as packed:
        [name] = [each for each in packed.namelist() if each.endswith("METADATA")]
        metadata = packed.read(name).decode()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert any("streamlit==" in line and "extra == " in line for line in needed)
    bare = [line for line in needed if "extra" not in line]
    assert not any("streamlit" in line for line in bare)
    assert any("torch" in line for line in bare)


def test_the_pinned_versions_are_among_those_that_the_package_allows():
    packaging = pytest.importorskip("packaging.requirements")
    pinned = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if "==" in line:
            name, version = line.split(";")[0].strip().split("==")
            pinned[name] = version
    for text in PROJECT["project"]["dependencies"]:
        asked = packaging.Requirement(text)
        assert asked.specifier.contains(pinned[asked.name]), text


def test_the_wheel_works_where_nothing_else_of_this_repository_is(wheel, tmp_path):
    """A new environment, which has the wheel and the libraries that it needs."""
    home = tmp_path / "clean"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True)
    [packages] = (home / "lib").glob("python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = SCRIPT.format(home=str(packages))
    clean = {"PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [python, "-c", script], cwd=tmp_path, env=clean, capture_output=True, text=True
    )
    assert done.stdout.strip() == "alone", done.stderr
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n\ndef build():\n    return nn.Linear(9, 9)\n"
    )
    command = [python, "-m", "good_init.probe", "mine:build", "--input", "4x9", "--html", "a.html"]
    done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Healthy.")
    assert Path(tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")
