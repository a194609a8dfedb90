"""Good Init: what weight initialisation does to a signal."""

from .layer.activations import ACTIVATIONS
from .layer.initializers import INITIALIZERS
from .layer.number_formats import NUMBER_FORMATS
from .question.experiment import Experiment
from .simulation.propagate import Run, propagate

__all__ = ["ACTIVATIONS", "INITIALIZERS", "NUMBER_FORMATS", "Experiment", "Run", "propagate"]
