"""The student's own turn: a scale factor that carries an activation through 200 layers."""

from __future__ import annotations

import streamlit as st

from core import charts
from core.layer.activations import ACTIVATIONS
from core.lesson import DEPTH, check, task
from core.question.experiment import Experiment
from pages.controls.state import explore_link
from pages.figures.chart import show
from pages.words import page
from pages.work import answers

_TRIED = "_tried"


def own_turn(seed: int) -> None:
    """The task, what was tried, and what became of it."""
    st.html('<h3 class="gi-heading">Your turn</h3>')
    st.markdown(
        f"Choose an activation and find a scale factor with which the signal holds for {DEPTH} "
        f"layers, {task('relu').width} wide, each with raw weights of its own from N(0, 1)."
    )
    with st.form("own_turn"):
        left, right = st.columns(2)
        with left:
            st.selectbox(
                "Activation",
                list(ACTIVATIONS),
                index=None,
                key="turn_activation",
                placeholder="Choose one",
            )
        with right:
            st.text_input("Scale factor", key="turn_scale", placeholder="such as 0.05 or 1/√n")
        if st.form_submit_button("Try it", type="primary"):
            st.session_state[_TRIED] = (
                st.session_state["turn_activation"],
                st.session_state["turn_scale"],
            )
    if _TRIED in st.session_state:
        _tried(*st.session_state[_TRIED], seed)


def _tried(activation: str | None, text: str, seed: int) -> None:
    if activation is None:
        page.warn(["Choose an activation first."])
        return
    asked = {"activation": activation, "scale": text.strip()}
    proposal, problems = Experiment.from_query(task("relu").to_query() | asked)
    if problems:
        page.warn([problem.split(":")[0] for problem in problems])
        return
    experiment = task(activation, proposal.scale, seed)
    try:
        run = answers.run(experiment, "cpu")
    except ValueError as error:
        page.warn([str(error)])
        return
    outcome = check(run)
    (st.success if outcome.holds else st.warning)(outcome.sentence)
    show(charts.std_per_layer(run), key="turn")
    explore_link("Open your network in Explore", experiment)
