"""Results as Plotly figures, one module per kind of figure; nothing is computed here."""

from .classroom import enlarged, unanswered
from .distribution_per_layer import distribution_per_layer
from .fractions_per_layer import fractions_per_layer
from .guesses import guessed_iterations
from .inputs_per_layer import inputs_per_layer
from .lesson import lesson_pictures
from .loss_windows import loss_windows, lost_by_format
from .mean_per_layer import mean_per_layer
from .number_formats import scale_windows, std_by_format
from .phase_diagram import phase_diagram
from .range_ends import range_ends
from .size_against_width import size_against_width
from .std_per_layer import std_per_layer
from .weight_gradients import weight_gradients

__all__ = [
    "distribution_per_layer",
    "enlarged",
    "fractions_per_layer",
    "guessed_iterations",
    "inputs_per_layer",
    "lesson_pictures",
    "loss_windows",
    "lost_by_format",
    "mean_per_layer",
    "phase_diagram",
    "range_ends",
    "scale_windows",
    "size_against_width",
    "std_by_format",
    "std_per_layer",
    "unanswered",
    "weight_gradients",
]
