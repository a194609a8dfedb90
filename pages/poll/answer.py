"""The answer to a room's question, and what the class had guessed."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from core import charts
from core.host.devices import available_devices
from core.question.experiment import Experiment
from core.reading.expectation import predicted_iteration
from core.reading.guesses import QUESTION, counted, in_class, measured_iteration, setting
from core.reading.verdict import judge
from core.simulation.propagate import Run
from pages.figures.chart import show
from pages.poll.view import Look
from pages.words import page
from pages.work import answers
from pages.work import progress as _progress

_CSS = (Path(__file__).parent / "guess.css").read_text()


def style() -> None:
    """The style sheet of rooms."""
    st.html(f"<style>{_CSS}</style>")


def question(experiment: Experiment, *, is_open: bool = True) -> None:
    """What is asked; while it is open, also what a guess counts."""
    rule = f"<small>{escape(counted(experiment))}</small>" if is_open else ""
    st.html(
        f"""<div class="gi-question"><h1>{escape(QUESTION)}</h1>
        <p>{escape(setting(experiment))}</p>{rule}</div>"""
    )


def found(experiment: Experiment) -> Run | None:
    """The run, with its law at hand; None, and a message, if the host refuses it."""
    bar = st.empty()
    progress = _progress.Progress(bar, "Multiplying…")
    try:
        run = answers.run(experiment, available_devices()[0], progress)
        answers.prediction(experiment)
    except ValueError as error:
        page.warn([str(error)])
        return None
    finally:
        bar.empty()
    return run


def histogram(look: Look, run: Run | None = None) -> None:
    """The guesses; with a run, also the answer."""
    experiment = look.room.experiment
    prediction = answers.prediction(experiment) if run else None
    figure = charts.guessed_iterations(
        look.guesses,
        experiment.depth,
        run=run,
        prediction=prediction,
        own=look.own,
        large=look.is_host,
    )
    show(figure, key="guesses", urgent=True)


def answer(look: Look, run: Run) -> None:
    """What was measured and predicted, over what was guessed."""
    law = answers.prediction(look.room.experiment)
    page.answer(judge(run), run, predicted_iteration(law))
    histogram(look, run)
    told = in_class(look.guesses, measured_iteration(run), is_shown=True)
    st.html(f'<p class="gi-count">{escape(told)}</p>')
