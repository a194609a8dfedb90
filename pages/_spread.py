"""What was to be expected of a run, and how much of it is luck: theory, and many networks."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core import charts
from core.expectation import Bands, bands, luck, tied_against_fresh
from core.experiment import Experiment
from core.finite_width import Prediction
from core.parameter import shown
from core.propagate import Run
from core.sampler import Ensemble, ensemble_work
from pages import _cached, _controls, _words
from pages._chart import show

_SIZE = 256
_FALLBACK_SIZE = 64  # where no law is known, and the switch is off
_FALLBACK_WORK = 2.5e9  # multiply-adds: about half a second
_SWITCH = "ensemble"


class Expected(NamedTuple):
    """Theory and the ensemble for an experiment.

    ``ensemble`` is the one that the viewer asked for; ``problems`` says why there is none.
    """

    prediction: Prediction
    bands: Bands | None
    ensemble: Ensemble | None
    problems: list[str]


def adopt_link() -> None:
    """Let the switch start from what the link asks for, once per session."""
    if _SWITCH in st.session_state:
        return
    asked = st.query_params.to_dict().get(_SWITCH, "false")
    st.session_state[_SWITCH] = asked == "true"
    if asked not in ("true", "false"):
        _controls.tell([f"ensemble must be true or false, got {shown(asked)}: false is used"])


def to_query() -> dict[str, str]:
    """The switch, for a link."""
    return {_SWITCH: "true"} if st.session_state[_SWITCH] else {}


def switch() -> None:
    """Ensemble on or off."""
    st.toggle(
        f"{_SIZE} networks",
        key=_SWITCH,
        bind="query-params",
        help="The same question to many networks, each with weights and an input of its own: "
        "what is law, and what is luck.",
    )


def expected(experiment: Experiment) -> Expected:
    """What theory says, and what the ensemble shows."""
    prediction = _cached.prediction(experiment)
    problems: list[str] = []
    asked = fallback = None
    if st.session_state[_SWITCH]:
        try:
            asked = _cached.ensemble(experiment, _SIZE)
        except ValueError as error:
            problems.append(str(error))
    elif not prediction.known and ensemble_work(experiment, _FALLBACK_SIZE) < _FALLBACK_WORK:
        fallback = _cached.ensemble(experiment, _FALLBACK_SIZE)
    found = bands(prediction, asked or fallback, single=experiment.is_single_number)
    return Expected(prediction, found, asked, problems)


def beside(run: Run, expected: Expected) -> None:
    """Sentences on law and luck, and the iterations at which the range ends."""
    found = expected.bands
    source = found.source if found else expected.prediction.valid
    tied = tied_against_fresh(run, found)
    _words.paragraphs([tied, luck(run, found), source])
    figure = charts.range_ends(expected.prediction, expected.ensemble, run)
    if figure is not None:
        show(figure, key="ends")
