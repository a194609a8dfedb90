"""Good Init: what weight initialisation does to a signal."""

from core.activations import ACTIVATIONS
from core.experiment import Experiment
from core.initializers import INITIALIZERS
from core.number_formats import NUMBER_FORMATS
from core.propagate import Run, propagate

__all__ = ["ACTIVATIONS", "INITIALIZERS", "NUMBER_FORMATS", "Experiment", "Run", "propagate"]
