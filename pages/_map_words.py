"""What stands beside a map in words."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.borders import Border
from core.sweep import SweepResult
from core.sweep.link import Landscape
from core.sweep.words import engine_words, summary
from pages import _controls, _landscape
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


def answer(result: SweepResult) -> None:
    """The map in one sentence."""
    text = escape(summary(result))
    st.html(f'<p class="gi-words gi-summary" role="status" aria-live="polite">{text}</p>')


def status(place: DeltaGenerator, seen: Seen) -> None:
    """How far it is, where the progress is shown while it goes on."""
    if seen.result is None or seen.state not in ("done", "stopped"):
        return
    text = "Click a cell to open it in Explore; on a touch screen, tap it twice."
    if seen.state == "stopped":
        text = f"Stopped at {seen.result.fraction_done:.0%}: the rest looks like its neighbours."
    place.html(f'<p class="gi-words">{text}</p>')


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
    engines = "; ".join(engine_words(name) for name in result.engine_names)
    told = [colour, f"The numbers come from: {engines}."]
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
