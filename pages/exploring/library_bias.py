"""The offer to add the biases that the initialiser's own layer draws, as nn.Linear does."""

from __future__ import annotations

import streamlit as st

from core.question.experiment import Experiment
from core.reading.library_bias import bias_note, lacks_bias
from pages.controls import fields
from pages.words import page


def offer(experiment: Experiment) -> None:
    """Draw a line on the library's own biases, and a button that adds them if they are missing."""
    note = bias_note(experiment)
    if not note:
        return
    page.paragraphs([note])
    if lacks_bias(experiment):
        st.button("Add it", key="add_bias", on_click=fields.add_bias)
