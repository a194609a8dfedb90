"""The lesson: its exercises one at a time, with a guess before each answer."""

from __future__ import annotations

import streamlit as st

from core.lesson import STEPS, Result, Setting, Step
from core.question.experiment import Experiment
from pages.controls import arrival, fields, state
from pages.course import challenge, exercise, place
from pages.words import page


def _setting(step: Step, experiment: Experiment) -> Setting | None:
    """The size that the controls ask for; None, with a message, if the step does not allow it."""
    e = experiment
    try:
        return step.setting(e.width, e.depth, e.seed, place.repetitions(step))
    except ValueError as error:
        page.warn([str(error)])
        return None


def _result(step: Step, setting: Setting | None) -> Result | None:
    """The answer, if the student asked for it; None, with a message, if the host refuses it."""
    if setting is None or not place.is_done(step):
        return None
    try:
        return exercise.result_of(step, setting)
    except ValueError as error:  # it names ensemble_size; this page asks how many
        page.warn([str(error).replace("ensemble_size", f"how many {step.repeats}")])
        return None


def _teach(step: Step, experiment: Experiment) -> None:
    page.teaching_style()
    exercise.question(step)
    if not place.is_done(step):
        exercise.prompt(step)
    result = _result(step, _setting(step, experiment))
    if result and not exercise.pictures(result, large=True):
        exercise.explained(result)
    place.teaching_controls()


def _study(step: Step, experiment: Experiment, problems: list[str]) -> None:
    left, right = st.columns([3, 1], gap="large")
    with right:
        place.contents()
        for name in ("width", "depth"):
            fields.control(name)
        place.count_control(step)
        fields.control("seed")
        fields.redraw_button()
    with left:
        page.warn(problems + arrival.link_problems(experiment))
        exercise.question(step)
        setting = _setting(step, experiment)
        if not place.is_done(step):
            exercise.ask(step)
        result = _result(step, setting)
        if result and setting:
            exercise.feedback(step, result)
            exercise.pictures(result)
            exercise.explained(result)
            exercise.numbers(result)
            exercise.more(step, setting)
            if step.number == len(STEPS):
                challenge.challenge(experiment.seed)
        place.onwards()


def _page() -> None:
    arrival.adopt_link("lesson")
    place.adopt_link()
    experiment, problems = state.current()
    step = place.current()
    if place.is_teaching():
        _teach(step, experiment)
    else:
        _study(step, experiment, problems)
    place.write_address(experiment)


page.style()
_page()
