"""Explore: the repeated a @ x, its std per layer, and the iteration at which it breaks."""

from __future__ import annotations

from html import escape
from math import isnan
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core import charts
from core.devices import is_quick
from core.experiment import Experiment
from core.propagate import Run
from core.records import layer_records
from core.snippet import to_script
from core.verdict import Verdict, judge, last_finite_std, significant
from pages import _cached, _controls
from pages._chart import show

_CSS = (Path(__file__).parent / "explore.css").read_text()


def _warn(problems: list[str]) -> None:
    for problem in dict.fromkeys(problems):
        st.html(f'<div class="gi-problem" role="alert">{escape(problem)}</div>')


def _answer(verdict: Verdict, run: Run) -> None:
    layer, std = last_finite_std(run)
    where = f"at layer {layer}" + ", the last finite one" * (layer < run.experiment.depth)
    growth = "–" if isnan(verdict.growth) else f"× {significant(verdict.growth)}"
    st.html(
        f"""<div class="gi-answer" role="status" aria-live="polite">
        <p class="gi-verdict gi-{verdict.kind}"><b>{verdict.kind}</b> {escape(verdict.sentence)}</p>
        <div class="gi-numbers">
        <div class="gi-main"><span>{escape(verdict.iteration_label)}</span>
        <strong>{escape(verdict.iteration)}</strong>
        <small>{escape(verdict.iteration_detail)}</small></div>
        <div><span>last std</span><strong>{significant(std)}</strong>
        <small>{where}</small></div>
        <div><span>growth per product</span><strong>{growth}</strong>
        <small>geometric mean</small></div>
        </div></div>"""
    )


def _torch_checks(verdict: Verdict, run: Run) -> None:
    events = run.events

    def said(index: int | None) -> str:
        return "never" if index is None else f"at i = {index}"

    notes = "".join(f"<p>{escape(note)}</p>" for note in verdict.notes)
    st.html(
        f"""<div class="gi-checks"><p>What the lesson's loop would print on {run.device}:
        <code>x.std()</code> is NaN <b>{said(events.notebook_std_nan)}</b>,
        <code>x.mean()</code> is NaN <b>{said(events.notebook_mean_nan)}</b>;
        the first element breaks <b>{said(events.first_nonfinite)}</b>.</p>{notes}</div>"""
    )


def _details(experiment: Experiment, device: str, run: Run) -> None:
    query = urlencode(experiment.to_query() | {"device": device})
    with st.container(horizontal=True):
        link = st.popover("Copy link", key="link", on_change="rerun")
        st.link_button("Download CSV", f"/export.csv?{query}")
        script = st.popover("PyTorch script", key="script", on_change="rerun")
    table = st.expander("All layers as a table", key="table", on_change="rerun")
    if link.open:
        link.code(_controls.link(experiment), language=None, wrap_lines=True)
    if script.open:
        script.code(to_script(experiment), language="python")
    if table.open:
        table.dataframe(layer_records(run), hide_index=True)


def _first_screen(experiment: Experiment, device: str, problems: list[str]) -> Run | None:
    """The answer and the main chart; None, with the reason on screen, if the run is refused."""
    _warn(problems)
    bar = st.empty()
    try:
        progress = _cached.Progress(lambda done: bar.progress(done, "Multiplying…"))
        run = _cached.run(experiment, device, progress)
    except ValueError as error:
        bar.error(str(error))
        return None
    bar.empty()
    show(charts.std_per_layer(run), key="std", urgent=True)
    return run


def _all_controls() -> None:
    for name in ("width", "depth", "scale"):
        _controls.control(name)
    _controls.scale_stops()
    _controls.relu_switch()
    with st.expander("More"):
        for name in ("activation", "init", "weights", "bias_std", "number_format", "batch_size"):
            _controls.control(name)
        _controls.control("seed")
        _controls.redraw_button()
        _controls.device_control()


@st.fragment
def _explore() -> None:
    linked, problems = _controls.adopt_link()
    experiment, refused = _controls.current()
    device = _controls.current_device()
    left, right = st.columns([3, 1], gap="medium")
    with left:
        answer, chart = st.container(), st.container()
    # A quick run is drawn before the controls are sent again; a long one must not hide them.
    quick = is_quick(experiment)
    if not quick:
        with right:
            _all_controls()
    with chart:
        run = _first_screen(experiment, device, refused + problems * (experiment == linked))
    if quick:
        with right:
            _all_controls()
    if run is None:
        return
    verdict = judge(run)
    with answer:
        _answer(verdict, run)
    _torch_checks(verdict, run)
    left, right = st.columns(2)
    with left:
        show(charts.mean_per_layer(run), key="mean")
    with right:
        show(charts.fractions_per_layer(run), key="fractions")
    show(charts.distribution_per_layer(run), key="distribution")
    _details(experiment, device, run)


st.html(f"<style>{_CSS}</style>")
st.html(
    "<h1 class='gi-title'>Push x through many layers <code>x = a @ x</code>: "
    "does it explode, vanish or hold?</h1>"
)
_explore()
