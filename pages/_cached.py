"""The bounded caches: the only place that caches for the pages."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable

import streamlit as st

from core.experiment import PARAMETERS, Experiment
from core.finite_width import Prediction, predict
from core.lesson import STEPS, Result, Setting
from core.propagate import Run, propagate
from core.sampler import Ensemble, sample_ensemble
from core.scale_free import ScaleFree, free_of_scale, is_scale_free
from core.scale_free import scale_free as compute_scale_free

_known_laws: set[Experiment] = set()
_MOST_KNOWN = 256
_LONG_CHAIN = 200  # layers; beyond, a law takes a fifth of a second and more
_DEPTHS = 25  # an ensemble is as deep as the next multiple


class Progress:
    """Reports a run's progress to a placeholder once it has taken a while.

    Every report gives Streamlit the chance to end a script that a newer one supersedes, and with
    it the run. It does so for the whole page's script, never for a fragment's.
    """

    _PATIENCE = 0.4
    _INTERVAL = 0.1

    def __init__(self, report: Callable[[float], object]) -> None:
        self.report = report
        self.outside = contextvars.copy_context()
        self.due = time.monotonic() + self._PATIENCE

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        if now >= self.due:
            self.due = now + self._INTERVAL
            # In the context from before the cached call: the bar is no part of what it caches.
            self.outside.run(self.report, fraction)


@st.cache_data(
    max_entries=512,
    max_size="128MB",
    show_spinner=False,
    hash_funcs={Progress: lambda progress: ""},
)
def run(experiment: Experiment, device: str, progress: Progress) -> Run:
    """The run of an experiment on a device; computed once for all viewers who ask for it."""
    return propagate(experiment, device, on_progress=progress)


def prediction(experiment: Experiment) -> Prediction:
    """What theory says of an experiment, whatever its seed."""
    found = _prediction(experiment.replace(seed=0))
    if len(_known_laws) >= _MOST_KNOWN:
        _known_laws.clear()
    _known_laws.add(ensemble_base(experiment))
    return found


def is_quickly_predicted(experiment: Experiment) -> bool:
    """Whether its law is there at once: easily found, or found before on this host."""
    e = experiment
    sampled = e.weights == "tied" and e.activation == "linear" and e.bias_std == 0
    chained = not e.phi.positively_homogeneous and e.depth > _LONG_CHAIN
    return not (sampled or chained) or ensemble_base(e) in _known_laws


@st.cache_data(max_entries=512, max_size="64MB", show_spinner=False)
def _prediction(experiment: Experiment) -> Prediction:
    return predict(experiment)


def ensemble_base(experiment: Experiment) -> Experiment:
    """The experiment whose ensemble serves this one too: of any seed, format, and often scale.

    A deeper network serves a shallower one, so that a step of the depth slider finds it here.
    """
    deeper = -(-experiment.depth // _DEPTHS) * _DEPTHS
    depth = min(deeper, int(PARAMETERS["depth"].maximum))
    base = experiment.replace(seed=0, depth=depth, number_format="float64")
    return free_of_scale(base) if experiment.scale and is_scale_free(base) else base


def ensemble(experiment: Experiment, ensemble_size: int, progress: Progress) -> Ensemble:
    """Many networks of an experiment, whatever its seed."""
    found = _ensemble(ensemble_base(experiment), ensemble_size, progress)
    return found.at(experiment.replace(seed=0))


@st.cache_data(
    max_entries=64,
    max_size="128MB",
    show_spinner=False,
    hash_funcs={Progress: lambda progress: ""},
)
def _ensemble(experiment: Experiment, ensemble_size: int, progress: Progress) -> Ensemble:
    return sample_ensemble(experiment, ensemble_size, on_progress=progress)


@st.cache_data(
    max_entries=256,
    max_size="64MB",
    show_spinner=False,
    hash_funcs={Progress: lambda progress: ""},
)
def exercise(slug: str, setting: Setting, progress: Progress) -> Result:
    """What an exercise of the lesson came to; computed once for all students of that size."""
    return STEPS[slug].measure(setting, progress)


@st.cache_data(max_entries=128, max_size="16MB", show_spinner=False)
def scale_free(experiment: Experiment) -> ScaleFree:
    """The run that answers for every scale factor of an experiment free of scale."""
    return compute_scale_free(experiment)
