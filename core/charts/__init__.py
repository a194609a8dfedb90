"""Results as Plotly figures, one module per kind of picture; nothing is computed here."""

from core.charts.coordinate import size_against_width
from core.charts.distribution_per_layer import distribution_per_layer
from core.charts.figure import enlarged, unanswered
from core.charts.formats import scale_windows, std_by_format
from core.charts.fractions_per_layer import fractions_per_layer
from core.charts.guesses import guessed_iterations
from core.charts.lesson import lesson_pictures
from core.charts.mean_per_layer import mean_per_layer
from core.charts.phase import phase_diagram
from core.charts.spread import range_ends
from core.charts.std_per_layer import std_per_layer

__all__ = [
    "distribution_per_layer",
    "enlarged",
    "fractions_per_layer",
    "guessed_iterations",
    "lesson_pictures",
    "mean_per_layer",
    "phase_diagram",
    "range_ends",
    "scale_windows",
    "size_against_width",
    "std_by_format",
    "std_per_layer",
    "unanswered",
]
