"""Sweeps: an Experiment varied along one or two of its fields, and the whole landscape seen."""

from core.sweep.axes import AXES, MOST_CELLS, Axis, parse, spaced
from core.sweep.conduct import sweep
from core.sweep.groups import ENGINES, Question
from core.sweep.measures import MEASURES, Measure, measure_of
from core.sweep.result import SweepResult
from core.sweep.table import load, save, to_frame

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
