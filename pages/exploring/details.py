"""Everything below Explore's first screen: the other charts, the link, the script, the table."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from core import charts
from core.question.experiment import Experiment
from core.question.pins import to_query
from core.reading.gradient_notes import of_weights
from core.reading.records import layer_table
from core.simulation.backward import Backward
from core.simulation.propagate import Run
from core.simulation.script import to_script
from pages.controls import links
from pages.exploring import class_view, pinned, spread
from pages.exploring.both_ways import BothWays
from pages.figures.chart import show
from pages.words import activation_card, page
from pages.work import answers

_OF_WEIGHTS = (
    "G is the gradient of a layer’s weight matrix: δ at its product times the layer’s input. Where "
    "x grows by the factor by which δ shrinks, G has the same size in every layer although δ has "
    "not (Glorot & Bengio 2010, figure 8)."
)


def details(experiment: Experiment, device: str, seen_both: BothWays) -> None:
    """Draw the other charts, the card of the activation, and the run to take away."""
    run, back = seen_both.run, seen_both.back
    is_answered = class_view.current().shows("verdict")
    seen = (lambda figure: figure) if is_answered else charts.unanswered
    left, right = st.columns(2)
    with left:
        show(seen(charts.mean_per_layer(run)), key="mean")
    with right:
        if is_answered:  # the fraction that is not finite jumps at the event
            theory = answers.shares(experiment) if class_view.current().shows("theory") else None
            show(charts.fractions_per_layer(run, theory), key="fractions")
    if experiment.batch_size > 1:
        show(seen(charts.inputs_per_layer(run)), key="inputs")
    show(seen(charts.distribution_per_layer(run)), key="distribution")
    if back is not None and is_answered:
        show(charts.weight_gradients(back), key="weight_gradients")
        page.paragraphs([_OF_WEIGHTS, of_weights(back)], of="gradient")
    activation_card.card(experiment)
    _to_take_away(experiment, device, back or run)


def _to_take_away(experiment: Experiment, device: str, found: Run | Backward) -> None:
    """Draw the run as a file, and folded away as a link, a script and a table."""
    backward = isinstance(found, Backward)
    way = {"backward": "true"} if backward else {}
    query = urlencode(experiment.to_query() | {"device": device} | way)
    st.link_button("Download CSV", f"export.csv?{query}")
    link = st.expander("Copy link", key="link", on_change="rerun")
    script = st.expander("PyTorch script", key="script", on_change="rerun")
    table = st.expander("All layers as a table", key="table", on_change="rerun")
    if link.open:
        link.code(
            links.link_to(experiment, to_query(pinned.current()) | spread.to_query()),
            language=None,
            wrap_lines=True,
        )
    if script.open:
        script.code(to_script(experiment, backward=backward), language="python")
    if table.open:
        table.dataframe(layer_table(found), hide_index=True)
