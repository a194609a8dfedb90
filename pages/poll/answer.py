"""The parts of a room that teacher and student share: question, guesses, answer."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import charts
from core.host.devices import available_devices
from core.question.experiment import Experiment
from core.reading.expectation import predicted_iteration
from core.reading.guesses import (
    QUESTION,
    counted,
    in_class,
    loop,
    measured_iteration,
    setting,
)
from core.reading.verdict import judge
from core.simulation.propagate import Run
from pages.figures.chart import show
from pages.poll.view import RoomView
from pages.words import page
from pages.work import answers
from pages.work.progress import Progress, place_over_the_next

_CSS = (Path(__file__).parent / "guess.css").read_text()


def style() -> None:
    """Send the style sheet of rooms."""
    st.html(f"<style>{_CSS}</style>")


def question(experiment: Experiment, *, is_open: bool = True) -> None:
    """Draw the question with its loop; while guesses are open, also how iterations are counted."""
    rule = f"<small>{escape(counted(experiment))}</small>" if is_open else ""
    st.html(
        f"""<div class="gi-question"><h1>{escape(QUESTION)}</h1>
        <p><code>{escape(loop(experiment))}</code></p>
        <p>{escape(setting(experiment))}</p>{rule}</div>"""
    )


def measured(experiment: Experiment) -> Run | None:
    """The run, once its law is computed too; None, with a message, if the host refuses it."""
    bar = place_over_the_next()
    progress = Progress(bar, "Multiplying…")
    try:
        run = answers.run(experiment, available_devices()[0], progress)
        answers.prediction(experiment)
    except ValueError as error:
        page.warn([str(error)])
        return None
    finally:
        bar.empty()
    return run


def histogram(view: RoomView, run: Run | None = None) -> None:
    """Draw the histogram of the guesses; with a run, also the answer."""
    experiment = view.room.experiment
    prediction = answers.prediction(experiment) if run else None
    figure = charts.guessed_iterations(
        view.guesses,
        experiment.depth,
        run=run,
        prediction=prediction,
        own=view.own,
        large=view.is_teacher,
    )
    show(figure, key="guesses", urgent=True)


def answer(view: RoomView, run: Run) -> DeltaGenerator:
    """Draw the measured and the predicted iteration, and the guesses below or beside them.

    Returns:
        The place below the guesses.
    """
    law = answers.prediction(view.room.experiment)
    words, picture = st.columns([2, 3], gap="medium")
    with words:
        page.answer(judge(run), run, predicted_iteration(law))
    with picture:
        histogram(view, run)
        sentence = in_class(view.guesses, measured_iteration(run), is_shown=True)
        st.html(f'<p class="gi-count">{escape(sentence)}</p>')
    return picture
