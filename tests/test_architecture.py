"""Imports run one way: each folder imports what its row names, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Folder of core -> the folders that it may import, in the order of building.
CORE: dict[str, set[str]] = {
    "text": set(),
    "maths": set(),
    "layer": {"text", "maths"},
    "question": {"text", "layer"},
    "statistics": {"maths", "layer"},
    "host": {"layer", "question", "statistics"},
    "theory": {"text", "maths", "layer", "question"},
    "simulation": {"text", "maths", "layer", "question", "statistics", "host"},
}
CORE["reading"] = set(CORE) - {"host"}
CORE["sweep"] = set(CORE) - {"reading"}
CORE["maps"] = {"text", "maths", "question", "host", "theory", "sweep"}
CORE["lesson"] = set(CORE) - {"statistics", "sweep", "maps"}
CORE["papers"] = set(CORE) - {"host"}
CORE["charts"] = set(CORE) - {"host"}
CORE["probe"] = {"text", "maths", "layer", "statistics", "charts"}
CORE["specimens"] = {"text", "layer", "probe"}

# Folder of pages -> the folders of pages that it may import besides core.
PAGES: dict[str, set[str]] = {
    "controls": set(),
    "words": set(),
    "work": set(),
    "figures": {"work"},
    "maps": {"controls", "work"},
    "course": {"controls", "figures", "words", "work"},
    "poll": {"controls", "figures", "words", "work"},
    "exploring": {"controls", "figures", "words", "work", "poll"},
    "literature": {"controls"},
    "checking": {"controls", "words"},
    "serving": {"work", "figures", "maps", "poll"},
}

MOST_LINES = 40  # of a function, without its docstring: what fits on a screen


def imported(path: Path) -> set[str]:
    """Dotted names of all that a file imports, relative imports made absolute."""
    names = set()
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def floor_of(path: Path, top: str) -> str:
    """The folder, or the single module, of core or pages that a file belongs to."""
    return path.relative_to(ROOT / top).parts[0].removesuffix(".py")


def rooms(path: Path, top: str) -> set[str]:
    """The folders of core or pages that a file imports from, its own left out."""
    parts = [name.split(".") for name in imported(path)]
    return {each[1] for each in parts if each[0] == top and len(each) > 1} - {floor_of(path, top)}


def test_every_folder_has_a_row_and_every_row_a_folder():
    for top, rows in (("core", CORE), ("pages", PAGES)):
        folders = {path.parent.name for path in (ROOT / top).glob("*/__init__.py")}
        assert folders == {name for name in rows if name != "text"}, top


@pytest.mark.parametrize("folder", [name for name in [*CORE, *PAGES] if name != "text"])
def test_a_folder_says_in_one_sentence_what_it_is(folder):
    for top in ("core", "pages"):
        face = ROOT / top / folder / "__init__.py"
        if face.exists():
            first = (ast.get_docstring(ast.parse(face.read_text())) or "").split("\n")[0]
            assert len(first) > 20, face


@pytest.mark.parametrize("path", sources("core"), ids=named)
def test_core_imports_what_the_row_of_its_folder_names(path):
    outside = {name.split(".")[0] for name in imported(path)}
    assert not outside & {"streamlit", "pages", "starlette", "app"}
    here = floor_of(path, "core")
    if here not in ("__init__", "__main__"):
        assert rooms(path, "core") <= CORE[here]


@pytest.mark.parametrize("path", sources("core"), ids=named)
def test_imports_inside_core_are_relative(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    absolute = [n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level]
    assert not [name for name in absolute if name and name.split(".")[0] == "core"]


def test_theory_and_simulation_never_import_each_other():
    assert "simulation" not in CORE["theory"]
    assert "theory" not in CORE["simulation"]


def test_no_exercise_imports_another():
    for path in sources("core/lesson/exercises"):
        assert not any(".exercises." in name for name in imported(path)), path


@pytest.mark.parametrize("path", sources("pages"), ids=named)
def test_pages_neither_compute_nor_draw_and_import_what_their_row_names(path):
    names = imported(path)
    assert not {name.split(".")[0] for name in names} & {"torch", "numpy", "scipy", "plotly"}
    here = floor_of(path, "pages")
    folders = rooms(path, "pages")
    assert folders <= PAGES.get(here, set(PAGES) - {"serving"})


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function has, without its docstring."""
    first = function.body[0]
    told = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if told else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


@pytest.mark.parametrize("path", [*sources("core"), *sources("pages")], ids=named)
def test_a_function_fits_on_a_screen(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{named(path)}: {f.name}" for f in functions if lines_of(f) > MOST_LINES}
    assert not long


def test_app_imports_no_core():
    assert not any(name.startswith("core") for name in imported(ROOT / "app.py"))


def test_importing_core_loads_neither_plotly_nor_streamlit():
    check = "import core, sys; print({'plotly', 'streamlit', 'scipy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
