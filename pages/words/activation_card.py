"""The card of the chosen activation: its gain beside PyTorch's, and the moments behind it."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.question.experiment import PARAMETERS, Experiment
from core.reading.activation_card import GainCard, gain_card
from core.reading.advice import advice
from core.text import significant

_GAIN = "1/√E[φ(z)²]. Weights of std gain/√n keep the second moment of a unit signal, E[h²] = 1."
_VARIANCE = (
    "1/std φ(z). It keeps the variance of a unit signal where the mean of φ does not pass, as "
    "through the standardised weights of normaliser-free networks."
)
_TORCH = "The value of torch.nn.init.calculate_gain for this activation."
_MOMENT = "The mean of φ(z)² for z ~ N(0, 1): the second moment of a unit signal after φ."
_CHI = (
    "gain² · E[φ′(z)²], for weights of std gain/√n, no bias and q = 1. Above 1, small differences "
    "between inputs, and gradients, grow from layer to layer (chaotic). Below 1 they shrink "
    "(ordered)."
)


def _cells(found: GainCard) -> list[tuple[str, str, str]]:
    """Term, meaning and value of each entry."""
    theirs = "none" if found.torch_gain is None else significant(found.torch_gain, 4)
    return [
        ("gain 1/√E[φ²]", _GAIN, significant(found.gain, 4)),
        ("1/std φ", _VARIANCE, significant(found.variance_gain, 4)),
        ("PyTorch’s gain", _TORCH, theirs),
        ("E[φ(z)²]", _MOMENT, significant(found.second_moment)),
        ("χ₁ at gain/√n", _CHI, significant(found.chi_1)),
    ]


def card(experiment: Experiment) -> None:
    """Draw the card of the experiment's activation."""
    found = gain_card(experiment.activation)
    advised = advice(experiment.activation, experiment.depth).sentence
    name = PARAMETERS["activation"].name_of(found.name)
    cells = "".join(
        f'<div><dt><abbr title="{escape(meaning)}">{escape(term)}</abbr></dt>'
        f"<dd>{escape(value)}</dd></div>"
        for term, meaning, value in _cells(found)
    )
    st.html(
        f"""<div class="gi-card"><p><b>{escape(name)}</b>
        <small>{escape(found.reference)}</small></p><dl>{cells}</dl>
        <p>{escape(found.sentence)}</p><p>{escape(advised)}</p>
        <p>{escape(found.which)}</p></div>"""
    )
