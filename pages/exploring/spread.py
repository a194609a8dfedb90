"""What was to be expected of a run, and how much of it is luck: theory, and many networks."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts
from core.host.limits import ensemble_work
from core.question.experiment import Experiment
from core.reading.expectation import Bands, bands, luck, tied_against_fresh
from core.simulation.ensemble import Ensemble
from core.simulation.propagate import Run
from core.text import shown
from core.theory.finite_width import Prediction
from pages.controls import state
from pages.figures.chart import show
from pages.words import page
from pages.work import answers
from pages.work import progress as _progress

_SIZE = 256
_FALLBACK_SIZE = 64  # where no law is known, and the switch is off
_FALLBACK_WORK = 2.5e9  # multiply-adds: under a second
_SWITCH = "ensemble"
_READY = "_ready_for"


class Expected(NamedTuple):
    """Theory and the ensemble for an experiment.

    Attributes:
        ensemble: the one that the viewer asked for.
        is_whole: whether nothing is still to come, once the rest of the page is there.
        problems: why there is no ensemble.
    """

    prediction: Prediction
    bands: Bands | None
    ensemble: Ensemble | None
    is_whole: bool
    problems: list[str]


def adopt_link() -> None:
    """Let the switch start from what the link asks for, once per session."""
    if _SWITCH not in st.session_state:
        asked = st.query_params.to_dict().get(_SWITCH, "false")
        st.session_state[_SWITCH] = asked == "true"
        if asked not in ("true", "false"):
            state.tell([f"ensemble must be true or false, got {shown(asked)}: false is used"])
    state.carry(dict.fromkeys((_SWITCH,)) | to_query())


def to_query() -> dict[str, str]:
    """The switch, for a link."""
    return {_SWITCH: "true"} if st.session_state[_SWITCH] else {}


def switch() -> DeltaGenerator:
    """Ensemble on or off; and a place for its progress."""
    st.toggle(
        f"{_SIZE} networks",
        key=_SWITCH,
        bind="query-params",
        help="The same question to many networks, each with weights and an input of its own: "
        "what is law, and what is luck.",
    )
    return st.empty()


def _wanted(experiment: Experiment) -> int:
    """How many networks to run: as many as were asked for, or some where no law is known."""
    if st.session_state[_SWITCH]:
        return _SIZE
    if bands(answers.prediction(experiment), None, single=experiment.is_single_number):
        return 0
    if experiment.weight_std == 0 and experiment.bias_std == 0:
        return 0  # nothing is random but the input
    base = answers.ensemble_base(experiment)
    return _FALLBACK_SIZE if ensemble_work(base, _FALLBACK_SIZE) < _FALLBACK_WORK else 0


def is_quick(experiment: Experiment) -> bool:
    """Whether the law is found, and all the networks are run, before anyone would notice."""
    if not answers.is_quickly_predicted(experiment):
        return False
    return answers.is_quick_ensemble(experiment, _wanted(experiment))


def expected(experiment: Experiment, *, is_told: bool = True) -> Expected:
    """What theory says, and what the ensemble shows: what is slow when the page comes again.

    If it is not to be told there is nothing to find.
    """
    if not is_told:
        return Expected(Prediction(""), None, None, True, [])
    if not (answers.is_quickly_predicted(experiment) or _is_ready(experiment)):
        return Expected(Prediction(""), None, None, False, [])
    prediction, size = answers.prediction(experiment), _wanted(experiment)
    found, is_whole = None, True
    problems: list[str] = []
    if size and (is_quick(experiment) or _is_ready(experiment, size)):
        try:
            found = answers.ensemble(experiment, size)
        except ValueError as error:
            problems = [str(error)] if st.session_state[_SWITCH] else []
    elif size:
        is_whole = False
    spread = bands(prediction, found, single=experiment.is_single_number)
    asked = found if st.session_state[_SWITCH] else None
    return Expected(prediction, spread, asked, is_whole, problems)


def _is_ready(experiment: Experiment, size: int = 0) -> bool:
    """Whether this page has waited for its law, and for that many networks."""
    base, networks = st.session_state.get(_READY, (None, 0))
    return base == answers.ensemble_base(experiment) and size in (0, networks)


def catch_up(experiment: Experiment, expected: Expected, place: DeltaGenerator | None) -> None:
    """Find what the page did not wait for, and draw it again with that."""
    if expected.is_whole or place is None:
        return
    answers.prediction(experiment, _progress.Progress(place, "Looking for the law…"))
    size = _wanted(experiment)
    if size and not is_quick(experiment):
        text = f"Running {size} networks…"
        place.progress(0.0, text)
        progress = _progress.Progress(place, text)
        with suppress(ValueError):  # told when the page comes again
            answers.ensemble(experiment, size, progress)
    st.session_state[_READY] = answers.ensemble_base(experiment), size
    st.rerun()


def beside(run: Run, expected: Expected) -> None:
    """Sentences on law and luck, and the iterations at which the range ends."""
    found = expected.bands
    source = found.source if found else expected.prediction.valid
    if found is None and expected.is_whole and not st.session_state[_SWITCH]:
        source += f" Switch “{_SIZE} networks” on to measure it."
    page.paragraphs([luck(run, found), tied_against_fresh(run, answers.prediction), source])
    figure = charts.range_ends(expected.prediction, expected.ensemble, run)
    if figure is not None:
        show(figure, key="ends")
