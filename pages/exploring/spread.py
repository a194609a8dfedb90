"""How much of a run is law and how much is luck: theory's bands, and an ensemble of networks."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts
from core.host.limits import ensemble_work
from core.question.experiment import Experiment
from core.reading.expectation import Bands, bands, luck, tied_against_fresh
from core.reading.gradient_run import as_prediction
from core.simulation.ensemble import Ensemble
from core.simulation.propagate import Run
from core.text import shown
from core.theory.finite_width import Prediction
from pages.controls import arrival
from pages.figures.chart import show
from pages.words import page
from pages.work import answers
from pages.work.progress import Progress

_SIZE = 256
_FALLBACK_SIZE = 64  # networks, where no law is known and the switch is off
_FALLBACK_WORK = 2.5e9  # multiply-adds at most for these: under a second
_SWITCH = "ensemble"
_READY = "_ready_for"


class Expected(NamedTuple):
    """What theory and an ensemble say about an experiment.

    Attributes:
        prediction: the law; empty until it is known.
        bands: quantiles of the size per layer, from the law or else from an ensemble.
        ensemble: the ensemble that the viewer asked for, if it is there.
        is_whole: False if ``catch_up`` has something left to find.
        problems: why there is no ensemble, if the host refuses it.
    """

    prediction: Prediction
    bands: Bands | None
    ensemble: Ensemble | None
    is_whole: bool
    problems: list[str]


def adopt_link() -> None:
    """Take the switch from the link, once per session."""
    if _SWITCH not in st.session_state:
        asked = st.query_params.to_dict().get(_SWITCH, "false")
        st.session_state[_SWITCH] = asked == "true"
        if asked not in ("true", "false"):
            problem = f"ensemble must be true or false, got {shown(asked)}: false is used"
            arrival.add_problems([problem])
    arrival.remember(dict.fromkeys((_SWITCH,)) | to_query())


def to_query() -> dict[str, str]:
    """The switch as a parameter of a link."""
    return {_SWITCH: "true"} if st.session_state[_SWITCH] else {}


def switch() -> None:
    """Draw the switch of the ensemble."""
    st.toggle(
        f"{_SIZE} networks",
        key=_SWITCH,
        bind="query-params",
        help=f"Repeat with {_SIZE} random networks, each with weights and an input of its own: "
        "what always happens, and what was chance?",
    )


def _law(experiment: Experiment, backward: bool) -> Prediction:
    found = answers.prediction(experiment)
    return as_prediction(found) if backward else found


def _wanted(experiment: Experiment, backward: bool) -> int:
    """How many networks to run: 256 if the viewer asked for them, fewer where no law is known."""
    if st.session_state[_SWITCH]:
        return _SIZE
    if bands(_law(experiment, backward), None, single=experiment.is_single_number):
        return 0
    if experiment.weight_std == 0 and experiment.bias_std == 0:
        return 0  # only the input is random
    base = answers.ensemble_base(experiment, backward=backward)
    work = ensemble_work(base, _FALLBACK_SIZE, backward=backward)
    return _FALLBACK_SIZE if work < _FALLBACK_WORK else 0


def is_quick(experiment: Experiment, *, backward: bool) -> bool:
    """Whether finding the law and running all the networks is quick.

    Args:
        experiment: on screen.
        backward: whether the networks' gradients are shown too.
    """
    if not answers.is_quickly_predicted(experiment):
        return False
    return all(_is_quick(experiment, way) for way in {False, backward})


def _is_quick(experiment: Experiment, backward: bool) -> bool:
    size = _wanted(experiment, backward)
    return answers.is_quick_ensemble(experiment, size, backward=backward)


def expected(experiment: Experiment, *, backward: bool = False, is_shown: bool = True) -> Expected:
    """The law and the ensemble, as far as they are quick or ``catch_up`` has found them.

    Args:
        experiment: on screen.
        backward: whether of the gradient, as of a signal from the output to the input.
        is_shown: whether the page shows any of it; if not, nothing is computed.
    """
    if not is_shown:
        return Expected(Prediction(""), None, None, True, [])
    if not (answers.is_quickly_predicted(experiment) or _is_ready(experiment, False)):
        return Expected(Prediction(""), None, None, False, [])
    prediction, size = _law(experiment, backward), _wanted(experiment, backward)
    found, is_whole = None, True
    problems: list[str] = []
    if size and (_is_quick(experiment, backward) or _is_ready(experiment, backward, size)):
        try:
            found = _ensemble(experiment, size, backward)
        except ValueError as error:
            problems = [str(error)] if st.session_state[_SWITCH] else []
    elif size:
        is_whole = False
    spread = bands(prediction, found, single=experiment.is_single_number)
    asked = found if st.session_state[_SWITCH] else None
    return Expected(prediction, spread, asked, is_whole, problems)


def _ensemble(experiment: Experiment, size: int, backward: bool) -> Ensemble:
    """The ensemble; raises ValueError if the host refuses it, or ends it, without asking again."""
    problem = _ready()[backward][2] if _is_ready(experiment, backward, size) else ""
    if problem:
        raise ValueError(problem)
    return answers.ensemble(experiment, size, backward=backward)


def _ready() -> dict[bool, tuple[Experiment, int, str]]:
    """Whether backward -> what ``catch_up`` has found: base, networks, and why there are none."""
    found: dict[bool, tuple[Experiment, int, str]] = st.session_state.setdefault(_READY, {})
    return found


def _is_ready(experiment: Experiment, backward: bool, size: int = 0) -> bool:
    """Whether ``catch_up`` has run so many networks; 0 stands for any number."""
    base, networks, _ = _ready().get(backward, (None, 0, ""))
    here = answers.ensemble_base(experiment, backward=backward)
    return base == here and size in (0, networks)


def catch_up(experiment: Experiment, place: DeltaGenerator, *, backward: bool) -> None:
    """Find the parts that are slow, showing progress, and draw the page again with them.

    Args:
        experiment: on screen.
        place: of the progress.
        backward: whether the networks' gradients are shown too.
    """
    answers.prediction(experiment, Progress(place, "Looking for the law…"))
    for way in sorted({False, backward}):
        size, problem = _wanted(experiment, way), ""
        if size and not _is_quick(experiment, way):
            text = f"Running {size} networks{' there and back' if way else ''}…"
            place.progress(0.0, text)
            try:
                answers.ensemble(experiment, size, Progress(place, text), backward=way)
            except ValueError as error:  # when the page is drawn again, ``expected`` tells it
                problem = str(error)
        base = answers.ensemble_base(experiment, backward=way)
        _ready()[way] = base, size, problem
    st.rerun()


def beside(run: Run, expected: Expected, *, tells_answer: bool = True) -> None:
    """Draw sentences on law and luck, and the histogram of the iterations at which x breaks.

    Args:
        run: on screen.
        expected: of its experiment.
        tells_answer: whether the viewer may see what became of the signal. If not, only the law is
            named.
    """
    found = expected.bands
    source = found.source if found else expected.prediction.valid
    if found is None and expected.is_whole and not st.session_state[_SWITCH]:
        source += f" Switch “{_SIZE} networks” on to measure it."
    if not tells_answer:
        page.paragraphs([source])
        return
    page.paragraphs([luck(run, found), tied_against_fresh(run, answers.prediction), source])
    figure = charts.range_ends(expected.prediction, expected.ensemble, run)
    if figure is not None:
        show(figure, key="ends")
