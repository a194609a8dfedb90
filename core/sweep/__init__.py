"""Sweeps: an Experiment varied along one or two of its fields, and the whole landscape seen."""

from .axes import AXES, MOST_CELLS, Axis, parse, spaced
from .conduct import sweep
from .groups import ENGINES, Question
from .measures import MEASURES, Measure, measure_of
from .result import SweepResult
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
