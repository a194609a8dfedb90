"""The lesson: its exercises one at a time, with a guess before each answer."""

from __future__ import annotations

import streamlit as st

from core.lesson import SIZES, STEPS, Result, Step, within_sizes
from core.question.experiment import Experiment
from pages.controls import arrival, fields, state, widget
from pages.course import buttons, challenge, clicker, exercise, opening, place
from pages.words import page

_LAST = [slug for slug, step in STEPS.items() if not step.more][-1]


def _result(step: Step, experiment: Experiment) -> Result | None:
    """The answer, if the student asked for it; a step whose answer is refused is not done."""
    if not place.is_done(step):
        return None
    e = experiment
    try:
        setting = step.setting(e.width, e.depth, e.seed, place.repetitions(step))
        return exercise.result_of(step, setting)
    except ValueError as error:  # this page asks for repetitions in the step's own words
        problem = str(error).replace("or repetitions", f"or how many {step.repeats}")
        place.take_back(step, experiment, problem)
        st.rerun()


def _teach(step: Step, experiment: Experiment) -> None:
    page.teaching_style()
    page.warn(place.refusals(step, experiment))
    exercise.title(step)
    opening.at_the_top(step.slug)
    if not place.is_done(step):
        exercise.question(step)
    asked, answered = st.container(), st.container()
    with answered:
        result = _result(step, experiment)
    with asked:
        exercise.prompt(step, result)
    if result:
        with answered:
            exercise.pictures(result, large=True)
            exercise.brief(result)
    buttons.for_teaching()
    clicker.listen()


def _study(step: Step, experiment: Experiment, problems: list[str]) -> None:
    left, right = st.columns([3, 1], gap="large")
    with right:
        buttons.contents(experiment.depth)
        for name, parameter in SIZES.items():
            widget.control(name, parameter=parameter)
        buttons.count_control(step)
        widget.control("seed")
        fields.redraw_button()
        exercise.glossary()
    with left:
        page.warn(problems + arrival.link_problems(experiment) + place.refusals(step, experiment))
        exercise.title(step)
        opening.at_the_top(step.slug)
        exercise.question(step)
        if not place.is_done(step):
            exercise.ask(step, experiment)
        result = _result(step, experiment)
        if result:
            exercise.answered(step, result)
            if step.slug == _LAST:
                challenge.challenge(experiment.seed)
        buttons.onwards()


def _page() -> None:
    arrival.adopt_link("lesson", within_sizes)
    place.adopt_link()
    experiment, problems = state.current()
    step = place.current().at(experiment.depth)
    page.name_tab(f"Lesson {step.number}: {step.title}")
    if place.is_teaching():
        _teach(step, experiment)
    else:
        _study(step, experiment, problems)
    place.write_address()


page.style()
_page()
