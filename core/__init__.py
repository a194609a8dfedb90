"""Good Init: what weight initialisation does to a signal.

A script or a notebook imports every public name from here. Names that need scipy or pandas are
loaded at their first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .layer.activations import ACTIVATIONS
from .layer.initializers import INITIALIZERS
from .layer.number_formats import NUMBER_FORMATS
from .question.experiment import Experiment
from .simulation.backward import Backward, backpropagate
from .simulation.ensemble import Ensemble, sample_ensemble
from .simulation.propagate import Run, propagate
from .simulation.script import to_script
from .sweep.coordinate_check import coordinate_check
from .theory import mean_field

if TYPE_CHECKING:
    from .probe.check import check
    from .probe.measure import CheckError
    from .probe.report import Report
    from .probe.rules import RULES
    from .sweep.table import load, save, to_frame
    from .theory.finite_width import Prediction, predict

_LATER = {
    "RULES": ".probe.rules",
    "CheckError": ".probe.measure",
    "Prediction": ".theory.finite_width",
    "Report": ".probe.report",
    "check": ".probe.check",
    "load": ".sweep.table",
    "predict": ".theory.finite_width",
    "save": ".sweep.table",
    "to_frame": ".sweep.table",
}

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "NUMBER_FORMATS",
    "RULES",
    "Backward",
    "CheckError",
    "Ensemble",
    "Experiment",
    "Prediction",
    "Report",
    "Run",
    "backpropagate",
    "check",
    "coordinate_check",
    "load",
    "mean_field",
    "predict",
    "propagate",
    "sample_ensemble",
    "save",
    "to_frame",
    "to_script",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
