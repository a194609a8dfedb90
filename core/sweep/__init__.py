"""Sweeps: an Experiment varied along one or two of its fields, with a number for every cell."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .axes import AXES, MOST_CELLS, Axis, parse, spaced
from .groups import ENGINES, Question
from .measure import Measure
from .measures import MEASURES, measure_of
from .result import SweepResult
from .run import sweep

if TYPE_CHECKING:
    from .table import load, save, to_frame

__all__ = [
    "AXES",
    "ENGINES",
    "MEASURES",
    "MOST_CELLS",
    "Axis",
    "Measure",
    "Question",
    "SweepResult",
    "load",
    "measure_of",
    "parse",
    "save",
    "spaced",
    "sweep",
    "to_frame",
]


def __getattr__(name: str) -> Any:
    """Names that need pandas, which is loaded when one of them is first used."""
    if name in ("load", "save", "to_frame"):
        return getattr(import_module(".table", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
