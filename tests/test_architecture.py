"""Imports run one way; core knows no page, a page knows no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module may import the modules of earlier tiers, and of its own.
TIERS = (
    {"quadrature", "closed_forms", "roots", "streams", "parameter", "lsuv"},
    {"activations", "number_formats"},
    {"initializers"},
    {"experiment", "histogram", "length_law", "hessenberg"},
    {"moments", "fixed_points", "correlations", "edge", "mean_field"},
    {"gains", "windows", "homogeneous_law", "tied_law", "markov_law", "fading", "range_events"},
    {"finite_width", "borders"},
    {"settings", "options"},
    {"tally", "devices"},
    {"memory"},
    {"layer_stats"},
    {"notebook"},
    {"propagate", "products", "sampler"},
    {"diagnosis", "scale_free"},
    {"verdict", "snippet", "records", "preview", "pins", "comparison", "expectation", "guesses"},
    {"lesson", "sweep"},
    {"coordinate_check"},
    {"charts"},
    {"__main__", "__init__"},
)


def imported(path: Path) -> set[str]:
    """Dotted names of all that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def tier(module: str) -> int:
    found = [place for place, names in enumerate(TIERS) if module in names]
    assert found, f"core/{module}.py has no place in the order of imports"
    return found[0]


@pytest.mark.parametrize("path", sources("core"), ids=lambda path: str(path.relative_to(ROOT)))
def test_core_imports_earlier_tiers_only(path):
    here = path.relative_to(ROOT / "core").parts[0].removesuffix(".py")
    for name in imported(path):
        parts = name.split(".")
        assert parts[0] not in {"streamlit", "pages", "starlette", "app"}, name
        if parts[0] == "core" and len(parts) > 1:
            assert tier(parts[1]) <= tier(here), f"core/{here} imports {name}"


THEORY = {"mean_field", "finite_width", "windows", "gains", "borders"}
SIMULATION = {"propagate", "sampler", "scale_free"}


def reached(modules: set[str]) -> set[str]:
    """Everything in core that these modules import, and what that imports."""
    found, waiting = set(), set(modules)
    while waiting:
        module = waiting.pop()
        found.add(module)
        names = imported(ROOT / "core" / f"{module}.py")
        inner = {name.split(".")[1] for name in names if name.startswith("core.")}
        waiting |= {name for name in inner if (ROOT / "core" / f"{name}.py").exists()} - found
    return found


def test_theory_and_simulation_never_import_each_other():
    assert not reached(THEORY) & SIMULATION
    assert not reached(SIMULATION) & (THEORY | {"moments", "length_law"})


@pytest.mark.parametrize("path", sources("pages"), ids=lambda path: path.name)
def test_pages_neither_compute_nor_draw_nor_import_each_other(path):
    names = imported(path)
    assert not {name.split(".")[0] for name in names} & {"torch", "numpy", "scipy", "plotly"}
    others = {f"pages.{page.stem}" for page in sources("pages") if not page.stem.startswith("_")}
    assert not names & others


def test_app_imports_no_core():
    assert not any(name.startswith("core") for name in imported(ROOT / "app.py"))


def test_importing_core_loads_neither_plotly_nor_streamlit():
    check = "import core, sys; print({'plotly', 'streamlit', 'scipy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
