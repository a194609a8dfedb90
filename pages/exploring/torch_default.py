"""The card beside an initialiser of nn.Linear: what its weights and its own biases do at depth."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.question.experiment import Experiment
from core.reading.library_bias import bias_note, lacks_bias
from core.reading.torch_default import DefaultCard, default_card
from pages.controls import fields
from pages.controls.state import texts_of, without_defaults
from pages.words import page
from pages.words.document import WHY_SQRT_5, text_of

_QUESTION = "Why a = √5?"


def card(experiment: Experiment, *, tells_theory: bool) -> None:
    """Draw the card, if the initialiser is that of a layer that draws biases too.

    Args:
        experiment: the question.
        tells_theory: whether the viewer may see what theory says.
    """
    if experiment.rule.bias_std is None:
        return
    with st.container(key="torch_default", border=True, gap="small"):
        found = default_card(experiment)
        if tells_theory:
            if found:
                _numbers(found)
            page.paragraphs([bias_note(experiment), found.sentence if found else ""])
        if lacks_bias(experiment):
            st.button("Add it", key="add_bias", on_click=fields.add_bias)
        if found:
            links = (f"[{label}]({_query(each)})" for label, each in found.cases.items())
            st.markdown(f"Open such a network: {' · '.join(links)}")
        why = st.expander(_QUESTION, key="why_sqrt_5", on_change="rerun")
        if why.open:
            why.markdown(text_of(WHY_SQRT_5))


def _query(experiment: Experiment) -> str:
    """The address of Explore with an experiment, from Explore; the bias by its name."""
    texts = without_defaults(texts_of(experiment))
    return f"?{urlencode({name: text for name, text in texts.items() if text is not None})}"


def _numbers(found: DefaultCard) -> None:
    cells = "".join(
        f'<div><dt><abbr title="{escape(each.meaning)}">{escape(each.term)}</abbr></dt>'
        f"<dd>{escape(each.text)}</dd></div>"
        for each in found.numbers
    )
    st.html(
        f"""<div class="gi-card"><p><b>PyTorch Linear</b>
        <small>kaiming_uniform_(a=√5): weights of std 1/√(3n)</small></p><dl>{cells}</dl></div>"""
    )
