"""The challenge after step 13: a scale factor that carries a network through 200 layers."""

from __future__ import annotations

import streamlit as st

from core import charts
from core.layer.activations import ACTIVATIONS
from core.lesson import DEPTH, check, task
from core.question.experiment import PARAMETERS, Experiment
from core.question.parameter import refusals
from pages.controls.links import explore_link
from pages.figures.chart import show
from pages.words import page
from pages.work import answers

_PROPOSED = "_proposed_in_the_challenge"


def challenge(seed: int) -> None:
    """Draw the task, and what became of the student's last proposal."""
    st.html('<h3 class="gi-heading">Your turn</h3>')
    st.markdown(
        f"Choose an activation and find a scale factor with which the signal holds for {DEPTH} "
        f"layers. Each layer is {task('relu').width} wide and has raw weights of its own from "
        "N(0, 1)."
    )
    with st.form("challenge"):
        left, right = st.columns(2)
        with left:
            chosen = st.selectbox(
                "Activation",
                list(ACTIVATIONS),
                index=None,
                key="challenge_activation",
                placeholder="Choose one",
                format_func=PARAMETERS["activation"].name_of,
            )
            typed = st.text_input(
                "Activation, typed",
                key="challenge_typed",
                placeholder=f"or type {PARAMETERS['activation'].example}",
                label_visibility="collapsed",
            )
        with right:
            scale = st.text_input(
                "Scale factor", key="challenge_scale", placeholder="such as 0.05 or 2/sqrt(512)"
            )
        if st.form_submit_button("Try it", type="primary"):
            st.session_state[_PROPOSED] = typed.strip() or chosen, scale
    if _PROPOSED in st.session_state:
        _judge(*st.session_state[_PROPOSED], seed)


def _proposed(activation: str | None, scale: str, seed: int) -> tuple[Experiment, list[str]]:
    """The network that a student proposes, and what in the proposal was not accepted."""
    if activation is None:
        return task("relu"), ["Choose an activation first."]
    asked = {"activation": activation, "scale": scale.strip()}
    proposal, problems = Experiment.from_query(task("relu").to_query() | asked)
    told = [problem.rpartition(": ")[0] for problem in refusals(problems)]
    return task(proposal.activation, proposal.scale, seed), told


def _judge(activation: str | None, scale: str, seed: int) -> None:
    """Run the proposed network, and say whether its signal holds."""
    experiment, problems = _proposed(activation, scale, seed)
    if problems:
        page.warn(problems)
        return
    try:
        run = answers.run(experiment, "cpu")
    except ValueError as error:
        page.warn([str(error)])
        return
    outcome = check(run)
    (st.success if outcome.holds else st.warning)(outcome.sentence)
    show(charts.std_per_layer(run), key="challenge")
    explore_link("Open your network in Explore", experiment)
