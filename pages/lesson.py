"""The lesson: its exercises one at a time, with a guess before each answer."""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.lesson import STEPS, Result, Setting, Step
from pages import _controls, _course, _exercise, _own_turn, _words


def _setting(step: Step, experiment: Experiment) -> Setting | None:
    """The size that the controls ask for; None, and a message, if the step has no such size."""
    e = experiment
    try:
        return step.setting(e.width, e.depth, e.seed, _course.repetitions(step))
    except ValueError as error:
        _words.warn([str(error)])
        return None


def _result(step: Step, setting: Setting | None) -> Result | None:
    """The answer, if it was asked for; None, and a message, if the host refuses it."""
    if setting is None or not _course.is_done(step):
        return None
    try:
        return _exercise.result_of(step, setting)
    except ValueError as error:  # it speaks of an ensemble; the page asks how many
        _words.warn([str(error).replace("ensemble_size", f"how many {step.repeats}")])
        return None


def _teach(step: Step, experiment: Experiment) -> None:
    _words.teaching_style()
    _exercise.question(step)
    if not _course.is_done(step):
        _exercise.prompt(step)
    result = _result(step, _setting(step, experiment))
    if result and not _exercise.pictures(result, large=True):
        _exercise.explained(result)
    _course.teaching_controls()


def _study(step: Step, experiment: Experiment, problems: list[str]) -> None:
    left, right = st.columns([3, 1], gap="large")
    with right:
        _course.contents()
        for name in ("width", "depth"):
            _controls.control(name)
        _course.count_control(step)
        _controls.control("seed")
        _controls.redraw_button()
    with left:
        _words.warn(problems + _controls.link_problems(experiment))
        _exercise.question(step)
        setting = _setting(step, experiment)
        if not _course.is_done(step):
            _exercise.ask(step)
        result = _result(step, setting)
        if result and setting:
            _exercise.feedback(step, result)
            _exercise.pictures(result)
            _exercise.explained(result)
            _exercise.numbers(result)
            _exercise.more(step, setting)
            if step.number == len(STEPS):
                _own_turn.own_turn(experiment.seed)
        _course.onwards()


def _page() -> None:
    _controls.adopt_link("lesson")
    _course.adopt_link()
    experiment, problems = _controls.current()
    step = _course.current()
    if _course.is_teaching():
        _teach(step, experiment)
    else:
        _study(step, experiment, problems)
    _course.write(experiment)


_words.style()
_page()
