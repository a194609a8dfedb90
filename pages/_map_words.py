"""What stands beside a map in words."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.borders import Border
from core.sweep import SweepResult
from core.sweep.link import Landscape
from core.sweep.words import engines
from pages import _controls, _landscape, _sweeping
from pages._sweeping import Seen

_BORDERS = {
    "chaos": "The edge of chaos, χ₁ = 1, is where infinite-width theory keeps a small difference "
    "between two inputs: below that scale it shrinks from layer to layer, above it grows.",
    "overflow": "The overflow line is where theory sees the largest element, taken as √(2 ln N) "
    "times the rms, or the largest weight leave the number format.",
    "underflow": "Below the all-zero line the last layer’s typical element is less than half the "
    "smallest subnormal number.",
}
_VALID = (
    "These lines hold for wide layers and speak of the typical network; tied weights are taken as "
    "fresh ones, and a network may cross them a little earlier or later."
)


def say(sentence: str) -> None:
    """What was found, in one sentence above the picture."""
    text = escape(sentence)
    st.html(f'<p class="gi-words gi-summary" role="status" aria-live="polite">{text}</p>')


def progress(landscape: Landscape, seen: Seen, hint: str = "") -> DeltaGenerator:
    """A row below the picture: how far it is, with a button to stop it; ``hint`` when it is done.

    Returns the place where progress is shown while it goes on.
    """
    with st.container(horizontal=True, key="sweeping", vertical_alignment="center"):
        place = st.empty()
        _sweeping.button(landscape, seen.state)
    text = hint if seen.state == "done" else ""
    if seen.state == "stopped":
        done = seen.result.fraction_done if seen.result else 0.0
        text = f"Stopped at {done:.0%}: the rest looks like what is there."
    if text:
        place.html(f'<p class="gi-words">{escape(text)}</p>')
    return place


def explained(landscape: Landscape, result: SweepResult, borders: list[Border]) -> None:
    """What the colour is, who gave the numbers, what the lines are."""
    measure, networks = result.measure, result.question.networks
    colour = f"Colour: {measure.label}. {measure.help}"
    if measure.of_theory is None:
        colour += (
            f" The median of {networks} networks with seed {landscape.base.seed}."
            if networks > 1
            else f" One network, with seed {landscape.base.seed}."
        )
    told = [colour, engines(result)]
    kinds = [border.kind for border in borders]
    told.append(" ".join(_BORDERS[kind] for kind in kinds))
    told.append(_VALID if borders else "Theory draws no border on a map of these two.")
    told += [f"No number in some cells: {why}." for why in dict.fromkeys(result.errors.values())]
    st.html("".join(f'<p class="gi-words">{escape(text)}</p>' for text in told if text))


def link(landscape: Landscape, default: Landscape) -> None:
    """The address of this map."""
    with st.expander("Copy link"):
        beside = _landscape.to_query(landscape, default)
        st.code(_controls.link(landscape.base, beside), language=None, wrap_lines=True)
