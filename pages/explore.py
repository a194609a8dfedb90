"""Explore: the repeated a @ x, its std per layer, and the iteration at which it breaks."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from core import charts
from core.devices import is_quick
from core.experiment import Experiment
from core.propagate import Run
from core.records import layer_table
from core.snippet import to_script
from core.verdict import judge
from pages import _cached, _controls, _live, _words
from pages._chart import show


def _details(experiment: Experiment, device: str, run: Run) -> None:
    query = urlencode(experiment.to_query() | {"device": device})
    st.link_button("Download CSV", f"/export.csv?{query}")
    link = st.expander("Copy link", key="link", on_change="rerun")
    script = st.expander("PyTorch script", key="script", on_change="rerun")
    table = st.expander("All layers as a table", key="table", on_change="rerun")
    if link.open:
        link.code(_controls.link(experiment), language=None, wrap_lines=True)
    if script.open:
        script.code(to_script(experiment), language="python")
    if table.open:
        table.dataframe(layer_table(run), hide_index=True)


def _first_screen(experiment: Experiment, device: str, problems: list[str]) -> Run | None:
    """The answer and the main chart; None, with the reason on screen, if the run is refused."""
    _words.warn(problems)
    bar = st.empty()
    try:
        progress = _cached.Progress(lambda done: bar.progress(done, "Multiplying…"))
        run = _cached.run(experiment, device, progress)
    except ValueError as error:
        bar.error(str(error))
        return None
    bar.empty()
    show(charts.std_per_layer(run), key="std", urgent=True, live=_live.description(run))
    return run


def _explore(*, in_fragment: bool) -> None:
    _controls.adopt_link()
    experiment, refused = _controls.current()
    quick = is_quick(experiment)
    if quick != in_fragment:
        st.rerun()
    device = _controls.current_device()
    left, right = st.columns([3, 1], gap="medium")
    below = st.container()
    with left:
        answer, chart = st.container(), st.container()

    def controls() -> None:
        with right:
            _controls.main_controls()
        with below:
            _controls.more_controls()

    # A quick run is drawn before the controls are sent again; a long one must not hide them.
    if not quick:
        controls()
    with chart:
        run = _first_screen(experiment, device, refused + _controls.link_problems(experiment))
    if quick:
        controls()
        if _controls.current()[0] != experiment:  # the browser went back: the address had the say
            st.rerun()
    if run is None:
        return
    verdict = judge(run)
    with answer:
        _words.answer(verdict, run)
    _words.torch_checks(verdict, run)
    left, right = st.columns(2)
    with left:
        show(charts.mean_per_layer(run), key="mean")
    with right:
        show(charts.fractions_per_layer(run), key="fractions")
    show(charts.distribution_per_layer(run), key="distribution")
    _details(experiment, device, run)


_words.style()
st.html(
    "<h1 class='gi-title'>Push x through many layers <code>x = a @ x</code>: "
    "does it explode, vanish or hold?</h1>"
)
_controls.adopt_link()
# A fragment redraws only itself, which is quicker; but nothing ends it before its time. A long run
# is therefore part of the whole page, which a newer step of a slider interrupts.
if is_quick(_controls.current()[0]):
    st.fragment(_explore)(in_fragment=True)
else:
    with st.container():  # as deep in the page as a fragment: the charts stay where they are
        _explore(in_fragment=False)
