"""The run on screen there and back: the signal, its gradient, or why there is no gradient."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core import charts
from core.charts.pins import Pin
from core.host.limits import WorkLimit, WorkLimitError, is_quick
from core.question.experiment import Experiment
from core.reading.expectation import luck
from core.reading.gradient_notes import predicted_end, together
from core.reading.gradient_run import as_run
from core.reading.verdict import Verdict, judge
from core.simulation.backward import Backward
from core.simulation.propagate import Run
from pages.controls import state
from pages.exploring import class_view, spread
from pages.figures import live
from pages.figures.chart import show
from pages.words import page
from pages.work import answers
from pages.work.progress import Progress


class BothWays(NamedTuple):
    """A run, its gradient, and why it has none.

    Attributes:
        run: the signal on its way there.
        back: the same run and its gradient; None if the class view hides it, or the host refuses.
        refusal: the host's words; empty if it does not refuse.
    """

    run: Run
    back: Backward | None
    refusal: str


def _refusal(experiment: Experiment) -> str:
    """Why the host does not go back; empty if it does."""
    try:
        WorkLimit.from_environment().check(experiment, backward=True)
    except WorkLimitError as error:
        return str(error)
    return ""


def is_shown() -> bool:
    """Whether the class view shows gradients."""
    return class_view.current().shows("gradient")


def is_drawn(experiment: Experiment) -> bool:
    """Whether the page draws the gradient of an experiment; on a projector it is told in words."""
    return not class_view.current().on_projector and _goes_back(experiment)


def _goes_back(experiment: Experiment) -> bool:
    return is_shown() and not _refusal(experiment)


def is_quickly_found(experiment: Experiment) -> bool:
    """Whether the run, and its gradient if there is one, are quick."""
    return is_quick(experiment, backward=_goes_back(experiment))


def found(experiment: Experiment, device: str, progress: Progress) -> BothWays:
    """The run and its gradient in one computation; without the gradient, the run alone.

    Raises:
        ValueError: the host refuses the run too.
    """
    refusal = ""
    if is_shown():
        try:
            refusal = _refusal(experiment)
            if not refusal:
                back = answers.there_and_back(experiment, device, progress)
                return BothWays(back.run, back, "")
        except ValueError as error:  # it took too long
            refusal = str(error)
    return BothWays(answers.run(experiment, device, progress), None, refusal)


def gradient_of(seen: BothWays) -> Verdict | None:
    """The verdict on the gradient, if there is one."""
    return judge(seen.back) if seen.back else None


def chart(
    seen: BothWays, pins: list[Pin], verdict: Verdict | None, expected: spread.Expected
) -> None:
    """Draw the gradient below the signal, on the same layers, and the words on its law beside it.

    Args:
        seen: the run on screen.
        pins: the kept gradients.
        verdict: on the gradient, if there is one.
        expected: of the gradient.
    """
    if not is_shown():
        return
    left, right = st.columns([3, 1], gap="medium")
    if seen.back is None or verdict is None:
        with left:
            page.paragraphs([f"There is no gradient to show: {seen.refusal}."], of="gradient")
        return
    run, view = as_run(seen.back), class_view.current()
    bands, ensemble = expected.bands, expected.ensemble
    figure = charts.std_per_layer(run, pins, bands=bands, ensemble=ensemble, verdict=verdict)
    is_answered = view.shows("verdict")
    tells_law = is_answered and view.shows("theory") and expected.is_whole
    with left:
        shown = figure if is_answered else charts.unanswered(figure)
        show(shown, key="gradient", live=live.description(run, state.named()))
    with right:
        page.paragraphs(
            [
                "The gradient δ of a loss comes in at the last layer and goes back through the "
                "same layers.",
                luck(run, bands) if is_answered else "",
                predicted_end(answers.prediction(run.experiment)) if tells_law else "",
                bands.source if bands else "",
                together(run.experiment) if ensemble else "",
                *expected.problems,
            ],
            of="gradient",
        )
